"""Routers in processes of their own, behind one address; workers and askers that never give up."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from network.answered import AnsweredQuestions
from network.asked import AskedQuestion, Began, Refused, Said
from network.backoff import Backoff
from network.cards import Offer, issue_card, read_card
from network.client.router_client import RouterClient
from network.envelope import SealedQuestion, new_job, seal_question
from network.errors import MessageInvalid, NoWorkerFits, QueueFull, RouterBusy, RouterUnreachable
from network.keys import DeviceKeys
from network.protocol import frames
from network.protocol.cards import ModelOffer
from network.protocol.content import AnswerText
from network.protocol.jobs import JobProgress
from network.protocol.tickets import WorkerQuery
from network.worker.answerer import Answerer
from network.worker.connection import Registration, RouterConnection
from tests.network.broker.nats_server import NatsServer
from tests.network.front import Front
from tests.network.small_world import MODEL, QUESTION, now

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 120
"""For anything to happen at all, on the slowest machine."""


class Program:
    """A module of these tests in a process of its own; it ends when its input does."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"tests.network.{module}", *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    async def line(self) -> str:
        """The next line that it prints."""
        assert self._process.stdout
        async with asyncio.timeout(SECONDS):
            return (await asyncio.to_thread(self._process.stdout.readline)).strip()

    def say(self, line: str) -> None:
        """A line for its input."""
        assert self._process.stdin
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def send_signal(self, number: int) -> None:
        self._process.send_signal(number)

    async def kill(self) -> None:
        """At once, in the middle of whatever it does."""
        self.send_signal(signal.SIGKILL)
        await self.stop()

    async def stop(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        try:
            await asyncio.to_thread(self._process.wait, SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


@dataclass
class RouterProcess:
    """A router that can be killed and started again at the same port."""

    arguments: tuple[str, ...]
    port: int = 0
    process: Program | None = field(default=None, repr=False)

    async def start(self) -> None:
        self.process = Program("router_process", *self.arguments, "--port", str(self.port))
        self.port = int((await self.process.line()).rpartition(":")[2])

    async def kill(self) -> None:
        assert self.process
        await self.process.kill()

    async def stop(self) -> None:
        if self.process:
            await self.process.stop()


class Worker:
    """A worker that stays connected, whatever happens."""

    def __init__(self, address: str, http: httpx.AsyncClient, answerer: Answerer, slots: int) -> None:
        self.keys = DeviceKeys.generate(now())
        self.answerer = answerer
        self.ahead = 0.0
        """Seconds by which its clock is set forward."""

        async def register(_: object) -> Registration:
            self.keys, card = issue_card(self.keys, offer(slots), int(self._wall()))
            return Registration(self.keys, card, public=True)

        self.connection = RouterConnection(
            address,
            http,
            register,
            answerer,
            AnsweredQuestions(),
            chance=lambda: 0.2,
            wall=self._wall,
        )

    @property
    def node(self) -> str:
        return self.keys.node

    def _wall(self) -> float:
        return time.time() + self.ahead


@dataclass
class Outcome:
    """What an asker has heard about a question."""

    job: str
    texts: dict[str, str] = field(default_factory=dict)
    """By worker; of the last attempt."""
    beginnings: list[tuple[str, int]] = field(default_factory=list)
    """Worker and attempt of every answer that began."""
    refused: list[str] = field(default_factory=list)
    """Why messages were not believed."""
    not_accepted: int = 0
    """How often it was refused before it was accepted, and sealed anew: clocks of routers differ."""
    whole: list[str] = field(default_factory=list)
    """Workers whose answer arrived to its end, in this order."""
    ends: list[str] = field(default_factory=list)
    """What the router said of its end."""


class Cluster:
    """One address with routers behind it."""

    def __init__(self, front: Front, http: httpx.AsyncClient, nats: NatsServer | None) -> None:
        self.front = front
        self.http = http
        self.nats = nats
        self.routers: list[RouterProcess] = []
        self.workers: list[Worker] = []
        self.running: list[asyncio.Task[None]] = []
        self.asker = DeviceKeys.generate(now())
        self.client = RouterClient(front.address, http, backoff=lambda: Backoff(0.1, 1.0, lambda: 0.5))

    async def join(self, answerer: Answerer, slots: int = 1) -> Worker:
        """A worker in this process; returns when the routers know it."""
        worker = Worker(self.front.address, self.http, answerer, slots)
        self.workers.append(worker)
        self.running.append(asyncio.create_task(worker.connection.run()))
        await self.until_there(worker.node)
        return worker

    async def until_there(self, *nodes: str, away: bool = False) -> None:
        """Wait until the routers propose these workers, or none of them any more."""
        query = WorkerQuery(
            job=new_job(), asker=self.asker.node, nodes=nodes, workers=1, spares=len(nodes) - 1, public=True
        )
        async with asyncio.timeout(SECONDS):
            while True:
                try:
                    found = len((await self.client.candidates(query)).candidates)
                except (NoWorkerFits, RouterUnreachable, RouterBusy):
                    found = 0
                if found == (0 if away else len(nodes)):
                    return
                await asyncio.sleep(0.05)

    async def ask(
        self,
        workers: int = 1,
        spares: int = 1,
        nodes: tuple[str, ...] = (),
        kept: Callable[[str], None] = lambda job: None,
    ) -> Outcome:
        """A question until its end, as an app that does not give up asks it; `kept` hears its number."""
        sealed, asked = await self._seal(workers, spares, nodes)
        not_accepted = 0
        while True:
            try:
                accepted = await self.client.submit(sealed.request)
                break
            except (RouterUnreachable, RouterBusy, QueueFull):
                await asyncio.sleep(0.2)
            except MessageInvalid:  # a ticket of another time
                not_accepted += 1
                sealed, asked = await self._seal(workers, spares, nodes)
        kept(accepted.job)
        outcome = Outcome(accepted.job, not_accepted=not_accepted)
        while not outcome.ends:
            try:
                async for data in self.client.answers(accepted.job, accepted.access):
                    self._hear(outcome, asked, data)
                break
            except (RouterUnreachable, RouterBusy):
                await asyncio.sleep(0.2)
        return outcome

    def _hear(self, outcome: Outcome, asked: AskedQuestion, data: bytes) -> None:
        message = frames.to_asker(data)
        if isinstance(message, JobProgress) and message.event in ("done", "failed", "cancelled", "expired"):
            outcome.ends.append(message.event)
        match asked.hear(data):
            case Began(node, attempt):
                outcome.texts[node] = ""
                outcome.beginnings.append((node, attempt))
            case Refused(_, error):
                outcome.refused.append(type(error).__name__)
            case Said(node, part):
                if isinstance(part, AnswerText):
                    outcome.texts[node] += part.text
                elif asked.complete(node):
                    outcome.whole.append(node)

    async def _seal(
        self, workers: int, spares: int, nodes: tuple[str, ...]
    ) -> tuple[SealedQuestion, AskedQuestion]:
        """Sealed for workers that the routers propose; waits until there are enough."""
        job = new_job()
        query = WorkerQuery(
            job=job,
            asker=self.asker.node,
            model=MODEL,
            nodes=nodes,
            workers=workers,
            spares=spares,
            public=True,
        )
        while True:
            try:
                found = await self.client.candidates(query)
                if len(found.candidates) == workers + spares:
                    break
            except (RouterUnreachable, RouterBusy, NoWorkerFits):
                pass
            await asyncio.sleep(0.2)
        cards = [read_card(candidate.card, now()) for candidate in found.candidates]
        if nodes:  # in the asker's own order, as among its own devices, where no ticket is needed
            cards.sort(key=lambda card: nodes.index(card.node))
        sealed = seal_question(
            QUESTION,
            cards[:workers],
            cards[workers:],
            job=job,
            identity=self.asker.identity,
            now=now(),
            ticket=None if nodes else found.ticket,
        )
        return sealed, AskedQuestion(sealed, {card.node: card for card in cards})


def offer(slots: int) -> Offer:
    """What every worker here offers."""
    return Offer(
        models=(ModelOffer(model=MODEL, context_tokens=4096, tokens_per_second=20),),
        languages=("en",),
        slots=slots,
    )


@asynccontextmanager
async def cluster(
    folder: Path, *, routers: int = 1, nats: bool = False, lease: int = 4
) -> AsyncIterator[Cluster]:
    """Routers behind one address: with a file, or with a NATS server between them."""
    async with AsyncExitStack() as stack:
        front = await stack.enter_async_context(Front().running())
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False))
        server = None
        if nats:
            server = NatsServer(folder / "nats")
            server.start()
            stack.callback(server.stop)
        whole = Cluster(front, http, server)
        keeps = ("--nats", server.url) if server else ("--file", str(folder / "jobs.db"))
        for _ in range(routers):
            router = RouterProcess(
                (str(folder / "key"), *keeps, "--origin", front.address, "--lease", str(lease))
            )
            stack.push_async_callback(router.stop)
            await router.start()
            whole.routers.append(router)
            front.ports.append(router.port)
        try:
            yield whole
        finally:
            for worker in whole.workers:
                await worker.connection.leave()
            for task in whole.running:
                task.cancel()
            await asyncio.gather(*whole.running, return_exceptions=True)
