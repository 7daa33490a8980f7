"""The recipes under build/server name what there is: packages, commands, options, files, addresses."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import typer.main

from app.cli.router import router

ROOT = Path(__file__).parents[2]
SERVER = ROOT / "build" / "server"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RECIPES = {name: (SERVER / name).read_text() for name in ("Dockerfile", "compose.yaml", "dai-router.service")}


def names(requirements: list[str]) -> set[str]:
    """Of packages, without versions and remarks."""
    lines = (line.partition("#")[0].strip() for line in requirements)
    return {match[0].lower().replace("_", "-") for line in lines if (match := re.match(r"[\w.-]+", line))}


def test_the_container_has_exactly_the_packages_that_the_project_names():
    wanted = names((SERVER / "requirements.txt").read_text().splitlines())
    locked = names((ROOT / "requirements.lock").read_text().splitlines())
    core = names(PROJECT["dependencies"])
    server = names(PROJECT["optional-dependencies"]["server"])
    assert wanted <= locked, "every version is fixed"
    assert server <= wanted
    assert wanted - server - core <= {"uvloop"}, "a faster event loop is the only addition"


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_variable_belongs_to_an_option(recipe):
    command = typer.main.get_command(router)
    known = {parameter.envvar for parameter in command.params if getattr(parameter, "envvar", None)}
    said = set(re.findall(r"\bDAI_ROUTER_[A-Z_]+", RECIPES[recipe]))
    assert said
    assert said <= known


def test_the_program_and_its_extra_are_there():
    assert PROJECT["name"] == "dai-chat"
    assert PROJECT["scripts"]["dai"]
    service = RECIPES["dai-router.service"]
    assert re.search(r"^ExecStart=\S+/bin/dai router$", service, re.MULTILINE)
    assert 'pip install "dai-chat[server]"' in service
    assert 'ENTRYPOINT ["/usr/local/lib/dai/bin/dai", "router"]' in RECIPES["Dockerfile"]


def test_what_the_container_copies_is_there_and_is_all_of_the_program():
    sources = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", RECIPES["Dockerfile"], re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert [source for source in sources if not (ROOT / source).exists()] == []
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}
    assert packages <= set(sources)


def test_a_stop_leaves_time_for_running_answers():
    from network.router.http.settings import RouterSettings

    drain = RouterSettings(origins=frozenset()).drain_seconds
    assert int(re.search(r"TimeoutStopSec=(\d+)", RECIPES["dai-router.service"])[1]) > drain
    assert int(re.search(r"stop_grace_period: (\d+)s", RECIPES["compose.yaml"])[1]) > drain
    assert int(re.search(r"--stop-timeout (\d+)", RECIPES["Dockerfile"])[1]) > drain


def test_ports_and_the_address_of_the_health_check_are_the_routers():
    options = {one.name: one for one in typer.main.get_command(router).params}
    port = options["port"].default
    assert f"EXPOSE {port}\n" in RECIPES["Dockerfile"]
    assert f"http://127.0.0.1:{port}/healthz" in RECIPES["Dockerfile"]
    assert f"router:{port}\n" in RECIPES["compose.yaml"]


def test_the_page_about_the_recipes_names_files_that_are_there():
    links = re.findall(r"\]\(([^)#:]+)\)", (SERVER / "README.md").read_text())
    assert links
    assert [link for link in links if not (SERVER / link).resolve().exists()] == []
