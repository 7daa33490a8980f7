"""How long things take at a router, as histograms: bounded in size, and of no question in particular."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0)
"""Seconds; from a router on the same table to a long answer of a slow phone."""


class Histogram:
    """Counts durations by the smallest bound that is not below them."""

    def __init__(self, bounds: tuple[float, ...] = BOUNDS) -> None:
        self.bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.sum = 0.0
        """Of all durations, in seconds."""

    @property
    def count(self) -> int:
        """How many durations there were."""
        return sum(self._counts)

    def observe(self, seconds: float) -> None:
        """Count one."""
        self._counts[bisect_left(self.bounds, seconds)] += 1
        self.sum += seconds

    def cumulative(self) -> list[tuple[float, int]]:
        """For each bound, how many durations were no longer; infinity is the last."""
        total, rows = 0, []
        for bound, count in zip((*self.bounds, float("inf")), self._counts, strict=True):
            total += count
            rows.append((bound, total))
        return rows

    def quantile(self, share: float) -> float | None:
        """The duration that this share does not exceed, in seconds, estimated; None before the first.

        As Prometheus does it: spread evenly between two bounds, and what is longer than the highest bound
        counts as that. Source: Prometheus, "Query functions", histogram_quantile.
        """
        rank, lower, below = share * self.count, 0.0, 0
        if not self.count:
            return None
        for bound, total in self.cumulative():
            if total >= rank and total > below:
                if bound == float("inf"):
                    break
                return lower + (bound - lower) * (rank - below) / (total - below)
            lower, below = bound, total
        return self.bounds[-1]


@dataclass(frozen=True, slots=True)
class Timings:
    """What is measured. Answers that were taken up again after a broken connection are left out."""

    queue_wait: Histogram = field(default_factory=Histogram)
    """From when a worker could have been given a part in a question to when it was."""
    first_part: Histogram = field(default_factory=Histogram)
    """From when a question was handed to a worker to the first part of its answer."""
    answer: Histogram = field(default_factory=Histogram)
    """From when a question was handed to a worker to the end of its answer."""
