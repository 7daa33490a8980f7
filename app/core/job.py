"""One long piece of work, as a screen shows it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from engines.benchmark import BenchmarkPlan, BenchmarkProgress, BenchmarkStage
from engines.library import InstalledModel


class JobKind(StrEnum):
    """What is being done."""

    SPEED = "speed"
    COMPRESSION = "compression"
    TRADE_OFFS = "trade_offs"


class Disturbance(StrEnum):
    """What a measurement would put an end to."""

    ANSWER = "answer"
    """An answer is being written."""
    LOADED = "loaded"
    """A model is in memory."""


@dataclass(frozen=True, slots=True)
class Job:
    """How far it is."""

    kind: JobKind
    model: InstalledModel
    target: str = ""
    """The format that is being made or measured."""
    stage: str = ""
    """The value of a stage of its kind; empty before the first."""
    share: float = 0.0
    """Of everything, from 0 to 1."""
    tokens_per_second: float | None = None
    seconds_left: float | None = None
    cancelled: bool = False
    """It ends soon; where work cannot be ended, when it is done."""


@dataclass(frozen=True, slots=True)
class JobEnd:
    """What became of the last one that was not cancelled."""

    kind: JobKind
    model: InstalledModel
    made: InstalledModel | None = None
    """By a compression."""
    error: Exception | None = None


_SHORT_SECONDS = 60.0
"""About what a test without a long series takes, beside which the series counts."""
_SPEED_SHARES = {
    BenchmarkStage.LOADING: (0.0, 0.05),
    BenchmarkStage.PROMPT: (0.05, 0.45),
    BenchmarkStage.GENERATION: (0.45, 1.0),
}


def times_as_long(plan: BenchmarkPlan) -> float:
    """How many times as long as a test without a series a test takes, roughly."""
    return (_SHORT_SECONDS + plan.minutes * 60) / _SHORT_SECONDS


def speed_share(now: BenchmarkProgress, plan: BenchmarkPlan) -> float:
    """How much of a whole speed test is done, roughly, from 0 to 1."""
    short = 1 / times_as_long(plan)
    if now.stage is BenchmarkStage.SUSTAINED:
        return short + (1 - short) * now.share
    begin, end = _SPEED_SHARES[now.stage]
    return short * (begin + (end - begin) * now.share)
