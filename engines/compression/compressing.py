"""Makes a smaller copy of a model: predicted, written, checked, and only then given its name."""

from __future__ import annotations

import asyncio
import errno
import math
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from engines.compression.formats import CompressionFormat, format_named
from engines.compression.jobs import Measure, Measured, Quantise, Quantised
from engines.compression.prediction import predict_from
from engines.compression.worker import run
from engines.errors import (
    CompressionFailed,
    CompressionPointless,
    CompressionUnknown,
    ModelFileError,
    NotEnoughDiskSpace,
)
from engines.gguf import GgufHeader, read_header
from engines.library.copying import RESERVE_BYTES, free_bytes, free_path
from engines.library.unfinished import publish, unfinished_file
from engines.llama_cpp import cores
from engines.llama_cpp.loading import check_file
from engines.opening import Host

_PROBE = "The sun rises in the east and sets in the west. Water is wet, fire is hot, and ice is cold."
_NOT_IN_NAMES = re.compile(r'[\\/:*?"<>|\x00-\x1f]')


class CompressionStage(StrEnum):
    """What is being done."""

    COMPRESSING = "compressing"
    CHECKING = "checking"
    """The copy is loaded once and has to make sense of a sentence."""


@dataclass(frozen=True, slots=True)
class CompressionProgress:
    """How far it is."""

    stage: CompressionStage
    share: float
    """Of this stage, from 0 to 1."""
    predicted_bytes: int


Listener = Callable[[CompressionProgress], None]


async def compress(
    source: Path,
    target: str,
    folder: Path,
    *,
    progress: Listener = lambda _: None,
    host: Host = "auto",
) -> Path:
    """Write a smaller copy of a model into `folder` and return its path: "NAME Q4_0.gguf".

    Cancelling the task ends the work and leaves nothing behind; where `can_be_cancelled` says no, the work
    goes on to its end before the cancellation counts, and leaves nothing behind either.

    Args:
        source: a language model; one that is compressed already loses more quality than an original.
        target: the name of a format, such as "Q4_0"; see `engines.compression.FORMATS`.
        folder: where the copy shall lie.
        progress: called in the event loop.
        host: "process", "thread", or what this device has.

    Raises:
        CompressionUnknown: there is no such format.
        CompressionPointless: the copy would be no smaller.
        CompressionFailed: llama.cpp gave up, or the copy did not pass its checks.
        NotEnoughDiskSpace: there is no room for the copy.
        EngineUnavailable: llama-cpp-python is not installed.
        ModelFileError: the source cannot be used; see `engines.gguf.read_header`.
    """
    header = await asyncio.to_thread(check_file, source)
    wanted = format_named(target)
    if wanted is None:
        raise CompressionUnknown(header.name, target)
    [prediction] = await predict_from(header, [wanted], host)
    if prediction.bytes is None:
        raise CompressionFailed(header.name, wanted.name)
    if not prediction.worthwhile:
        raise CompressionPointless(header.name, wanted.name)
    expected = prediction.bytes
    await asyncio.to_thread(_prepare, folder, expected)

    def tell(stage: CompressionStage) -> Callable[[float], None]:
        return lambda share: progress(CompressionProgress(stage, share, expected))

    with unfinished_file(folder) as (unfinished, file):
        job = Quantise(os.fsencode(source), os.fsencode(unfinished), wanted.file_type, cores.physical_cores())
        result = await run(job, tell(CompressionStage.COMPRESSING), host)
        if not isinstance(result, Quantised):
            raise CompressionFailed(header.name, wanted.name, getattr(result, "details", ""))
        await _check(header, unfinished, wanted, tell(CompressionStage.CHECKING), host)
        name = _NOT_IN_NAMES.sub("-", f"{header.name} {wanted.name}")
        try:
            return await asyncio.to_thread(publish, unfinished, file, free_path(folder, name))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise NotEnoughDiskSpace(expected, free_bytes(folder)) from error


async def _check(
    source: GgufHeader, copy: Path, format: CompressionFormat, progress: Callable[[float], None], host: Host
) -> None:
    """Compare the copy's header with the source's, load it, and let it read a sentence.

    Raises:
        CompressionFailed: something is wrong.
    """
    try:
        header = await asyncio.to_thread(read_header, copy)
    except ModelFileError as error:
        raise CompressionFailed(source.name, format.name, f"{type(error).__name__}: {error}") from error
    for fact in ("architecture", "tensor_count", "parameters", "vocabulary", "chat_template"):
        if getattr(header, fact) != getattr(source, fact):
            raise CompressionFailed(source.name, format.name, f"another {fact}")
    if header.quantisation != format.name:
        raise CompressionFailed(source.name, format.name, f"became {header.quantisation}")
    result = await run(Measure(os.fsencode(copy), (_PROBE,), 64), progress, host)
    if not isinstance(result, Measured):
        raise CompressionFailed(source.name, format.name, getattr(result, "details", ""))
    if not math.isfinite(result.surprise[0]):
        raise CompressionFailed(source.name, format.name, "no probabilities")


def _prepare(folder: Path, needed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    free = free_bytes(folder)
    if needed + RESERVE_BYTES > free:
        raise NotEnoughDiskSpace(needed, free)
