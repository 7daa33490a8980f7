"""Where flash attention is used unless the user chooses."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from engines.flash_attention import BATCH_WITHOUT, uses_flash_attention
from engines.llama_cpp.loading import check_file
from engines.llama_cpp.model import LoadedModel
from engines.llama_cpp.native import AbortSwitch
from engines.protocol import LoadOptions
from tests.engines.tiny_gguf import make_tiny_gguf


@pytest.mark.parametrize(("machine", "used"), [("x86_64", False), ("AMD64", False), ("arm64", True)])
def test_it_is_used_where_the_processor_is_not_slower_with_it(
    monkeypatch: pytest.MonkeyPatch, machine: str, used: bool
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)

    assert uses_flash_attention(LoadOptions()) is used
    assert uses_flash_attention(LoadOptions(flash_attention=True))
    assert not uses_flash_attention(LoadOptions(flash_attention=False))


def test_it_is_used_on_a_graphics_card_and_where_the_cache_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")

    assert uses_flash_attention(LoadOptions(), graphics_card=True)
    assert uses_flash_attention(LoadOptions(kv_cache_type="q8_0"))


@pytest.mark.parametrize(
    ("chosen", "batch", "at_once"), [(False, 512, BATCH_WITHOUT), (False, 32, 32), (True, 512, 512)]
)
def test_prompts_are_evaluated_in_smaller_steps_without_it(
    tmp_path: Path, chosen: bool, batch: int, at_once: int
) -> None:
    path = make_tiny_gguf(tmp_path / "model.gguf")
    options = LoadOptions(context_tokens=1024, flash_attention=chosen, batch_tokens=batch)
    model = LoadedModel(check_file(path), options, AbortSwitch())

    assert model._library.llama_n_ubatch(model._context) == at_once

    model.free()
