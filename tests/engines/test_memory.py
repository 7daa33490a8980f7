from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from engines import memory
from engines.gguf import FileKind, GgufHeader
from engines.memory import MemoryFit, MemoryNeed, available_memory, estimate_memory, memory_fit
from engines.protocol import LoadOptions

MIB = 1 << 20

SMOLLM2 = GgufHeader(
    path=Path("SmolLM2-135M-Instruct.Q4_1.gguf"),
    file_bytes=98_362_432,
    version=3,
    kind=FileKind.LANGUAGE_MODEL,
    architecture="llama",
    name="SmolLM2",
    declared_name="Smollm2 135M 8k Lc100K Mix1 Ep2",
    quantisation="Q4_1",
    parameters=134_515_008,
    tensor_count=272,
    tensor_bytes=96_576_768,
    trained_context=8192,
    vocabulary=49_152,
    tokenizer="gpt2",
    chat_template="…",
    embedding_length=576,
    block_count=30,
    head_count=9,
    kv_heads=(3,) * 30,
    key_length=64,
    value_length=64,
    sliding_window=0,
    pooling=0,
    file_parts=1,
    data_start=1_785_728,
)
GEMMA3 = replace(
    SMOLLM2,
    path=Path("gemma-3-270m-q4_k_m.gguf"),
    file_bytes=253_113_024,
    architecture="gemma3",
    quantisation="Q4_K_M",
    tensor_bytes=246_587_904,
    trained_context=32_768,
    vocabulary=262_144,
    embedding_length=640,
    block_count=18,
    head_count=4,
    kv_heads=(1,) * 18,
    key_length=256,
    value_length=256,
    sliding_window=512,
)


# Resident memory of a process that loaded the model with llama-cpp-python 0.3.36 on x86-64 and read a prompt
# of 1000 tokens; MiB.
@pytest.mark.parametrize(
    ("header", "context", "flash_attention", "measured"),
    [
        (SMOLLM2, 512, False, 184),
        (SMOLLM2, 2048, False, 238),
        (SMOLLM2, 8192, False, 373),
        (SMOLLM2, 8192, True, 353),
        (GEMMA3, 512, False, 370),
        (GEMMA3, 2048, False, 407),
        (GEMMA3, 8192, False, 528),
        (GEMMA3, 8192, True, 514),
    ],
)
def test_the_estimate_is_within_15_percent_of_what_was_measured(
    header: GgufHeader, context: int, flash_attention: bool, measured: int
) -> None:
    options = LoadOptions(context_tokens=context, flash_attention=flash_attention)
    need = estimate_memory(header, options, used_tokens=1000)
    assert need.total / MIB == pytest.approx(measured, rel=0.15)


def test_the_cache_grows_with_the_context_and_nothing_else_does() -> None:
    small = estimate_memory(SMOLLM2, LoadOptions(context_tokens=1024, flash_attention=True))
    large = estimate_memory(SMOLLM2, LoadOptions(context_tokens=4096, flash_attention=True))
    assert small.kv_cache == 22.5 * MIB
    assert large == replace(small, kv_cache=4 * small.kv_cache)


def test_a_layer_without_attention_keeps_nothing() -> None:
    hybrid = replace(SMOLLM2, kv_heads=(3, 0) * 15)
    assert 2 * estimate_memory(hybrid).kv_cache == estimate_memory(SMOLLM2).kv_cache


@pytest.mark.parametrize(
    ("available", "fit"),
    [
        (2000, MemoryFit.FITS),
        (1177, MemoryFit.FITS),
        (1176, MemoryFit.TIGHT),
        (1000, MemoryFit.TIGHT),
        (999, MemoryFit.TOO_LARGE),
    ],
)
def test_a_model_fits_is_tight_or_is_too_large(available: int, fit: MemoryFit) -> None:
    assert memory_fit(MemoryNeed(weights=600, kv_cache=300, compute=100), available) is fit


def test_free_memory_is_found_without_psutil(monkeypatch: pytest.MonkeyPatch) -> None:
    with_psutil = available_memory()
    monkeypatch.setitem(sys.modules, "psutil", None)
    assert available_memory() == pytest.approx(with_psutil, rel=0.5)
    assert available_memory() > 16 * MIB


def test_free_memory_is_guessed_where_the_system_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    for source in ("_free_by_psutil", "_free_by_meminfo", "_free_by_sysconf", "_left_in_control_group"):
        monkeypatch.setattr(memory, source, lambda: None)
    assert available_memory() == 2 << 30


def test_meminfo_is_read_in_kibibytes(tmp_path: Path) -> None:
    file = tmp_path / "meminfo"
    file.write_text("MemTotal: 900 kB\nMemAvailable:     512 kB\n")
    assert memory._free_by_meminfo(file) == 512 * 1024


def test_the_limit_of_a_container_counts_and_cached_files_do_not(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("700\n")
    (tmp_path / "memory.stat").write_text("anon 400\ninactive_file 200\n")
    assert memory._left_in_control_group(tmp_path) == 500
    (tmp_path / "memory.max").write_text("max\n")
    assert memory._left_in_control_group(tmp_path) is None
