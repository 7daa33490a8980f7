"""The shape of the repository: a newcomer must be able to say where a thing is."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# A new name here is a decision: say in docs/explanation/architecture.md what lives there.
TOP_LEVEL = {
    ".ci",
    ".gitignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "app",
    "assets",
    "benchmarks",
    "build",
    "docs",
    "engines",
    "locales",
    "main.py",
    "network",
    "pyproject.toml",
    "rag",
    "requirements.lock",
    "tests",
}
NAMES_THAT_SAY_NOTHING = {"common", "helper", "helpers", "manager", "misc", "util", "utils"}

# Written in pieces, so that this file does not contain what it forbids.
PLACES_OF_ONE_MACHINE = [
    re.compile(pattern)
    for pattern in (
        r"/(?:home|Users)" + r"/[a-z][a-z0-9_-]*/",
        r"(?<![\w.])/" + r"(?:root|work|opt)/",
        r"files\." + r"pythonhosted\.org",
        r"pypi\." + r"org/simple",
        r"index-url\s*=\s*" + r"https?:",
    )
]


@pytest.fixture(scope="module")
def tracked_files() -> list[Path]:
    """Every file that is committed or would be."""
    try:
        listing = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs a git checkout")
    names = listing.stdout.decode().split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


@pytest.mark.desktop("child processes, to ask git")
def test_the_top_level_holds_only_the_agreed_names(tracked_files: list[Path]) -> None:
    found = {path.relative_to(ROOT).parts[0] for path in tracked_files}
    assert found == TOP_LEVEL


@pytest.mark.desktop("child processes, to ask git")
def test_no_file_names_a_place_of_one_machine(tracked_files: list[Path]) -> None:
    found = []
    for path in tracked_files:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for pattern in PLACES_OF_ONE_MACHINE:
            found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in pattern.finditer(text)]
    assert found == []


@pytest.mark.desktop("child processes, to ask git")
def test_every_module_has_a_name_that_says_what_it_holds(tracked_files: list[Path]) -> None:
    stems = {path.stem for path in tracked_files if path.suffix == ".py"}
    assert stems & NAMES_THAT_SAY_NOTHING == set()


def test_every_import_contract_gives_its_reason() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    assert contracts
    assert [contract["id"] for contract in contracts if not contract.get("broken_contract_guidance")] == []
