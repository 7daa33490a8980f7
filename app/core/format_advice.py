"""Which of a model's possible formats suits this device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from engines.compression import PredictedSize
from engines.library import InstalledModel
from engines.memory import MemoryFit, MemoryNeed, memory_fit

_SMALL_MODEL = 1_000_000_000
"""Models with fewer parameters have little to spare: they lose much by few bits, and gain little."""
_FOR_SMALL_MODELS = ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q4_0")
_FOR_LARGE_MODELS = ("Q4_K_M", "Q4_0")
"""Above four bits a large model hardly gets better, but slower with every bit."""
_LAST_RESORT = ("Q3_K_M",)
"""Where even this does not fit, a smaller model is the better choice."""


class Quality(StrEnum):
    """What a format leaves of a model, as a rule; measuring tells it for the very model."""

    SAME = "same"
    CLOSE = "close"
    GOOD = "good"
    FAIR = "fair"
    WEAK = "weak"
    POOR = "poor"


QUALITIES = {
    "F16": Quality.SAME,
    "Q8_0": Quality.SAME,
    "Q6_K": Quality.CLOSE,
    "Q5_K_M": Quality.CLOSE,
    "Q4_K_M": Quality.GOOD,
    "Q4_0": Quality.FAIR,
    "Q3_K_M": Quality.WEAK,
    "Q2_K": Quality.POOR,
}
"""By the formats of `engines.compression.FORMATS`; each has one."""


@dataclass(frozen=True, slots=True)
class FormatAdvice:
    """One format for one model on this device."""

    format: str
    bytes: int
    needed_bytes: int
    """Memory, with the present settings."""
    fit: MemoryFit
    quality: Quality
    recommended: bool = False


def advise(
    model: InstalledModel, sizes: Sequence[PredictedSize], need: MemoryNeed, available: int
) -> list[FormatAdvice]:
    """The formats that would make a model smaller, with at most one recommendation.

    A model that is compressed already and fits is best left as it is, so then there is none.

    Args:
        model: the model as it is.
        sizes: what the formats would make of it.
        need: memory that it takes as it is.
        available: bytes of memory that are free for it.
    """
    found = []
    for size in sizes:
        if size.bytes is None or not size.worthwhile:
            continue
        smaller = replace(need, weights=max(0, need.weights - (size.source_bytes - size.bytes)))
        fit = memory_fit(smaller, available)
        found.append(
            FormatAdvice(size.format.name, size.bytes, smaller.total, fit, QUALITIES[size.format.name])
        )
    original = any(size.from_original for size in sizes)
    if not original and memory_fit(need, available) is MemoryFit.FITS:
        return found
    good = _FOR_SMALL_MODELS if model.parameters < _SMALL_MODEL else _FOR_LARGE_MODELS
    by_name = {advice.format: advice for advice in found}
    for names, fit in (
        (good, MemoryFit.FITS),
        (good, MemoryFit.TIGHT),
        (_LAST_RESORT, MemoryFit.FITS),
        (_LAST_RESORT, MemoryFit.TIGHT),
    ):
        for name in names:
            if name in by_name and by_name[name].fit is fit:
                return [replace(advice, recommended=advice.format == name) for advice in found]
    return found
