"""Carries the errors of `engines.errors` from the runtime to the engine."""

from __future__ import annotations

import os
import traceback
from pathlib import Path
from typing import Any

from engines import errors
from engines.errors import (
    EngineCrashed,
    EngineError,
    ModelFileDamaged,
    ModelFileError,
    NotEnoughMemory,
    PromptTooLong,
)
from engines.llama_cpp.messages import Failed

_VALUES = ("option", "package", "prompt_tokens", "context_tokens", "needed_bytes", "available_bytes")


def describe(request_id: int, error: Exception) -> Failed:
    """An error as a message. Of an unforeseen one only the place is told: its text may hold a prompt."""
    if isinstance(error, EngineError):
        values = {name: getattr(error, name) for name in _VALUES if hasattr(error, name)}
        blamed = os.fsencode(error.path) if isinstance(error, ModelFileError) else b""
        return Failed(request_id, type(error).__name__, error.details, values, blamed)
    if isinstance(error, MemoryError):
        return Failed(request_id, EngineCrashed.__name__, "MemoryError")
    last = traceback.extract_tb(error.__traceback__)[-1:]
    place = "".join(f" at {Path(frame.filename).name}:{frame.lineno}" for frame in last)
    return Failed(request_id, EngineCrashed.__name__, f"{type(error).__name__}{place}")


def while_opening(crash: EngineCrashed, path: Path) -> EngineError:
    """llama.cpp ends the process where it runs out of memory, and where a file contradicts itself."""
    if "bad_alloc" in crash.details:
        return NotEnoughMemory(0, 0, crash.details)
    if "GGML_ASSERT" in crash.details:
        return ModelFileDamaged(path, crash.details)
    return crash


def restore(failed: Failed, path: Path) -> EngineError:
    """The error that a message tells of."""
    kind: Any = getattr(errors, failed.error, EngineCrashed)
    if issubclass(kind, ModelFileError):
        error: Any = kind(Path(os.fsdecode(failed.path)) if failed.path else path, failed.details)
    elif issubclass(kind, PromptTooLong):  # makes its details itself
        error = kind(int(failed.values["prompt_tokens"]), int(failed.values["context_tokens"]))
    else:
        error = kind(details=failed.details, **failed.values)
    if not isinstance(error, EngineError):
        raise TypeError(failed.error)
    return error
