"""How many threads llama.cpp gets."""

from __future__ import annotations

import os
from pathlib import Path

_TOPOLOGY = Path("/sys/devices/system/cpu")


def physical_cores(topology: Path = _TOPOLOGY) -> int:
    """Cores that this process may use; two threads of one core count once where Linux tells."""
    usable = _usable()
    cores = {_siblings(topology, number) for number in usable}
    return max(1, len(cores))


def generation_threads(cores: int) -> int:
    """All cores but one. llama.cpp's threads wait for each other some 200 times per token; if one of them has
    to share its core with another program, all wait, and generation gets 10 to 50 times slower."""
    return max(1, cores - 1)


def _usable() -> list[int]:
    try:
        return sorted(os.sched_getaffinity(0))
    except (AttributeError, OSError):  # macOS, iOS, Windows
        return list(range(os.cpu_count() or 1))


def _siblings(topology: Path, number: int) -> str:
    try:
        return (topology / f"cpu{number}" / "topology" / "thread_siblings_list").read_text().strip()
    except OSError:
        return str(number)
