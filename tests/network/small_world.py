"""A router, workers and an asker in one process: all is real but for the wires, which are short."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from network.answered import AnsweredQuestions
from network.asked import AskedQuestion, Began, Refused, Said
from network.broker.embedded import EmbeddedBroker
from network.broker.protocol import Change
from network.cards import Offer, issue_card, read_card
from network.envelope import SealedQuestion, new_job, seal_question
from network.errors import LinkClosed
from network.keys import DeviceKeys
from network.link import MemoryLink, memory_links
from network.protocol.cards import ModelOffer
from network.protocol.content import AnswerText, Question, Turn
from network.protocol.jobs import JobRequest
from network.protocol.message import decode, encode
from network.protocol.tickets import Candidates, WorkerQuery
from network.router.asking import AskingDesk
from network.router.desk import RouterDesk
from network.router.workers import WorkerDesk
from network.worker.answerer import CannotAnswer, Written
from network.worker.session import WorkerSession

ORIGIN = "https://router.example"
MODEL = "qwen3-1.7b"
QUESTION = Question(turns=(Turn(role="user", text="What did the landlord of Bartholomew say?"),))


def now() -> int:
    return int(time.time())


@dataclass
class ScriptedAnswerer:
    """An engine that says what it is told to, and waits in the middle if it has a gate."""

    words: tuple[str, ...] = ("Nothing", " at", " all.")
    gate: asyncio.Event | None = None
    cannot: CannotAnswer | None = None
    breaks: bool = False
    questions: list[Question] = field(default_factory=list)
    at_gate: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: int = 0
    busiest: int = 0
    busy: int = 0

    async def answer(self, question: Question, asker: bytes):
        if self.cannot is not None:
            raise self.cannot
        self.questions.append(question)
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        try:
            yield self.words[0]
            if self.gate is not None:
                self.at_gate.set()
                await self.gate.wait()
            if self.breaks:
                raise RuntimeError("the engine has crashed")
            for word in self.words[1:]:
                yield word
            yield Written("complete", MODEL, len(self.words))
        except (GeneratorExit, asyncio.CancelledError):
            self.stopped += 1
            raise
        finally:
            self.busy -= 1


@dataclass
class TestedWorker:
    """A worker and its connection."""

    keys: DeviceKeys
    session: WorkerSession
    answerer: ScriptedAnswerer
    link: MemoryLink
    task: asyncio.Task[None]

    __test__ = False

    @property
    def node(self) -> str:
        return self.keys.node


@dataclass
class Clock:
    """The broker's, moved by the tests."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class World:
    """Everything together."""

    desk: RouterDesk
    workers: WorkerDesk
    asking: AskingDesk
    clock: Clock = field(default_factory=Clock)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def with_broker(cls, broker: EmbeddedBroker, clock: Clock | None = None, **options) -> World:
        """`clock` is the one by which the broker was opened, for tests that wait for it."""
        desk = RouterDesk(Ed25519PrivateKey.generate(), frozenset({ORIGIN}), broker, **options)
        world = cls.over(desk, WorkerDesk(desk))
        world.clock = clock or world.clock
        return world

    @classmethod
    def over(cls, desk: RouterDesk, workers: WorkerDesk) -> World:
        """Around a router that is there already."""
        broker, world = desk.broker, cls(desk, workers, AskingDesk(desk, workers))
        broker.announce = world.noticing(broker.announce)
        broker.withdraw = world.noticing(broker.withdraw)
        return world

    def noticing(self, change):
        """The same, and a word to who waits for the presence board to change."""

        async def noticed(*arguments, **options) -> None:
            await change(*arguments, **options)
            self.news.set()

        return noticed

    async def join(
        self,
        answerer: ScriptedAnswerer | None = None,
        *,
        keys=None,
        slots=1,
        invite="",
        origin=ORIGIN,
        memberships=(),
        public=True,
        answered=None,
        answers=None,
        wrapped=None,
    ) -> TestedWorker:
        """A worker that registers; returns when the router knows that it is there.

        `wrapped` makes something else of its end of the connection.
        """
        answerer = answerer or ScriptedAnswerer()
        keys = keys or DeviceKeys.generate(now())
        offer = Offer(
            models=(ModelOffer(model=MODEL, context_tokens=4096, tokens_per_second=20),),
            languages=("en", "fa"),
            slots=slots,
        )
        keys, card = issue_card(keys, offer, now())
        session = WorkerSession(
            keys,
            card,
            answerer,
            AnsweredQuestions() if answered is None else answered,
            slots=slots,
            origin=origin,
            invite=invite,
            memberships=memberships,
            public=public,
            answers=answers,
        )
        here, there = memory_links()
        here = wrapped(here) if wrapped else here
        self.tasks.append(asyncio.create_task(self.workers.serve(there)))
        task = asyncio.create_task(session.run(here))
        task.add_done_callback(lambda _: self.news.set())
        self.tasks.append(task)
        worker = TestedWorker(keys, session, answerer, here, task)
        await self.until(lambda nodes: keys.node in nodes or task.done())
        return worker

    async def passes(self, seconds: float) -> list[Change]:
        """Time passes for the questions; what it has done to them."""
        self.clock.now += seconds
        return await self.desk.broker.sweep()

    async def until_gone(self, worker: TestedWorker) -> None:
        """Wait until the router has noticed that a worker's connection is broken."""
        await self.until(lambda nodes: worker.node not in nodes)

    async def until(self, fits) -> None:
        """Wait for the presence board to look like this."""
        async with asyncio.timeout(60):
            while True:
                self.news.clear()
                if fits({state.node: state.credit for state in await self.desk.broker.nodes()}):
                    return
                await self.news.wait()

    async def seal(
        self, asker: DeviceKeys, workers=3, spares=2, groups=()
    ) -> tuple[SealedQuestion, AskedQuestion]:
        """A question for whom the router proposes; through the messages, as over a wire."""
        job = new_job()
        query = WorkerQuery(
            job=job,
            asker=asker.node,
            model=MODEL,
            workers=workers,
            spares=spares,
            groups=groups,
            public=True,
        )
        found = decode(encode(await self.asking.candidates(query)), Candidates)
        cards = [read_card(candidate.card, now()) for candidate in found.candidates]
        sealed = seal_question(
            QUESTION,
            cards[:workers],
            cards[workers:],
            job=job,
            identity=asker.identity,
            now=now(),
            ticket=found.ticket,
        )
        return sealed, AskedQuestion(sealed, {card.node: card for card in cards})

    async def submit(self, sealed: SealedQuestion):
        return await self.asking.submit(decode(encode(sealed.request), JobRequest))

    async def hear(self, asked: AskedQuestion, accepted) -> dict[str, str]:
        """All answers until the end of the question, by worker."""
        heard: dict[str, str] = {}
        async with asyncio.timeout(200):
            async for frame in self.asking.answers(accepted.job, accepted.access):
                match asked.hear(frame.data):
                    case Began(node):
                        heard[node] = ""
                    case Said(node, AnswerText(text=text)):
                        heard[node] += text
                    case Refused(_, error):
                        raise error
        return heard

    async def close(self) -> None:
        await self.workers.close(retry_seconds=1)
        for task in self.tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, LinkClosed, Exception):
                await task
        await self.desk.broker.close()
