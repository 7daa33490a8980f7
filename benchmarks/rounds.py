"""What all measurements here have in common: sides that take turns, and a short table."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence


def alternate(sides: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Let all sides measure once per round; who begins changes, so that a busy moment hits all alike."""
    names = list(sides)
    figures: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        for name in names if number % 2 == 0 else reversed(names):
            figures[name].append(sides[name]())
    return figures


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the rounds' ratios."""
    return statistics.median(own / other for own, other in zip(ours, theirs, strict=True))


def print_row(*cells: object) -> None:
    """One row of a Markdown table."""
    print("|", " | ".join(str(cell) for cell in cells), "|", flush=True)


def print_head(*names: str) -> None:
    """The head of a Markdown table."""
    print()
    print_row(*names)
    print_row(*["---"] * len(names))


def spread(values: Iterable[float], digits: int = 1) -> str:
    """Median, and from least to most."""
    ordered = sorted(values)
    middle, least, most = (
        f"{value:.{digits}f}" for value in (statistics.median(ordered), ordered[0], ordered[-1])
    )
    return f"{middle} ({least}-{most})" if len(ordered) > 1 else middle


def print_load(moment: str) -> None:
    """How busy the machine is: figures of a busy one are worth little."""
    load = " ".join(f"{value:.2f}" for value in os.getloadavg()) if hasattr(os, "getloadavg") else "unknown"
    print(f"\nLoad {moment}: {load} on {os.cpu_count()} cores", flush=True)
