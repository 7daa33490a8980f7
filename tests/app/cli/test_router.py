"""`dai router`: a real server in a process of its own, from its first line to its last."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from app.core.router_folder import RouterFolder
from tests.network.broker.nats_server import NatsServer

pytestmark = [pytest.mark.desktop("a server"), pytest.mark.slow]

ROOT = Path(__file__).parents[3]


@contextmanager
def started(home: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, once it listens, and its address."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "app.cli",
            "router",
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--log",
            "json",
            *arguments,
        ],
        cwd=ROOT,
        env={**os.environ, "DAI_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = json.loads(process.stderr.readline())
        address = line["message"].partition("at ")[2].partition(",")[0]
        with httpx.Client(transport=httpx.HTTPTransport(retries=50)) as client:
            while True:
                try:
                    client.get(f"{address}/healthz")
                    break
                except httpx.TransportError:
                    assert process.poll() is None, process.stderr.read()
        yield process, address
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_a_router_starts_answers_and_ends_when_it_is_told_to(tmp_path):
    with started(tmp_path, "--name", "Home") as (process, address):
        info = httpx.get(f"{address}/v1/router").json()
        assert (info["name"], info["admission"]) == ("Home", "invite")
        assert httpx.get(f"{address}/readyz").status_code == 200
        assert "dai_router_workers 0" in httpx.get(f"{address}/metrics").text
        token = RouterFolder(tmp_path / "router").admin_token()
        status = httpx.get(f"{address}/admin/status", headers={"Authorization": f"Bearer {token}"})
        assert status.json()["name"] == "Home"
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert out == "", "with a log for programs there are no sentences for people"
    messages = [json.loads(line)["message"] for line in err.splitlines()]
    assert messages[-1] == "the router has stopped"
    assert token not in err


def test_invitations_are_made_and_taken_back_while_the_router_runs(tmp_path, dai):
    folder = RouterFolder(tmp_path / "router")
    with started(tmp_path, "--data", str(folder.path), "--invite-to-ask") as (_, address):
        made = dai("router", "invite", "Sara", "--data", folder.path)
        assert made.status == 0
        word = made.out.strip()

        def admitted() -> bool:
            """A question that is none is looked at only if its asker was let in."""
            headers = {"DAI-Invite": word, "Content-Type": "application/json"}
            return httpx.post(f"{address}/v1/candidates", content=b"{}", headers=headers).status_code != 403

        def shown() -> str:
            owner = {"Authorization": f"Bearer {folder.admin_token()}"}
            return httpx.get(f"{address}/admin/status", headers=owner).text

        assert admitted()
        assert [one["name"] for one in json.loads(shown())["invitations"]] == ["first", "Sara"]
        assert word not in shown()
        assert dai("router", "invitations", "--data", folder.path).out == "first\nSara\n"
        assert dai("router", "--data", folder.path, "invitations").out == "first\nSara\n"
        assert dai("router", "revoke", "Sara", "--data", folder.path).status == 0
        assert not admitted()
        assert [one["name"] for one in json.loads(shown())["invitations"]] == ["first"]


@pytest.mark.parametrize("name", ["", " ", "first", "two\nlines"])
def test_an_invitation_needs_a_name_of_its_own(tmp_path, dai, name):
    result = dai("router", "invite", name, "--data", tmp_path / "router")
    assert (result.status, result.out) == (1, "")
    assert "needs a name" in result.err
    assert dai("router", "revoke", "nobody", "--data", tmp_path / "router").status == 1


def test_a_router_keeps_its_key_and_takes_its_settings_from_variables(tmp_path, monkeypatch):
    monkeypatch.setenv("DAI_ROUTER_OPEN", "1")
    monkeypatch.setenv("DAI_ROUTER_LIMIT", "max-workers=7 questions-per-day=9")
    keys = []
    for _ in range(2):
        with started(tmp_path) as (_, address):
            info = httpx.get(f"{address}/v1/router").json()
            keys.append(info["public"])
    assert keys[0] == keys[1]
    assert (info["admission"], info["max_workers"]) == ("open", 7)


MISTAKES = [
    (["--limit", "nonsense=1"], "“nonsense=1” is no limit."),
    (["--limit", "max-workers=1.5"], "“max-workers=1.5” is no limit."),
    (["--address", "router.example"], "router.example is no address of a router"),
    (["--certificate", "chain.pem"], "--certificate and --private-key belong together."),
]


def test_routers_with_one_nats_server_and_one_key_are_one(tmp_path):
    server = NatsServer(tmp_path / "nats")
    server.start()
    try:
        shared = ("--nats", server.url, "--nats-replicas", "1")
        with started(tmp_path, *shared) as (_, one), started(tmp_path, *shared) as (_, other):
            first, second = (httpx.get(f"{address}/v1/router").json() for address in (one, other))
            assert first["public"] == second["public"]
            assert {httpx.get(f"{address}/readyz").status_code for address in (one, other)} == {200}
        assert not (tmp_path / "router" / "questions.db").exists(), "nothing is kept beside the server"
    finally:
        server.stop()


@pytest.mark.parametrize(("arguments", "message"), MISTAKES, ids=[" ".join(one[0]) for one in MISTAKES])
def test_a_mistake_is_one_line(dai, arguments, message):
    result = dai("router", "--port", 0, "--host", "127.0.0.1", *arguments)
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith(message)
    assert result.err.count("\n") == 1


def test_an_empty_file_of_invitations_does_not_open_the_door(dai, tmp_path):
    (tmp_path / "invites").write_text("# none yet\n")
    result = dai("router", "--port", 0, "--host", "127.0.0.1", "--invites", tmp_path / "invites")
    assert result.status == 1
    assert "holds no invitation" in result.err


def test_a_port_that_is_taken_is_told(dai):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = dai("router", "--host", "127.0.0.1", "--port", port)
    assert result.status == 1
    assert result.err.startswith(f"Port {port} cannot be used")


def test_a_damaged_file_of_questions_is_told(dai, home):
    folder = RouterFolder(home.data / "router")
    folder.questions.write_bytes(b"this is no database at all, but long enough to look at" * 100)
    result = dai("router", "--host", "127.0.0.1", "--port", 0)
    assert result.status == 1
    assert "questions.db" in result.err


def test_without_its_packages_the_command_says_what_to_install(dai, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    result = dai("router")
    assert result.status == 1
    assert 'pip install "dai-chat[server]"' in result.err


def test_a_router_does_not_carry_what_it_does_not_need(tmp_path):
    """It runs for months, on small machines; libraries of models and documents are for others."""
    loaded = subprocess.run(
        [sys.executable, "-c", _LOADED],
        cwd=ROOT,
        env={**os.environ, "DAI_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    modules = set(loaded.stdout.split())
    assert "network.router.http.app" in modules
    assert modules & {"numpy", "bs4", "flet", "llama_cpp", "rag.knowledge", "PIL"} == set()


_LOADED = """
import sys
sys.argv = ["dai", "router", "--limit", "nonsense=1"]
import app.cli
try:
    app.cli.main()
except SystemExit:
    print(*sys.modules)
"""
