"""Reading requirements.lock: one exact version per distribution, with a marker where platforms differ."""

from __future__ import annotations

import re
import sys
from pathlib import Path

LOCK = Path(__file__).resolve().parent.parent / "requirements.lock"
_PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)\s*(?:;\s*(?P<marker>.+))?$")
_PLATFORM = re.compile(r"""sys_platform\s*(==|!=)\s*['"](\w+)['"]$""")


def canonical(name: str) -> str:
    """The name as package indexes compare it: `Jinja2` and `jinja2` are one."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked_versions(lock: Path = LOCK) -> dict[str, str]:
    """Versions by canonical name, as they hold on this platform."""
    versions: dict[str, str] = {}
    for line in lock.read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if not text:
            continue
        pin = _PIN.match(text)
        if pin is None:
            raise ValueError(f"{lock.name}: cannot read {text!r}")
        if _holds_here(pin["marker"]):
            versions[canonical(pin["name"])] = pin["version"]
    return versions


def _holds_here(marker: str | None) -> bool:
    """Only comparisons of `sys_platform` are used in the lock: nothing else is needed so far."""
    if marker is None:
        return True
    comparison = _PLATFORM.match(marker.strip())
    if comparison is None:
        raise ValueError(f"requirements.lock: cannot read the marker {marker!r}")
    operator, platform = comparison.groups()
    return (sys.platform == platform) == (operator == "==")
