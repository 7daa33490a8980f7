"""GGUF files whose headers lie: an error with a name, soon, and without taking the memory they speak of."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from pathlib import Path

import pytest

from engines.errors import AdapterUnusable, EngineError, ModelFileError
from engines.gguf import read_header
from engines.library import ModelLibrary, model_library
from engines.lora import check_fit, read_adapter
from engines.memory import MemoryFit, estimate_memory, memory_fit
from engines.opening import open_engine
from engines.protocol import LoadOptions
from tests.engines.asking import ask, question
from tests.engines.gguf_forger import Forgery, forgeries
from tests.engines.tiny_gguf import make_tiny_gguf

MOST_SECONDS = 1.0
MOST_BYTES = 24 << 20
"""The files have some kilobytes; what is kept of a real header has a bound of 16 MB."""


def look_at(path: Path, content: bytes) -> str:
    """Do what the app does with a file before it is loaded; returns the error's name, or ""."""
    path.write_bytes(content)
    try:
        header = read_header(path)
    except ModelFileError as error:
        return type(error).__name__
    need = estimate_memory(header, LoadOptions(context_tokens=1 << 20, flash_attention=False))
    assert need.total >= 0
    assert memory_fit(need, 1 << 30) in MemoryFit
    header.name.encode()
    header.architecture.encode()
    return ""


def look_at_all(folder: Path, seed: int, count: int) -> list[str]:
    path, results = folder / "forged.gguf", []
    for content in forgeries(seed, count):
        began = time.process_time()
        results.append(look_at(path, content))
        assert time.process_time() - began < MOST_SECONDS, content[:200]
    return results


def test_a_forgery_is_an_error_with_a_name_or_does_no_harm(tmp_path: Path) -> None:
    assert look_at(tmp_path / "sound.gguf", Forgery().content()) == ""

    results = look_at_all(tmp_path, seed=1, count=500)

    assert {"", "NotAModel", "ModelFileDamaged", "UnsupportedModel"} <= set(results)
    assert len(results) > 700


def test_a_forgery_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "forged.gguf"
    tracemalloc.start()
    try:
        for content in forgeries(2, 50):
            tracemalloc.reset_peak()
            look_at(path, content)
            assert tracemalloc.get_traced_memory()[1] < MOST_BYTES + 4 * len(content), content[:200]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_twenty_thousand_forgeries(tmp_path: Path) -> None:
    look_at_all(tmp_path, seed=3, count=20_000)


def test_forgeries_hide_no_sound_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_library, "find_starter", lambda: None)
    folder = tmp_path / "models"
    folder.mkdir()
    for number, content in enumerate(forgeries(4, 100)):
        (folder / f"forged {number}.gguf").write_bytes(content)
    make_tiny_gguf(folder / "sound.gguf", name="Sound")
    library = ModelLibrary(folder)

    names = [model.name for model in library.installed()]
    broken = library.broken()

    assert "Sound" in names
    assert len(broken) > 100
    for model in library.installed():
        library.header(model)
        assert model.name
        assert model.name.isprintable()


def use_as_adapter(path: Path, model: Path) -> None:
    read_adapter(path, "llama")
    check_fit(path, model)


def test_a_forged_adapter_is_unusable_by_name(tmp_path: Path) -> None:
    model = make_tiny_gguf(tmp_path / "model.gguf", "llama")
    path = tmp_path / "adapter.gguf"
    for content in forgeries(5, 200):
        path.write_bytes(content.replace(b"general.name", b"general.type").replace(b"Forged", b"adapter"))
        with pytest.raises(AdapterUnusable):
            use_as_adapter(path, model)


async def open_all(folder: Path, contents: list[bytes], host: str) -> set[str]:
    path, results = folder / "forged.gguf", set()
    for content in contents:
        path.write_bytes(content)
        try:
            async with asyncio.timeout(60):
                engine = await open_engine(path, LoadOptions(context_tokens=256), host=host)
                try:
                    await ask(engine, question(max_tokens=4))
                finally:
                    await engine.close()
        except EngineError as error:
            results.add(type(error).__name__)
        else:
            results.add("")
    return results


@pytest.mark.parametrize(
    "host", [pytest.param("process", marks=pytest.mark.desktop("a child process")), "thread"]
)
async def test_a_forgery_that_passes_for_a_model_is_not_loaded(tmp_path: Path, host: str) -> None:
    """No forgery has the tensors of a llama; whatever its header says, it ends with a name."""
    passing = [content for content in forgeries(6, 300) if not look_at(tmp_path / "forged.gguf", content)]
    assert len(passing) > 20

    results = await open_all(tmp_path, passing[:: max(1, len(passing) // 6)], host)

    assert "" not in results


@pytest.mark.slow
@pytest.mark.desktop("a child process")
async def test_all_forgeries_that_pass_for_models_in_a_process(tmp_path: Path) -> None:
    passing = [content for content in forgeries(7, 400) if not look_at(tmp_path / "forged.gguf", content)]

    results = await open_all(tmp_path, passing[::5], "process")

    assert "" not in results
