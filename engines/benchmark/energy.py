"""Energy that the device has used, where Linux or Android let it be read.

Sources: https://docs.kernel.org/power/powercap/powercap.html (the processor's counter, which only root may
read on most machines) and https://docs.kernel.org/power/power_supply_class.html (the battery).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_POWERCAP = Path("/sys/class/powercap")
_POWER_SUPPLY = Path("/sys/class/power_supply")
_JOULES_PER_MICROWATT_HOUR = 3600e-6


@dataclass(frozen=True, slots=True)
class _Zone:
    """One package of the processor."""

    folder: Path
    microjoules: int
    wraps_at: int


class EnergyMeter:
    """Reads what was used since it was made. `joules` is None where nothing can be read."""

    def __init__(self, powercap: Path = _POWERCAP, power_supply: Path = _POWER_SUPPLY) -> None:
        self._zones = _packages(powercap)
        self._battery = None if self._zones else _discharging(power_supply)
        self._battery_joules = None if self._battery is None else _charge(self._battery)

    @property
    def source(self) -> Literal["rapl", "battery"] | None:
        """What is read."""
        if self._zones:
            return "rapl"
        return None if self._battery_joules is None else "battery"

    def joules(self) -> float | None:
        """Used since then, by all programs of the device."""
        if self._zones:
            total = 0
            for zone in self._zones:
                now = _number(zone.folder / "energy_uj")
                if now is None:
                    return None
                # The counter starts again at zero when it is full, after some minutes or hours.
                total += now - zone.microjoules + (zone.wraps_at if now < zone.microjoules else 0)
            return total * 1e-6
        if self._battery is None or self._battery_joules is None:
            return None
        left = _charge(self._battery)
        # A battery tells its charge in coarse steps: no step yet is no measurement.
        return self._battery_joules - left if left is not None and left < self._battery_joules else None


def _packages(powercap: Path) -> list[_Zone]:
    """The outermost zones; the others are parts of them."""
    zones = []
    for folder in sorted(powercap.glob("*-rapl:*")) if powercap.is_dir() else ():
        energy, most = _number(folder / "energy_uj"), _number(folder / "max_energy_range_uj")
        if folder.name.count(":") == 1 and energy is not None and most is not None:
            zones.append(_Zone(folder, energy, most))
    return zones


def _discharging(power_supply: Path) -> Path | None:
    """A battery that the device runs on now."""
    for folder in sorted(power_supply.iterdir()) if power_supply.is_dir() else ():
        if _text(folder / "type") == "Battery" and _text(folder / "status") == "Discharging":
            return folder
    return None


def _charge(battery: Path) -> float | None:
    """What is left in it, in joules."""
    energy = _number(battery / "energy_now")  # microwatt-hours
    if energy is None:
        charge, voltage = _number(battery / "charge_now"), _number(battery / "voltage_now")
        if charge is None or voltage is None:  # microampere-hours, microvolts
            return None
        return charge * voltage * 1e-6 * _JOULES_PER_MICROWATT_HOUR
    return energy * _JOULES_PER_MICROWATT_HOUR


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:  # not there, or for root only
        return ""


def _number(file: Path) -> int | None:
    text = _text(file)
    return int(text) if text.isdigit() else None
