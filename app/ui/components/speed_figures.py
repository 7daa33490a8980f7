"""The figures of a speed test, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.core.strings import Strings
from app.ui.components.charts import LinePoint
from engines.benchmark import BenchmarkResult


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. Those with the same key can be compared."""

    key: str
    label: str
    value: float
    text: str


def figures(strings: Strings, result: BenchmarkResult) -> list[Figure]:
    """What was measured; what was not is missing."""
    found = []
    for name, speed in (("prompt", result.prompt), ("generation", result.generation)):
        text = rate(strings, speed.median)
        if len(speed.rates) > 1:
            text = f"{text} ± {strings.number(speed.deviation, 1)}"
        label = strings(f"speed.{name}", test=f"{'pp' if name == 'prompt' else 'tg'}{speed.tokens}")
        found.append(Figure(f"{name}-{speed.tokens}", label, speed.median, text))
    for key, seconds in (("first_token", result.first_token_seconds), ("load", result.load_seconds)):
        text = strings("bench.seconds", number=strings.number(seconds, 2))
        found.append(Figure(key, strings(f"bench.{key}"), seconds, text))
    if result.peak_memory_bytes is not None:
        memory = result.peak_memory_bytes
        found.append(Figure("memory", strings("bench.memory"), memory, strings.size(memory)))
    if result.sustained_share is not None:
        share = strings("job.percent", percent=round(100 * result.sustained_share))
        found.append(Figure("sustained", strings("bench.sustained"), result.sustained_share, share))
    if result.energy is not None:
        joules = result.energy.joules / result.energy.tokens
        text = strings("bench.joules", number=strings.number(joules, 2))
        found.append(Figure("energy", strings("bench.energy"), joules, text))
    return found


def rate(strings: Strings, tokens_per_second: float) -> str:
    """A speed."""
    return strings("bench.rate", number=strings.number(tokens_per_second, 1))


def name_of(strings: Strings, result: BenchmarkResult) -> str:
    """The model of a result with its format."""
    return strings.isolate(f"{result.model.name} {result.model.quantisation}")


def moment_of(strings: Strings, result: BenchmarkResult) -> str:
    """When a result was measured."""
    return strings.time(datetime.fromisoformat(result.measured_at))


def conditions(strings: Strings, result: BenchmarkResult) -> str:
    """When a result was measured, and with which settings."""
    settings = result.settings
    parts = [
        moment_of(strings, result),
        strings("speed.context", count=settings.context_tokens),
    ]
    if settings.threads:
        parts.append(strings("speed.threads", count=settings.threads))
    if result.device.load_before is not None and result.device.load_before > 1:
        parts.append(strings("speed.busy"))
    return " · ".join(parts)


def sustained_points(result: BenchmarkResult) -> tuple[LinePoint, ...]:
    """The long series, over minutes."""
    return tuple(LinePoint(sample.seconds / 60, sample.tokens_per_second) for sample in result.sustained)


def sustained_summary(strings: Strings, result: BenchmarkResult) -> str:
    """What the long series shows."""
    rates = [sample.tokens_per_second for sample in result.sustained]
    return strings("speed.sustained_summary", first=rate(strings, rates[0]), last=rate(strings, rates[-1]))
