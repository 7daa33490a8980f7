"""One version, wherever it is written."""

from __future__ import annotations

import tomllib
from pathlib import Path

from app import __version__

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_app_tells_the_version_of_its_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert __version__ == project["version"]
