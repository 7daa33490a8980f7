"""A router that shall stop: running answers finish, everybody hears when to come back, nothing is lost."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from network.broker.embedded import open_embedded_broker
from network.errors import LinkClosed
from tests.network.http_router import whole_router
from tests.network.router.devices import Asker, problem, working
from tests.network.small_world import ScriptedAnswerer

pytestmark = pytest.mark.desktop("a server")


async def test_a_running_answer_finishes_and_nothing_new_is_taken():
    answerer = ScriptedAnswerer(gate=asyncio.Event())
    async with (
        whole_router(drain_seconds=60.0) as router,
        httpx.AsyncClient(base_url=router.address) as http,
        working(router.address, answerer, slots=2) as worker,
    ):
        asker = Asker(http)
        sealed, later = (await asker.seal())[0], (await asker.seal())[0]
        accepted = await asker.submit(sealed)
        await asyncio.wait_for(answerer.at_gate.wait(), 30)
        listening = asyncio.create_task(_all(asker, accepted))
        router.server.stop()
        async with asyncio.timeout(30):
            while (await http.get("/readyz")).status_code != 503:
                pass
        assert (await http.get("/v1/router")).json()["draining"] is True
        refused = await asker.post(later)
        assert problem(refused) == "draining"
        assert int(refused.headers["retry-after"]) >= 1
        assert not listening.done()
        answerer.gate.set()
        events = await listening
        assert events[-1]["type"] in ("bye", "job_progress")
        assert sum(event["type"] == "answer_chunk" and event["last"] for event in events) == 1
        with pytest.raises(LinkClosed):
            await worker.task


async def test_an_answer_that_takes_too_long_is_cut_off_and_given_again_after_the_restart(tmp_path):
    key = Ed25519PrivateKey.generate()

    def open_broker():
        return open_embedded_broker(tmp_path / "questions.db")

    answerer = ScriptedAnswerer(gate=asyncio.Event())
    async with (
        whole_router(key=key, open_broker=open_broker, retry_seconds=7) as router,
        httpx.AsyncClient(base_url=router.address) as http,
        working(router.address, answerer) as worker,
    ):
        asker = Asker(http)
        accepted = await asker.submit((await asker.seal())[0])
        await asyncio.wait_for(answerer.at_gate.wait(), 30)
        listening = asyncio.create_task(_all(asker, accepted))
        router.server.stop()
        events = await listening
        assert events[-1] == {"type": "bye", "reason": "restart", "retry_seconds": 7}
    async with (
        whole_router(key=key, open_broker=open_broker) as router,
        httpx.AsyncClient(base_url=router.address) as http,
        working(router.address, keys=worker.keys),
    ):
        events = await _all(Asker(http), accepted)
    assert events[-1]["event"] == "done"


async def _all(asker: Asker, accepted) -> list[dict]:
    return [json.loads(data) async for _, data in asker.listen(accepted)]
