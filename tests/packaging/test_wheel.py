"""The wheel holds the whole app, and works where there is no checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

pytestmark = [pytest.mark.slow, pytest.mark.desktop("child processes, to build")]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as `hatch build` makes it: the same backend, called the same way."""
    folder = tmp_path_factory.mktemp("wheel")
    build = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(folder)], cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("dai_chat-*.whl"))


def _files(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.mark.parametrize("package", ["app", "engines", "rag", "network", "assets", "locales"])
def test_the_wheel_holds_every_file_of_the_app(wheel: Path, package: str) -> None:
    here = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert here
    assert here <= _files(wheel)


def test_the_wheel_holds_nothing_else(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in _files(wheel)}
    assert {top for top in tops if ".dist-info" not in top} == {
        "app", "assets", "engines", "locales", "network", "rag",
    }  # fmt: skip


def test_the_installed_wheel_speaks_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    program = f"import app.cli; assert app.cli.__file__.startswith({str(site)!r}); app.cli.main()"
    ran = subprocess.run(
        [sys.executable, "-c", program, "kb", "list", "--json"],
        cwd=tmp_path,
        env={"PATH": "", "PYTHONPATH": str(site), "DAI_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout.strip()) == (0, "[]"), ran.stderr
