"""The environment itself: locked versions, a CPU build of torch, and a phone that is one."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import multiprocessing
import os
import subprocess
import sys

import pytest
from locked import canonical, locked_versions

from tests.phone import DESKTOP_ONLY_MODULES, is_phone

BROUGHT_BY_VIRTUALENV = {"dai-chat", "pip", "setuptools", "wheel"}

in_hatch = pytest.mark.skipif(
    "HATCH_ENV_ACTIVE" not in os.environ, reason="only environments made by hatch follow requirements.lock"
)
on_a_phone = pytest.mark.skipif(not is_phone(), reason="only in the phone environment")


@in_hatch
def test_every_installed_distribution_has_exactly_the_locked_version() -> None:
    locked = locked_versions()
    installed = {canonical(found.name): found.version for found in importlib.metadata.distributions()}
    differing = {
        name: (version, locked.get(name, "not locked"))
        for name, version in installed.items()
        if name not in BROUGHT_BY_VIRTUALENV and locked.get(name) != version
    }
    assert not differing, "run `hatch run lock`, or remake the environment; (installed, locked) above"


@pytest.mark.desktop("torch")
@pytest.mark.slow
def test_torch_is_a_cpu_build() -> None:
    torch = pytest.importorskip("torch")
    assert torch.version.cuda is None


def test_the_lock_admits_only_a_cpu_build_of_torch_on_linux() -> None:
    if sys.platform != "linux":
        pytest.skip("elsewhere plain torch is a CPU build")
    assert locked_versions()["torch"].endswith("+cpu")


@on_a_phone
@in_hatch
@pytest.mark.parametrize("module", sorted(DESKTOP_ONLY_MODULES))
def test_the_phone_environment_has_no_desktop_only_part(module: str) -> None:
    distributions = importlib.metadata.packages_distributions()
    assert module not in distributions


@on_a_phone
@pytest.mark.parametrize("module", sorted(DESKTOP_ONLY_MODULES))
def test_a_phone_cannot_import_a_desktop_only_part(module: str) -> None:
    assert importlib.util.find_spec(module) is None
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(module)


@on_a_phone
def test_a_phone_cannot_start_a_program() -> None:
    with pytest.raises(OSError, match="no child processes"):
        subprocess.run([sys.executable, "--version"], check=True)


@on_a_phone
@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_a_phone_cannot_start_a_process_of_python(method: str) -> None:
    with pytest.raises(OSError, match="no child processes"):
        multiprocessing.get_context(method).Process(target=print).start()
