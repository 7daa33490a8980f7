"""A worker whose connection breaks in the middle of an answer comes back and goes on with it."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

import pytest

from network.asked import AskedQuestion, Began, Refused, Said
from network.broker.embedded import open_embedded_broker
from network.broker.protocol import JobState
from network.errors import LinkClosed
from network.keys import DeviceKeys
from network.protocol import frames
from network.protocol.answers import AnswerChunk, AnswerStart
from network.protocol.content import AnswerText
from network.router.desk import RouterTimes
from network.worker.running import RunningAnswers
from tests.network.small_world import Clock, ScriptedAnswerer, TestedWorker, World, now


class Patience:
    """The worker's clock for giving up: it is over when the test says so."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.over = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.asked.append(seconds)
        await self.over.wait()


@dataclass
class Heard:
    """Everything that an asker is told about its question."""

    beginnings: list[tuple[str, int]] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    sealed: dict[tuple[bytes, int], bytes] = field(default_factory=dict)
    """What was sealed with a key and a nonce."""
    passed_on: Counter[tuple[str, int, int]] = field(default_factory=Counter)

    async def listen(self, world: World, asked: AskedQuestion, accepted) -> Heard:
        salts: dict[tuple[str, int], bytes] = {}
        async with asyncio.timeout(60):
            async for frame in world.asking.answers(accepted.job, accepted.access):
                match frames.to_asker(frame.data):
                    case AnswerStart(node=node, attempt=attempt, salt=salt):
                        salts[node, attempt] = salt
                    case AnswerChunk(node=node, attempt=attempt, index=index, data=data):
                        known = self.sealed.setdefault((salts[node, attempt], index), data)
                        assert known == data, "two texts under one key and nonce"
                        self.passed_on[node, attempt, index] += 1
                match asked.hear(frame.data):
                    case Began(node, attempt):
                        self.beginnings.append((node, attempt))
                        self.texts[node] = ""
                    case Said(node, AnswerText(text=text)):
                        self.texts[node] += text
                    case Refused() as refused:
                        self.refused.append(refused)
        return self


class Lossy:
    """A worker's end of a connection that goes dead: nothing arrives any more, not even its end."""

    def __init__(self, link) -> None:
        self._link = link
        self._closed = asyncio.Event()
        self.dead = False

    async def send(self, data: bytes) -> None:
        if self._closed.is_set():
            raise LinkClosed
        if not self.dead:
            await self._link.send(data)

    async def receive(self) -> bytes:
        closed = asyncio.ensure_future(self._closed.wait())
        heard = asyncio.ensure_future(self._link.receive())
        try:
            await asyncio.wait({closed, heard}, return_when=asyncio.FIRST_COMPLETED)
            if closed.done():
                raise LinkClosed
            return heard.result()
        finally:
            closed.cancel()
            heard.cancel()

    async def close(self) -> None:
        self._closed.set()
        if not self.dead:
            await self._link.close()


@pytest.fixture
def ends() -> list[Lossy]:
    """The worker's ends of connections, as they were made."""
    return []


@pytest.fixture
async def world(tmp_path):
    clock = Clock()
    world = World.with_broker(await open_embedded_broker(tmp_path / "jobs.db", now=clock), clock)
    yield world
    await world.close()


@pytest.fixture
def patience():
    return Patience()


@pytest.fixture
async def answers(patience):
    answers = RunningAnswers(sleep=patience.sleep)
    yield answers
    await answers.stop()


@dataclass
class Question:
    """A question whose only worker is in the middle of its answer."""

    world: World
    worker: TestedWorker
    answerer: ScriptedAnswerer
    answers: RunningAnswers
    asked: AskedQuestion
    accepted: object
    listening: asyncio.Task[Heard]

    async def lose(self) -> None:
        """The worker notices that its connection has ended."""
        await self.worker.link.close()
        with pytest.raises(LinkClosed):
            await self.worker.task

    async def break_off(self) -> None:
        """The connection ends without a word, and both sides notice."""
        await self.lose()
        await self.world.until_gone(self.worker)

    async def come_back(self, **options) -> TestedWorker:
        options = {"answers": self.answers, "keys": self.worker.session._keys, **options}
        return await self.world.join(options.pop("answerer", self.answerer), **options)

    @property
    def node(self) -> str:
        return self.worker.node


async def in_the_middle(world: World, answers: RunningAnswers, ends: list[Lossy] | None = None) -> Question:
    def wrapped(link):
        if ends is None:
            return link
        ends.append(Lossy(link))
        return ends[-1]

    answerer = ScriptedAnswerer(("Not", "hing", " at", " all."), gate=asyncio.Event())
    worker = await world.join(answerer, answers=answers, wrapped=wrapped)
    sealed, asked = await world.seal(DeviceKeys.generate(now()), workers=1, spares=0)
    accepted = await world.submit(sealed)
    listening = asyncio.create_task(Heard().listen(world, asked, accepted))
    async with asyncio.timeout(60):
        await answerer.at_gate.wait()
    return Question(world, worker, answerer, answers, asked, accepted, listening)


