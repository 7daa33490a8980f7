"""Which graphics cards an engine can use, told by its own library."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engines.errors import EngineCrashed, EngineUnavailable
from engines.graphics import GraphicsCard, cards_of
from engines.llama_cpp import graphics, native
from engines.opening import graphics_cards


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    cards_of.cache_clear()
    yield
    cards_of.cache_clear()


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module of this name that a test writes; a child imports it from the same place."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return "cards_of_a_test"


def write(folder: Path, code: str) -> None:
    (folder / "cards_of_a_test.py").write_text(code, encoding="utf-8")


def test_the_library_lists_what_it_computes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    if native.load_library().llama_supports_gpu_offload():
        pytest.skip("this library was built for a graphics card")
    assert graphics.find_cards() == ()
    cpu = 0
    monkeypatch.setattr(graphics, "GRAPHICS_TYPES", {cpu})
    monkeypatch.setattr(native.load_library(), "llama_supports_gpu_offload", lambda: True)

    [processor] = graphics.find_cards()

    assert processor.backend == "CPU"
    assert processor.name
    assert processor.memory_bytes > 0


@pytest.mark.desktop("child processes")
@pytest.mark.parametrize("engine", ["llama.cpp", "xllamacpp"])
def test_a_child_process_says_the_same_as_the_library(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAI_ENGINE", engine)
    monkeypatch.setenv("DAI_ENGINE_HOST", "process")

    found = graphics_cards()

    assert all(isinstance(card, GraphicsCard) for card in found)
    assert graphics_cards() is found, "it is asked once"
    if engine == "llama.cpp":
        assert bool(found) == native.load_library().llama_supports_gpu_offload()


@pytest.mark.desktop("child processes")
def test_what_a_child_prints_besides_does_not_disturb(tmp_path: Path, program: str) -> None:
    write(
        tmp_path,
        "from engines.graphics import GraphicsCard\n"
        "from engines.llama_cpp.graphics import print_cards\n"
        "def find():\n"
        "    print('ggml_cuda_init: found 1 CUDA devices')\n"
        "    return (GraphicsCard('CUDA', 'A card', 8 << 30),)\n"
        "print_cards(find)\n",
    )

    assert cards_of(program, isolated=True) == (GraphicsCard("CUDA", "A card", 8 << 30),)


@pytest.mark.desktop("child processes")
@pytest.mark.parametrize("code", ["import os; os.abort()", "print('no answer')", ""])
def test_a_driver_that_ends_the_child_is_an_error_of_the_engine(
    tmp_path: Path, program: str, code: str
) -> None:
    write(tmp_path, code)

    with pytest.raises(EngineCrashed):
        cards_of(program, isolated=True)


@pytest.mark.desktop("child processes")
def test_a_child_without_the_library_says_so(tmp_path: Path, program: str) -> None:
    write(
        tmp_path,
        "from engines.errors import EngineUnavailable\n"
        "from engines.llama_cpp.graphics import print_cards\n"
        "def find():\n"
        "    raise EngineUnavailable('a-package', 'not installed')\n"
        "print_cards(find)\n",
    )

    with pytest.raises(EngineUnavailable, match="not installed"):
        cards_of(program, isolated=True)


def test_an_engine_of_another_package_tells_nothing_of_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAI_ENGINE", "recitation")

    assert graphics_cards() == ()


def test_where_a_model_runs_in_a_thread_no_child_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAI_ENGINE", raising=False)
    monkeypatch.setenv("DAI_ENGINE_HOST", "thread")
    monkeypatch.setattr(sys, "executable", "/there/is/no/python")

    assert isinstance(graphics_cards(), tuple)
