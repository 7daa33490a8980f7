"""A smaller copy of a model: the right size, sound, under its name at once or not at all."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import gguf
import pytest

from engines.compression import (
    FORMATS,
    CompressionProgress,
    CompressionStage,
    can_be_cancelled,
    compress,
    predict_sizes,
)
from engines.compression import compressing as compressing_module
from engines.compression import prediction as prediction_module
from engines.compression.jobs import JobFailed, Measured, Quantise, Quantised
from engines.errors import (
    CompressionFailed,
    CompressionPointless,
    CompressionUnknown,
    EngineUnavailable,
    ModelFileMissing,
    NotAChatModel,
    NotEnoughDiskSpace,
)
from engines.gguf import read_header
from engines.library import ModelLibrary
from engines.protocol import Engine
from engines.tensor_types import FILE_TYPES
from tests.engines.asking import ask

HOSTS = [pytest.param("process", marks=pytest.mark.desktop("child processes")), "thread"]


def files(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()] if folder.exists() else []


def size(path: Path) -> int:
    return path.stat().st_size


def contents(path: Path) -> bytes:
    return path.read_bytes()


def overwrite(path: bytes, content: bytes) -> None:
    Path(os.fsdecode(path)).write_bytes(content)


def make_adapter(path: Path) -> Path:
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type("adapter")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.mark.parametrize("host", HOSTS)
async def test_the_copy_is_smaller_answers_the_same_and_is_installed(
    original: Path, folder: Path, host: Any, opened: Callable[..., Awaitable[Engine]]
) -> None:
    copy = await compress(original, "q8_0", folder, host=host)
    assert copy == folder / "Tiny- one-two Q8_0.gguf"
    assert size(copy) < size(original)
    assert files(folder) == [copy.name]
    assert read_header(copy).quantisation == "Q8_0"
    engine = await opened(copy, host="thread")
    assert (await ask(engine)).text == "Hello from a tiny model!"
    assert [model.path for model in ModelLibrary(folder).installed() if model.path.parent == folder] == [copy]


async def test_a_second_copy_does_not_replace_the_first(original: Path, folder: Path) -> None:
    first = await compress(original, "Q8_0", folder, host="thread")
    second = await compress(original, "Q8_0", folder, host="thread")
    assert (first.name, second.name) == ("Tiny- one-two Q8_0.gguf", "Tiny- one-two Q8_0 (2).gguf")


async def test_progress_tells_the_size_first_and_goes_up_to_the_end(original: Path, folder: Path) -> None:
    seen: list[CompressionProgress] = []
    copy = await compress(original, "Q4_0", folder, progress=seen.append, host="thread")
    await asyncio.sleep(0)
    assert {step.predicted_bytes for step in seen} == {seen[0].predicted_bytes}
    assert seen[0].predicted_bytes == pytest.approx(size(copy), rel=0.05)
    for stage in CompressionStage:
        shares = [step.share for step in seen if step.stage is stage]
        assert shares == sorted(shares)
        assert shares[-1] == 1.0


async def test_sizes_are_predicted_for_a_real_model(smollm2: Path, folder: Path) -> None:
    sizes = {size.format.name: size for size in await predict_sizes(smollm2, host="thread")}
    copy = await compress(smollm2, "Q4_0", folder, host="thread")
    assert sizes["Q4_0"].bytes == pytest.approx(size(copy), rel=0.001)
    assert sizes["Q4_0"].worthwhile
    assert not sizes["Q8_0"].worthwhile
    assert not any(size.from_original for size in sizes.values())


def test_formats_have_the_names_that_files_have() -> None:
    assert [(wanted.file_type, wanted.name) for wanted in FORMATS] == [
        (wanted.file_type, FILE_TYPES[wanted.file_type]) for wanted in FORMATS
    ]


@pytest.mark.parametrize(
    ("target", "error"),
    [
        ("Q8_1", CompressionUnknown),
        ("IQ2_XXS", CompressionUnknown),
        ("", CompressionUnknown),
        ("F16", CompressionPointless),
    ],
)
async def test_what_cannot_work_is_refused_before_anything_is_written(
    original: Path, folder: Path, target: str, error: type[Exception]
) -> None:
    with pytest.raises(error) as refused:
        await compress(original, target, folder, host="thread")
    assert vars(refused.value)["target"] == target
    assert files(folder) == []


async def test_a_compressed_model_is_not_blown_up_again(original: Path, folder: Path) -> None:
    small = await compress(original, "Q4_0", folder, host="thread")
    with pytest.raises(CompressionPointless):
        await compress(small, "Q8_0", folder, host="thread")


async def test_other_files_are_refused(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(ModelFileMissing):
        await compress(tmp_path / "gone.gguf", "Q4_0", folder)
    with pytest.raises(NotAChatModel):
        await compress(make_adapter(tmp_path / "adapter.gguf"), "Q4_0", folder)


async def test_a_full_disk_is_told_before_the_work(
    original: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compressing_module, "free_bytes", lambda _: 1000)
    with pytest.raises(NotEnoughDiskSpace) as full:
        await compress(original, "Q4_0", folder, host="thread")
    assert full.value.available_bytes == 1000
    assert files(folder) == []


@pytest.mark.desktop("child processes")
async def test_cancelling_ends_the_process_and_leaves_nothing(smollm2: Path, folder: Path) -> None:
    assert can_be_cancelled("process")
    begun = asyncio.Event()
    task = asyncio.create_task(
        compress(smollm2, "Q2_K", folder, progress=lambda _: begun.set(), host="process")
    )
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert files(folder) == []


async def test_a_thread_cannot_be_ended_and_leaves_nothing_either(original: Path, folder: Path) -> None:
    assert not can_be_cancelled("thread")
    begun = asyncio.Event()
    task = asyncio.create_task(
        compress(original, "Q4_0", folder, progress=lambda _: begun.set(), host="thread")
    )
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert files(folder) == []


@pytest.mark.parametrize(
    "fault",
    ["gives up", "is cut off", "is the original", "cannot be loaded", "makes no sense"],
)
async def test_a_copy_that_is_not_sound_is_thrown_away(
    original: Path, folder: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, content = compressing_module.run, contents(original)

    async def faulty(job: Any, *rest: Any) -> Any:
        if not isinstance(job, Quantise):
            if fault == "cannot be loaded":
                return JobFailed("NotEnoughMemory", "")
            return Measured((10,), (float("nan"),)) if fault == "makes no sense" else await run(job, *rest)
        if fault == "gives up":
            overwrite(job.target, b"half")
            return JobFailed("", "")
        result = await run(job, *rest)
        if fault == "is cut off":
            overwrite(job.target, content[:-1000])
        elif fault == "is the original":
            overwrite(job.target, content)
        assert isinstance(result, Quantised)
        return result

    monkeypatch.setattr(compressing_module, "run", faulty)
    with pytest.raises(CompressionFailed):
        await compress(original, "Q4_0", folder, host="thread")
    assert files(folder) == []


async def test_without_the_library_that_is_said(
    original: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def missing(*_: Any) -> JobFailed:
        return JobFailed("EngineUnavailable", "No module named 'llama_cpp'")

    monkeypatch.setattr(prediction_module, "run", missing)
    with pytest.raises(EngineUnavailable) as told:
        await compress(original, "Q4_0", folder)
    assert told.value.package == "llama-cpp-python"
    assert files(folder) == []
