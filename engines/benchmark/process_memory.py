"""How much memory the engine's process has taken at most."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_PROCESSES = Path("/proc")


def child_processes(processes: Path = _PROCESSES) -> frozenset[int]:
    """Numbers of the processes that this one has started and that still run."""
    try:
        import psutil

        return frozenset(child.pid for child in psutil.Process().children())
    except ImportError:
        return frozenset(_children_by_files(processes))


def peak_memory(children: Iterable[int], processes: Path = _PROCESSES) -> int | None:
    """Bytes that these processes, or this one if there are none, had in memory at most, each for itself.

    Files that are mapped into memory, such as a model, count as far as they were read. None where the
    system does not tell.
    """
    numbers = list(children) or [os.getpid()]
    peaks = [peak for number in numbers if (peak := _peak(number, processes)) is not None]
    return max(peaks) if peaks else None


def _children_by_files(processes: Path) -> Iterable[int]:
    own = str(os.getpid())
    if not processes.is_dir():
        return
    for folder in processes.iterdir():
        if folder.name.isdigit() and _status(folder).get("PPid") == own:
            yield int(folder.name)


def _peak(number: int, processes: Path) -> int | None:
    high_water = _status(processes / str(number)).get("VmHWM", "").split()
    if high_water and high_water[0].isdigit():
        return int(high_water[0]) * 1024
    with suppress(ImportError):
        import psutil

        with suppress(psutil.Error):
            memory = psutil.Process(number).memory_info()
            # The peak on Windows; what it is now on macOS, where it grows only.
            return int(getattr(memory, "peak_wset", memory.rss))
    if number == os.getpid() and sys.platform != "win32":
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform in ("darwin", "ios") else peak * 1024
    return None


def _status(folder: Path) -> dict[str, str]:
    try:
        lines = (folder / "status").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # it has just ended, or it is not ours to look at
        return {}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
