"""`dai worker`: what it refuses to begin with, and its work in a process of its own."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from app.core.network.work_records import Outcome, WorkRecords
from app.core.settings import SettingsStore
from network.asked import AskedQuestion, Said
from network.groups import group_code, new_group
from network.protocol.content import AnswerText
from tests.app.ui.conftest import model

__all__ = ["model"]

ROOT = Path(__file__).parents[3]


def test_it_needs_a_router_somebody_to_answer_and_a_model(dai, home, monkeypatch):
    assert "--router" in dai("worker", "--public").err
    monkeypatch.setattr("app.core.network.routers.Routers.enabled", lambda self: ["one"])
    assert "There is nobody to answer" in dai("worker").err
    assert "no model" in dai("worker", "--public").err.lower()
    assert "it is no code of a group" in dai("worker", "--group", "Friends").err
    assert "22:00-07:00" in dai("worker", "--public", "--hours", "22-7").err
    assert "22:00-07:00" in dai("worker", "--public", "--hours", "22:00-07:60").err


def test_a_group_is_joined_with_its_code_once(dai, home, monkeypatch):
    monkeypatch.setattr("app.core.network.routers.Routers.enabled", lambda self: ["one"])
    code = group_code(new_group())
    for _ in range(2):
        assert dai("worker", "--group", code, "--mine").status != 0  # there is no model
    assert len(dai("network", "groups", "--json").json) == 1


@asynccontextmanager
async def working(home, address, *options):
    """The command in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "app.cli", "worker", "--router", address, "--public", "--on-battery", "--metered", "--json"),
        *options,
        cwd=ROOT,
        env={**os.environ, "DAI_HOME": str(home.data), "DAI_ENGINE_HOST": "thread"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line(process, **wanted):
    """The next line with these values."""
    async with asyncio.timeout(120):
        while True:
            read = await process.stdout.readline()
            assert read, (await process.stderr.read()).decode()
            found = json.loads(read)
            if wanted.items() <= found.items():
                return found


@pytest.fixture
async def router():
    if importlib.util.find_spec("fastapi") is None:
        pytest.skip("a server")
    from tests.network.http_router import whole_router

    async with whole_router() as router, httpx.AsyncClient(base_url=router.address, timeout=120) as http:
        router.http = http
        yield router


async def until(come) -> None:
    """Wait for something that tells nobody that it has come."""
    async with asyncio.timeout(120):
        while not await come():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def ready(process, router) -> None:
    """The command says that it is ready, and the router knows it."""
    told = await line(process, event="status", state="ready")
    assert told["routers"] == 1

    async def free() -> bool:
        return (await router.http.get("/v1/pool")).json()["free"] > 0

    await until(free)


async def ask(router) -> str:
    """The answer of the only worker, whatever its model is called."""
    from tests.network.router.devices import Asker

    asker = Asker(router.http)
    sealed, cards = await asker.seal(model=None)
    asked = AskedQuestion(sealed, {card.node: card for card in cards})
    text = ""
    async with asyncio.timeout(120):
        async for _, data in asker.listen(await asker.submit(sealed)):
            match asked.hear(data):
                case Said(_, AnswerText(text=more)):
                    text += more
    return text


@pytest.mark.desktop("a server")
@pytest.mark.slow
async def test_it_answers_tells_what_it_does_and_says_goodbye(home, model, router):
    model("In a process of its own.")
    async with working(home, router.address) as process:
        await ready(process, router)
        assert await ask(router) == "In a process of its own."
        told = await line(process, event="answer")
        assert (told["level"], told["outcome"]) == ("public", "answered")
        process.send_signal(signal.SIGTERM if sys.platform != "win32" else signal.SIGINT)
        async with asyncio.timeout(120):
            assert await process.wait() == 0
    assert (await router.http.get("/v1/pool")).json()["workers"] == 0
    assert SettingsStore(home.settings).current.model_id is not None


@pytest.mark.desktop("a server")
@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system cannot stop a process")
async def test_a_worker_that_is_killed_with_a_question_in_its_hands_answers_it_after_a_restart(
    home, model, router
):
    model("Whole.")
    async with working(home, router.address) as process:
        await ready(process, router)
        process.send_signal(signal.SIGSTOP)
        asking = asyncio.create_task(ask(router))

        async def handed_out() -> bool:
            return (await router.service.desk.broker.load()).running > 0

        await until(handed_out)
        process.kill()
        await process.wait()
    records = WorkRecords(home.network / "work.db")
    assert records.latest() == []
    records.close()
    async with working(home, router.address) as process:
        assert await asking == "Whole."
        await line(process, event="answer")
    records = WorkRecords(home.network / "work.db")
    assert [entry.outcome for entry in records.latest()] == [Outcome.ANSWERED]
    records.close()
