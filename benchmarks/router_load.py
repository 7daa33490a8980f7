"""Load for a router: workers and askers that say exactly what real ones say, and do as little as possible.

What a router reads is real: cards, proofs and grants are signed. What it cannot read is noise of the right
length, so that the load costs a fraction of what real devices would compute.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from network.cards import Offer, issue_card
from network.envelope import new_job
from network.fingerprints import node_id
from network.keys import DeviceKeys
from network.protocol import frames
from network.protocol.answers import AnswerChunk, AnswerStart
from network.protocol.cards import ModelOffer, NodeCard
from network.protocol.jobs import Grant, JobAccepted, JobRequest, Lease
from network.protocol.message import Signed, decode, decode_canonical, encode
from network.protocol.presence import Presence
from network.protocol.registration import Challenge, Hello, Welcome
from network.protocol.tickets import Candidates, WorkerQuery
from network.registration import prove
from network.signatures import sign

MODEL = "qwen3-1.7b"
CHUNK_BYTES = 256
BODY_BYTES = 2_048
_NOISE = os.urandom(1 << 20)


def noise(size: int) -> bytes:
    """Bytes that look sealed."""
    start = int.from_bytes(os.urandom(2), "big")
    return _NOISE[start : start + size]


@dataclass
class LoadWorker:
    """A registered worker that answers every question with so many parts."""

    address: str
    slots: int = 4
    parts: int = 11
    pause_seconds: float = 0.0
    """Between the parts, as a model takes time for its words."""
    keys: DeviceKeys = field(default_factory=lambda: DeviceKeys.generate(int(time.time())))
    answered: int = 0
    began: dict[str, float] = field(default_factory=dict)
    """When the first part of an answer was handed to the connection, by job."""
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self, registered: asyncio.Event) -> None:
        """Until the connection ends."""
        url = self.address.replace("http", "ws", 1) + "/v1/worker"
        offer = Offer(
            models=(ModelOffer(model=MODEL, context_tokens=4096, tokens_per_second=20),),
            languages=("en",),
            slots=self.slots,
        )
        self.keys, card = issue_card(self.keys, offer, int(time.time()))
        async with connect(url, compression=None, ping_interval=None, max_queue=64) as link:
            await link.send(encode(Hello(card=card, public=True)))
            challenge = frames.to_worker(await link.recv(decode=False))
            assert isinstance(challenge, Challenge)
            await link.send(encode(prove(challenge, self.address, self.keys, int(time.time()))))
            welcome = frames.to_worker(await link.recv(decode=False))
            assert isinstance(welcome, Welcome)
            await self._present(link)
            registered.set()
            presenting = asyncio.create_task(self._present_often(link, welcome.ping_seconds / 2))
            try:
                while True:
                    message = frames.to_worker(await link.recv(decode=False))
                    if isinstance(message, Lease):
                        task = asyncio.create_task(self._answer(link, message))
                        self._running.add(task)
                        task.add_done_callback(self._running.discard)
            except ConnectionClosed:
                return
            finally:
                presenting.cancel()

    async def _present_often(self, link: ClientConnection, seconds: float) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await asyncio.sleep(seconds)
                await self._present(link)

    async def _present(self, link: ClientConnection) -> None:
        free = self.slots - len(self._running)
        await link.send(encode(Presence(credit=max(0, free), running=len(self._running))))

    async def _answer(self, link: ClientConnection, lease: Lease) -> None:
        node, job, attempt = self.keys.node, lease.job, lease.attempt
        with contextlib.suppress(ConnectionClosed):
            await link.send(encode(AnswerStart(job=job, node=node, attempt=attempt, salt=noise(32))))
            for index in range(self.parts):
                if self.pause_seconds and index:
                    await asyncio.sleep(self.pause_seconds)
                last = index == self.parts - 1
                self.began.setdefault(job, time.perf_counter())
                await link.send(
                    encode(
                        AnswerChunk(
                            job=job,
                            node=node,
                            attempt=attempt,
                            index=index,
                            last=last,
                            data=noise(CHUNK_BYTES),
                        )
                    )
                )
            self.answered += 1
            self._running.discard(asyncio.current_task())  # type: ignore[arg-type]
            await self._present(link)


@dataclass
class Asked:
    """What came of a question."""

    job: str
    status: int
    """Of the submission: 202 if it was kept."""
    sent_at: float
    first_part_at: float = 0.0
    ended_at: float = 0.0
    whole: int = 0
    """Answers that arrived to their end."""


@dataclass
class LoadAsker:
    """Asks over plain sockets that are used again."""

    address: str
    identity: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    _idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)

    def __post_init__(self) -> None:
        parts = urlsplit(self.address)
        self._host, self._port = str(parts.hostname), int(parts.port or 80)
        self._public = self.identity.public_key().public_bytes_raw()
        self._node = node_id(self._public)

    def request(
        self, cards: list[NodeCard], workers: int, job: str = "", ticket: Signed | None = None
    ) -> JobRequest:
        """A question for these workers and spares; all that a router checks is in it."""
        job, now, body = job or new_job(), int(time.time()), noise(BODY_BYTES)
        grants = [
            Grant(
                job=job,
                asker=self._node,
                identity=self._public,
                node=card.node,
                key="0" * 16,
                issued=now,
                expires=now + 600,
                body_digest=hashlib.sha256(body).digest(),
                sealed_key=noise(112),
            )
            for card in cards
        ]
        signed = tuple(sign(grant, self.identity) for grant in grants)
        return JobRequest(job=job, body=body, grants=signed, workers=workers, ticket=ticket)

    async def ask(self, workers: int = 1, spares: int = 1) -> Asked:
        """Candidates, question, answers, as an app does it."""
        job = new_job()
        query = WorkerQuery(
            job=job, asker=self._node, model=MODEL, workers=workers, spares=spares, public=True
        )
        began = time.perf_counter()
        status, _, data = await self._post("/v1/candidates", encode(query))
        if status != 200:
            return Asked(job, status, began, ended_at=time.perf_counter())
        found = decode(data, Candidates)
        cards = [decode_canonical(candidate.card.statement, NodeCard) for candidate in found.candidates]
        return await self.send(self.request(cards, workers, job, found.ticket))

    async def send(self, request: JobRequest) -> Asked:
        """Hand in a question and hear it to its end."""
        asked = Asked(request.job, 0, time.perf_counter())
        asked.status, _, data = await self._post("/v1/jobs", encode(request))
        if asked.status == 202:
            accepted = decode(data, JobAccepted)
            async for message in self._events(accepted):
                if isinstance(message, AnswerChunk):
                    asked.first_part_at = asked.first_part_at or time.perf_counter()
                    asked.whole += message.last
        asked.ended_at = time.perf_counter()
        return asked

    async def submit_only(self, request: JobRequest) -> tuple[int, bytes, float]:
        """Hand in a question and hear nothing: status, headers, seconds."""
        began = time.perf_counter()
        status, headers, _ = await self._post("/v1/jobs", encode(request))
        return status, headers, time.perf_counter() - began

    def close(self) -> None:
        """Close all connections."""
        for _, writer in self._idle:
            writer.close()

    async def _post(self, path: str, body: bytes) -> tuple[int, bytes, bytes]:
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        async with self._connection() as (reader, writer):
            writer.write(head.encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(answer.lower().split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0])
            return int(answer.split(b" ", 2)[1]), answer, await reader.readexactly(length)

    async def _events(self, accepted: JobAccepted) -> AsyncIterator[object]:
        access = base64.urlsafe_b64encode(accepted.access).decode().rstrip("=")
        head = (
            f"GET /v1/jobs/{accepted.job}/events HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n"
            f"Authorization: Bearer {access}\r\n\r\n"
        )
        async with self._connection() as (reader, writer):
            writer.write(head.encode())
            answer = await reader.readuntil(b"\r\n\r\n")
            if not answer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(answer.decode(errors="replace"))
            while size := int(await reader.readline(), 16):
                chunk = await reader.readexactly(size + 2)
                for line in chunk.split(b"\n"):
                    if line.startswith(b"data: "):
                        yield frames.to_asker(line[6:].rstrip())
            await reader.readline()

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        pair = self._idle.pop() if self._idle else None
        reader, writer = pair or await asyncio.open_connection(self._host, self._port)
        try:
            yield reader, writer
        except BaseException:
            writer.close()
            raise
        self._idle.append((reader, writer))
