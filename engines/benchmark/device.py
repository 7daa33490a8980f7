"""What machine this is."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from pathlib import Path

from engines.benchmark.result import Device
from engines.llama_cpp.cores import physical_cores

_PROCESSORS = Path("/proc/cpuinfo")


def describe_device(load_before: float | None) -> Device:
    """The machine, and how busy it was before the benchmark and is now."""
    return Device(
        system=f"{platform.system()} {platform.release()}".strip(),
        machine=platform.machine(),
        processor=_processor(),
        cores=physical_cores(),
        memory_bytes=_memory(),
        load_before=load_before,
        load_after=system_load(),
    )


def system_load() -> float | None:
    """Programs that wanted to run in the last minute, on average; None on Windows."""
    try:
        return round(os.getloadavg()[0], 2)
    except (AttributeError, OSError):
        return None


def _processor(file: Path = _PROCESSORS) -> str:
    with suppress(OSError):
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip().lower() in ("model name", "hardware"):
                return value.strip()
    return platform.processor()


def _memory() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        with suppress(ImportError):
            import psutil

            return int(psutil.virtual_memory().total)
    return 0