async def test_it_goes_on_with_the_same_attempt_and_the_asker_notices_nothing(world, answers):
    question = await in_the_middle(world, answers)
    await question.break_off()
    question.answerer.gate.set()
    await question.come_back()
    heard = await question.listening
    assert heard.texts == {question.node: "Nothing at all."}
    assert heard.beginnings == [(question.node, 1)]
    assert (heard.refused, set(heard.passed_on.values())) == ([], {1})
    assert len(question.answerer.questions) == 1, "the engine has worked once"
    assert question.asked.complete(question.node)
    assert await world.desk.broker.state(question.accepted.job) is JobState.DONE


async def test_what_was_lost_on_the_way_is_sent_again_as_it_was(world, answers, ends):
    """The old connection may still look alive, as when a phone goes to another network: nobody tells."""
    question = await in_the_middle(world, answers, ends)
    ends[0].dead = True
    question.answerer.gate.set()
    async with asyncio.timeout(60):
        await answers.idle()  # all is sealed and sent, and nothing of it arrives
    await question.lose()
    assert len(world.workers) == 1, "the router has not noticed"
    await question.come_back()
    heard = await question.listening
    assert heard.texts == {question.node: "Nothing at all."}
    assert (heard.beginnings, heard.refused) == ([(question.node, 1)], [])
    assert set(heard.passed_on.values()) == {1}
    assert len(question.answerer.questions) == 1
    assert len(world.workers) == 1


async def test_it_may_break_again_and_again(world, answers):
    question = await in_the_middle(world, answers)
    for _ in range(3):
        await question.break_off()
        question.worker = await question.come_back()
        await world.passes(2.0)
    question.answerer.gate.set()
    heard = await question.listening
    assert heard.texts == {question.node: "Nothing at all."}
    assert heard.beginnings == [(question.node, 1)]


async def test_after_its_time_a_spare_takes_over_and_who_comes_late_has_nothing_left(world):
    people = {}
    for _ in range(2):
        answers = RunningAnswers(sleep=Patience().sleep)
        worker = await world.join(ScriptedAnswerer(("Nothing",), gate=asyncio.Event()), answers=answers)
        people[worker.node] = worker, answers
    sealed, asked = await world.seal(DeviceKeys.generate(now()), workers=1, spares=1)
    first, spare = sealed.answer_secrets
    (lost, answers), (other, others) = people[first], people[spare]
    accepted = await world.submit(sealed)
    listening = asyncio.create_task(Heard().listen(world, asked, accepted))
    async with asyncio.timeout(60):
        await lost.answerer.at_gate.wait()
    await lost.link.close()
    await world.until_gone(lost)
    changes = await world.passes(world.desk.times.grace)
    assert [(change.event, change.node) for change in changes] == [("spare", spare)]
    await world.join(lost.answerer, keys=lost.session._keys, answers=answers)
    async with asyncio.timeout(60):
        await answers.idle()
        await other.answerer.at_gate.wait()
    assert lost.answerer.stopped == 1, "the engine does not go on for nobody"
    other.answerer.gate.set()
    heard = await listening
    assert heard.beginnings == [(first, 1), (spare, 1)]
    assert (heard.texts[spare], asked.complete(first)) == ("Nothing", False)
    await asyncio.gather(answers.stop(), others.stop())


async def test_a_worker_stops_working_when_its_time_is_over(world, answers, patience):
    question = await in_the_middle(world, answers)
    await question.break_off()
    assert patience.asked == [world.desk.times.grace]
    assert answers.away
    patience.over.set()
    async with asyncio.timeout(60):
        await answers.idle()
    assert question.answerer.stopped == 1
    assert not answers.away
    again = await question.come_back(answerer=ScriptedAnswerer(("Second", " time")))
    heard = await question.listening
    assert heard.texts == {again.node: "Second time"}
    assert heard.beginnings == [(question.node, 1), (question.node, 2)]


async def test_a_router_that_has_all_says_so_and_nothing_is_done_twice(world, answers):
    """It was told of the end, and the worker did not hear that it was."""
    question = await in_the_middle(world, answers)
    broker = world.desk.broker
    finish, lost = broker.finish, asyncio.Event()

    async def too_late(claim):
        broker.finish = finish
        lost.set()
        await question.worker.link.close()
        await asyncio.Event().wait()

    broker.finish = too_late
    question.answerer.gate.set()
    async with asyncio.timeout(60):
        await lost.wait()
    await question.lose()
    await question.come_back()
    heard = await question.listening
    assert heard.texts == {question.node: "Nothing at all."}
    assert set(heard.passed_on.values()) == {1}
    assert len(question.answerer.questions) == 1
    assert world.desk.counts["answers taken up again"] == 1


async def test_a_question_that_was_cancelled_meanwhile_is_dropped(world, answers):
    question = await in_the_middle(world, answers)
    await question.break_off()
    await world.asking.cancel(question.accepted.job, question.accepted.access)
    await question.come_back()
    async with asyncio.timeout(60):
        await answers.idle()
    assert question.answerer.stopped == 1
    await question.listening


async def test_a_router_may_give_no_time_to_come_back(answers):
    world = World.with_broker(await open_embedded_broker(None), times=RouterTimes(grace=0))
    question = await in_the_middle(world, answers)
    await question.break_off()
    assert question.answerer.stopped == 1
    await question.come_back(answerer=ScriptedAnswerer(("Second", " time")))
    assert (await question.listening).texts == {question.node: "Second time"}
    await world.close()
