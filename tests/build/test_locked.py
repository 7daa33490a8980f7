"""requirements.lock is read the way pip reads it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from lock import render
from locked import locked_versions


def test_names_are_compared_as_package_indexes_do(tmp_path: Path) -> None:
    lock = tmp_path / "a.lock"
    lock.write_text("# a comment\nPDFMiner.Six==20260107\n\njinja2==3.1.6  # why\n")
    assert locked_versions(lock) == {"pdfminer-six": "20260107", "jinja2": "3.1.6"}


def test_a_pin_for_another_platform_does_not_hold(tmp_path: Path) -> None:
    lock = tmp_path / "a.lock"
    lock.write_text(
        f"torch==1+here ; sys_platform == '{sys.platform}'\ntorch==1 ; sys_platform != '{sys.platform}'\n"
    )
    assert locked_versions(lock) == {"torch": "1+here"}


@pytest.mark.parametrize("line", ["numpy>=2", "numpy", "numpy==2 ; python_version < '3.12'"])
def test_a_line_that_is_not_understood_is_an_error_not_a_guess(tmp_path: Path, line: str) -> None:
    lock = tmp_path / "a.lock"
    lock.write_text(line)
    with pytest.raises(ValueError, match="cannot read"):
        locked_versions(lock)


def test_a_build_for_linux_only_is_the_public_version_elsewhere() -> None:
    lines = render({"torch": "2.0+cpu", "numpy": "2.1", "pip": "26"}).splitlines()
    assert lines[2:] == [
        "numpy==2.1",
        "torch==2.0+cpu ; sys_platform == 'linux'",
        "torch==2.0 ; sys_platform != 'linux'",
    ]
