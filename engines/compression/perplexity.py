"""The perplexity of a model on the texts that are shipped for it."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from engines.compression.jobs import JobFailed, Measure, Measured, Progress
from engines.compression.worker import run
from engines.errors import EngineCrashed, EngineError
from engines.llama_cpp import failures, native
from engines.llama_cpp.messages import OPENING, Failed
from engines.opening import Host

WINDOW_TOKENS = 2048
"""What a model sees at once, or less where it was trained on less."""


@dataclass(frozen=True, slots=True)
class Perplexity:
    """How well a model foresees a text: 1 is perfect, and only models with one vocabulary can be compared."""

    language: str
    value: float
    tokens: int
    """How many tokens it was measured on; the error is about `value / sqrt(tokens)`."""


def shipped_texts() -> dict[str, str]:
    """The texts by language, "en" and "fa"; `texts/README.md` tells where they come from."""
    folder = files("engines.compression") / "texts"
    return {language: (folder / f"{language}.txt").read_text(encoding="utf-8") for language in ("en", "fa")}


async def measure_perplexity(
    model: Path,
    texts: Mapping[str, str] | None = None,
    *,
    progress: Progress = lambda _: None,
    host: Host = "auto",
) -> list[Perplexity]:
    """Let a model foresee texts, given by language; the shipped ones if none are given.

    Cancelling the task ends the work, where `can_be_cancelled`.

    Raises:
        ModelFileError, NotEnoughMemory: the model cannot be loaded.
        EngineCrashed: llama.cpp failed on it.
    """
    texts = shipped_texts() if texts is None else texts
    result = await run(Measure(os.fsencode(model), tuple(texts.values()), WINDOW_TOKENS), progress, host)
    if not isinstance(result, Measured):
        raise failure(result, model)
    return [
        Perplexity(language, math.exp(min(surprise, 700.0)), tokens)
        for language, tokens, surprise in zip(texts, result.tokens, result.surprise, strict=True)
    ]


def failure(result: object, model: Path) -> EngineError:
    """The error that a failed job tells of."""
    if not isinstance(result, JobFailed):
        return EngineCrashed(type(result).__name__)
    if not result.error:
        return failures.while_opening(EngineCrashed(result.details), model)
    attributes: dict[str, dict[str, int | str]] = {
        "NotEnoughMemory": {"needed_bytes": 0, "available_bytes": 0},
        "EngineUnavailable": {"package": native.PACKAGE},
    }
    values = attributes.get(result.error, {})
    return failures.restore(Failed(OPENING, result.error, result.details, values), model)
