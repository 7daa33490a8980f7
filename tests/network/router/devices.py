"""Devices that speak to a router over real connections, with public libraries, as others would."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from network.answered import AnsweredQuestions
from network.cards import Offer, issue_card, read_card
from network.envelope import SealedQuestion, new_job, seal_question
from network.errors import LinkClosed
from network.keys import DeviceKeys
from network.protocol.cards import ModelOffer
from network.protocol.fields import MAX_FRAME_BYTES
from network.protocol.jobs import JobAccepted
from network.protocol.message import decode, encode
from network.protocol.tickets import Candidates, WorkerQuery
from network.worker.session import WorkerSession
from tests.network.small_world import MODEL, QUESTION, ScriptedAnswerer, now

JSON = {"Content-Type": "application/json"}


class SocketLink:
    """A worker's end of a WebSocket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def send(self, data: bytes) -> None:
        try:
            await self.socket.send(data)
        except ConnectionClosed:
            raise LinkClosed from None

    async def receive(self) -> bytes:
        try:
            data = await self.socket.recv()
        except ConnectionClosed:
            raise LinkClosed from None
        return data if isinstance(data, bytes) else data.encode()

    async def close(self) -> None:
        await self.socket.close()


def open_socket(address: str, **options):
    """The WebSocket of workers."""
    return connect(
        address.replace("http", "ws", 1) + "/v1/worker", max_size=MAX_FRAME_BYTES, compression=None, **options
    )


@dataclass
class Device:
    """A worker that is connected."""

    keys: DeviceKeys
    answerer: ScriptedAnswerer
    session: WorkerSession
    task: asyncio.Task[None] = field(repr=False)

    @property
    def node(self) -> str:
        return self.keys.node


def worker_session(
    address: str, answerer: ScriptedAnswerer, *, slots=1, invite="", memberships=(), public=True, keys=None
) -> tuple[DeviceKeys, WorkerSession]:
    """A worker that is about to connect."""
    offer = Offer(
        models=(ModelOffer(model=MODEL, context_tokens=4096, tokens_per_second=20),),
        languages=("en", "fa"),
        slots=slots,
    )
    keys, card = issue_card(keys or DeviceKeys.generate(now()), offer, now())
    session = WorkerSession(
        keys,
        card,
        answerer,
        AnsweredQuestions(),
        slots=slots,
        origin=address,
        invite=invite,
        memberships=memberships,
        public=public,
    )
    return keys, session


@asynccontextmanager
async def working(address: str, answerer: ScriptedAnswerer | None = None, **options) -> AsyncIterator[Device]:
    """A worker over WebSocket; it is in the pool when the block begins."""
    answerer = answerer or ScriptedAnswerer()
    keys, session = worker_session(address, answerer, **options)
    async with open_socket(address) as socket:
        task = asyncio.create_task(session.run(SocketLink(socket)))
        device = Device(keys, answerer, session, task)
        if options.get("public", True):
            await seen(address, device)
        try:
            yield device
        finally:
            task.cancel()
            await asyncio.wait({task})


async def seen(address: str, device: Device, **wishes) -> None:
    """Wait until the router proposes this worker."""
    wanted = {"public": True, "nodes": (device.node,), "workers": 1, "spares": 0, **wishes}
    query = WorkerQuery(job="a" * 32, asker="b" * 32, **wanted)
    async with httpx.AsyncClient(base_url=address) as http, asyncio.timeout(30):
        while (await http.post("/v1/candidates", content=encode(query), headers=JSON)).status_code != 200:
            if device.task.done():
                await device.task


@dataclass
class Asker:
    """A device that asks, over this client."""

    http: httpx.AsyncClient
    keys: DeviceKeys = field(default_factory=lambda: DeviceKeys.generate(now()))

    async def seal(self, workers=1, spares=0, **wishes) -> tuple[SealedQuestion, list]:
        """A question for whom the router proposes, and their cards."""
        job = new_job()
        query = WorkerQuery(
            job=job,
            asker=self.keys.node,
            workers=workers,
            spares=spares,
            **{"public": True, "model": MODEL, **wishes},
        )
        answer = await self.http.post("/v1/candidates", content=encode(query), headers=JSON)
        found = decode(answer.raise_for_status().content, Candidates)
        cards = [read_card(candidate.card, now()) for candidate in found.candidates]
        sealed = seal_question(
            QUESTION,
            cards[:workers],
            cards[workers:],
            job=job,
            identity=self.keys.identity,
            now=now(),
            ticket=found.ticket,
        )
        return sealed, cards

    async def post(self, sealed: SealedQuestion) -> httpx.Response:
        return await self.http.post("/v1/jobs", content=encode(sealed.request), headers=JSON)

    async def submit(self, sealed: SealedQuestion) -> JobAccepted:
        answer = await self.post(sealed)
        assert answer.status_code == 202, answer.text
        return decode(answer.content, JobAccepted)

    async def listen(self, accepted: JobAccepted, after: int = 0) -> AsyncIterator[tuple[int | None, bytes]]:
        """Events until the stream ends: number and message."""
        headers = bearer(accepted.access) | ({"Last-Event-ID": str(after)} if after else {})
        async with self.http.stream("GET", f"/v1/jobs/{accepted.job}/events", headers=headers) as response:
            assert response.status_code == 200, await response.aread()
            async for event in events_of(response):
                yield event


async def events_of(response: httpx.Response) -> AsyncIterator[tuple[int | None, bytes]]:
    """Server-sent events, read by hand: what is on the wire is what the standard says."""
    number: int | None = None
    async for line in response.aiter_lines():
        name, _, value = line.partition(": ")
        if name == "id":
            number = int(value)
        elif name == "data":
            yield number, value.encode()
            number = None


def bearer(access: bytes) -> dict[str, str]:
    return {"Authorization": "Bearer " + base64.urlsafe_b64encode(access).decode().rstrip("=")}


def problem(response: httpx.Response) -> str:
    """The kind of a problem, after a look at its form."""
    assert response.headers["content-type"] == "application/problem+json"
    body = json.loads(response.content)
    assert body["status"] == response.status_code
    return body["type"].removeprefix("urn:dai:problem:")
