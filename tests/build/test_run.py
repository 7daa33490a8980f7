"""The newcomer's command answers with one clear line when it cannot go on."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import run

ROOT = Path(__file__).resolve().parent.parent.parent


def test_a_python_without_venv_gets_the_debian_package_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "find_spec", lambda name: None if name == "ensurepip" else object())
    with pytest.raises(SystemExit, match="python3-venv"):
        run.check_python()


def test_a_python_that_is_too_old_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "OLDEST_PYTHON", (99, 0))
    with pytest.raises(SystemExit, match=r"or newer; this is \d+\.\d+\.\d+"):
        run.check_python()


def test_an_unknown_verb_lists_the_known_ones() -> None:
    with pytest.raises(SystemExit, match="one of: app, web, dai, test"):
        run.main(["wbe"])


def test_every_verb_is_a_script_of_its_environment_or_the_projects_command() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    environments = settings["tool"]["hatch"]["envs"]
    commands = settings["project"]["scripts"]
    scripts = [script.split(":") for script in run.SCRIPTS.values()]
    assert [
        f"{environment}:{name}"
        for environment, name in scripts
        if name not in environments[environment]["scripts"] and name not in commands
    ] == []
