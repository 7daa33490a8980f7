"""The wheel of llama-cpp-python is compiled once and never mixed up."""

from __future__ import annotations

import subprocess
from pathlib import Path

import llama_wheel
import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty user's cache."""
    monkeypatch.setattr(llama_wheel, "user_cache", lambda: tmp_path)
    monkeypatch.delenv("CMAKE_ARGS", raising=False)
    return tmp_path


def _finished_wheel(version: str) -> Path:
    wheel = llama_wheel.wheel_folder(version) / f"llama_cpp_python-{version}-py3-none-any.whl"
    wheel.parent.mkdir(parents=True)
    wheel.touch()
    return wheel


def test_a_finished_wheel_is_found_again() -> None:
    wheel = _finished_wheel("0.3.36")
    assert llama_wheel.cached_wheel("0.3.36") == wheel


def test_another_version_or_other_flags_need_another_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    _finished_wheel("0.3.36")
    assert llama_wheel.cached_wheel("0.3.37") is None
    monkeypatch.setenv("CMAKE_ARGS", "-DGGML_CUDA=ON")
    assert llama_wheel.cached_wheel("0.3.36") is None


def test_a_missing_compiler_is_one_line_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llama_wheel, "has_compiler", lambda: False)
    with pytest.raises(SystemExit, match=r"no C\+\+ compiler was found: .+") as caught:
        llama_wheel.build("0.3.36")
    assert "\n" not in str(caught.value)


@pytest.mark.desktop("child processes")
def test_a_failed_build_leaves_no_wheel_and_names_its_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llama_wheel, "has_compiler", lambda: True)
    monkeypatch.setattr(llama_wheel, "PACKAGE", "no such package")
    with pytest.raises(SystemExit, match=r"could not be compiled.*build\.log"):
        llama_wheel.build("0")
    assert llama_wheel.cached_wheel("0") is None
    assert (llama_wheel.wheel_folder("0") / "build.log").read_text()


def test_an_environment_that_has_the_version_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("nothing should be run")

    monkeypatch.setattr(subprocess, "run", refuse)
    monkeypatch.setattr(
        llama_wheel, "installed_version", lambda: llama_wheel.locked_versions()["llama-cpp-python"]
    )
    llama_wheel.main()
