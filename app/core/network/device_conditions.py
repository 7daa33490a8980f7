"""What this device tells about its power, its connection and its temperature; `None` where it does not.

psutil knows most of it on desktops; without it, and on Android, Linux' own files are read. What a phone tells
its apps only through the user interface is reported from there (`DeviceConditions.report`).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_POWER = Path("/sys/class/power_supply")
_THERMAL = Path("/sys/class/thermal")
_KEPT_SECONDS = 20.0
"""Reading all of it may start a program: not more often than that."""
_PROGRAM_SECONDS = 3.0
_PHONES = ("android", "ios")
_PROCESSOR_SENSORS = (
    "coretemp",
    "k10temp",
    "zenpower",
    "cpu_thermal",
    "cpu-thermal",
    "soc_thermal",
    "acpitz",
)
"""Others measure disks and radios."""
_POSSIBLE_CELSIUS = range(1, 130)
"""Sensors that tell something else are broken, or measure something else."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """Of this device, now."""

    charging: bool | None
    """Whether it does not live from its battery; True without one."""
    metered: bool | None
    """Whether its connection is paid by the byte."""
    celsius: float | None
    """Of the hottest part of the processor."""


class DeviceConditions:
    """Reads them, not too often. `read` may block for a moment: call it in a thread."""

    def __init__(
        self,
        read: Callable[[], Conditions] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read or read_conditions
        self._clock = clock
        self._last: tuple[float, Conditions] | None = None
        self._charging: bool | None = None
        self._metered: bool | None = None

    def report(self, *, charging: bool | None = None, metered: bool | None = None) -> None:
        """What only the user interface can find out; it counts more than what is read."""
        self._charging = charging if charging is not None else self._charging
        self._metered = metered if metered is not None else self._metered

    def now(self) -> Conditions:
        """At most some seconds old."""
        if self._last is None or self._clock() - self._last[0] >= _KEPT_SECONDS:
            self._last = self._clock(), self._read()
        found = self._last[1]
        return Conditions(
            found.charging if self._charging is None else self._charging,
            found.metered if self._metered is None else self._metered,
            found.celsius,
        )


def read_conditions() -> Conditions:
    """Ask the system. The connection of a desktop that does not tell counts as free."""
    charging = _charging_by_psutil()
    celsius = _celsius_by_psutil()
    metered = metered_by_program()
    return Conditions(
        charging=charging_by_files(_POWER) if charging is None else charging,
        metered=False if metered is None and sys.platform not in _PHONES else metered,
        celsius=celsius_by_files(_THERMAL) if celsius is None else celsius,
    )


def charging_by_files(folder: Path) -> bool | None:
    """From Linux' list of power supplies; None where it cannot be read. Without a battery there is power.

    Source: Documentation/ABI/testing/sysfs-class-power in the Linux kernel.
    """
    try:
        supplies = [(_word(each / "type"), each) for each in sorted(folder.iterdir())]
    except OSError:
        return None
    mains = [_word(each / "online") == "1" for kind, each in supplies if kind in ("Mains", "USB", "Wireless")]
    states = [
        _word(each / "status")
        for kind, each in supplies
        if kind == "Battery" and _word(each / "scope") != "Device"  # of a mouse
    ]
    if supplies and not any(kind for kind, _ in supplies):
        return None
    return not states or any(mains) or "Discharging" not in states


def celsius_by_files(folder: Path) -> float | None:
    """From Linux' thermal zones; the hottest one. Source: sysfs-class-thermal in the Linux kernel."""
    found: list[float] = []
    try:
        zones = sorted(folder.glob("thermal_zone*"))
    except OSError:
        return None
    for zone in zones:
        with suppress(ValueError):
            found.append(int(_word(zone / "temp")) / 1000)
    return _hottest(found)


def metered_by_program() -> bool | None:
    """What NetworkManager says of the connections of a Linux desktop; None where it is not used."""
    program = shutil.which("nmcli")
    if program is None:
        return None
    with suppress(OSError, subprocess.SubprocessError):
        asked = subprocess.run(  # noqa: S603 - a fixed command
            [program, "-t", "-f", "GENERAL.STATE,GENERAL.METERED", "device", "show"],
            capture_output=True,
            text=True,
            timeout=_PROGRAM_SECONDS,
            check=False,
        )
        return metered_of(asked.stdout)
    return None


def metered_of(told: str) -> bool | None:
    """Whether one of the connected devices in NetworkManager's list is metered, or guessed to be."""
    connected, answers = False, []
    for line in told.splitlines():
        name, _, value = line.partition(":")
        if name == "GENERAL.STATE":
            connected = value.startswith("100")
        elif name == "GENERAL.METERED" and connected:
            answers.append(value.split(" ")[0])
    if "yes" in answers:
        return True
    return False if "no" in answers else None


def _charging_by_psutil() -> bool | None:
    with suppress(ImportError, AttributeError, OSError, RuntimeError, ValueError):
        import psutil

        battery = psutil.sensors_battery()
        return True if battery is None else bool(battery.power_plugged)
    return None


def _celsius_by_psutil() -> float | None:
    with suppress(ImportError, AttributeError, OSError, RuntimeError, ValueError):
        import psutil

        sensors = psutil.sensors_temperatures()
        of_processor = [sensors[name] for name in _PROCESSOR_SENSORS if name in sensors]
        return _hottest([float(each.current) for readings in of_processor for each in readings])
    return None


def _hottest(found: list[float]) -> float | None:
    return max((each for each in found if int(each) in _POSSIBLE_CELSIUS), default=None)


def _word(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
