"""A router that lies, babbles or floods: a worker goes on or leaves, and answers only real questions."""

from __future__ import annotations

import asyncio
import random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from network.answered import AnsweredQuestions
from network.cards import Offer, issue_card, read_card
from network.envelope import new_job, seal_question
from network.errors import LinkClosed, MessageError, MessageInvalid
from network.keys import DeviceKeys
from network.link import MESSAGES_UNDER_WAY, memory_links
from network.protocol import frames
from network.protocol.answers import AnswerAcknowledged, AnswerChunk
from network.protocol.cards import ModelOffer
from network.protocol.jobs import Cancel, Decline, Lease
from network.protocol.message import encode
from network.protocol.presence import Ping, Presence
from network.protocol.registration import Hello, Proof, Welcome
from network.protocol.schema import messages
from network.registration import new_challenge
from network.worker.session import WorkerSession
from tests.network.protocol.examples import example
from tests.network.small_world import MODEL, QUESTION, ScriptedAnswerer, now

ORIGIN = "https://router.example"


class HostileRouter:
    """Admits a worker as a router does, and then says what the test wants."""

    def __init__(self) -> None:
        self.answerer = ScriptedAnswerer()
        self.keys = DeviceKeys.generate(now())
        offer = Offer(models=(ModelOffer(model=MODEL, context_tokens=4096, tokens_per_second=1),), slots=1)
        self.keys, self.card = issue_card(self.keys, offer, now())
        self.session = WorkerSession(
            self.keys, self.card, self.answerer, AnsweredQuestions(), slots=1, origin=ORIGIN
        )
        self.here, self.link = memory_links()
        self.key = Ed25519PrivateKey.generate()
        self.heard: list = []

    async def admit(self) -> None:
        self.running = asyncio.create_task(self.session.run(self.here))
        assert isinstance(await self.next(), Hello)
        await self.say(new_challenge(self.key.public_key().public_bytes_raw()))
        assert isinstance(await self.next(), Proof)
        await self.say(Welcome(session="0" * 32, lease_seconds=15, grace_seconds=0, ping_seconds=20))

    async def say(self, message) -> None:
        await self.link.send(message if isinstance(message, bytes) else encode(message))

    async def next(self):
        async with asyncio.timeout(60):
            return frames.from_worker(await self.link.receive())

    async def listen(self) -> None:
        """Take whatever the worker says, so that it is never held up."""
        try:
            while True:
                self.heard.append(await self.next())
        except LinkClosed:
            pass

    async def until(self, kind, **values):
        """The next message of this kind with these values."""
        while True:
            message = await self.next()
            if isinstance(message, kind) and all(getattr(message, k) == v for k, v in values.items()):
                return message

    def lease(self, attempt=1, keys: DeviceKeys | None = None, **changes) -> Lease:
        """A real question for this worker, or for whom the keys are."""
        card = self.card if keys is None else issue_card(keys, Offer(), now())[1]
        sealed = seal_question(
            QUESTION,
            [read_card(card, now())],
            [],
            job=new_job(),
            identity=Ed25519PrivateKey.generate(),
            now=now(),
        )
        request = sealed.request
        return Lease(
            **{
                "job": request.job,
                "attempt": attempt,
                "grant": request.grants[0],
                "body": request.body,
                **changes,
            }
        )

    async def flood(self, data: bytes) -> None:
        """The same again and again, without listening."""
        async with asyncio.timeout(60):
            for _ in range(10 * MESSAGES_UNDER_WAY):
                await self.link.send(data)

    async def ended(self) -> Exception:
        async with asyncio.timeout(60):
            await asyncio.wait({self.running})
        return self.running.exception()


@pytest.fixture
async def router():
    router = HostileRouter()
    await router.admit()
    yield router
    await router.link.close()
    assert isinstance(await router.ended(), LinkClosed | MessageError)


@pytest.mark.parametrize("seed", range(6))
async def test_garbage_ends_the_connection_and_nothing_else(router, seed):
    chance = random.Random(seed)
    originals = [encode(example(kind)) for kind in messages()]
    listening = asyncio.create_task(router.listen())
    try:
        for _ in range(200):
            data = bytearray(chance.choice(originals))
            for _ in range(1 + chance.randrange(3)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            await router.say(bytes(data))
    except LinkClosed:
        pass
    await router.link.close()
    await listening
    assert isinstance(await router.ended(), LinkClosed | MessageError)
    assert router.answerer.questions == []


@pytest.mark.parametrize(
    "changes", [{"body": b"x" * 600}, {"keys": DeviceKeys.generate(now())}], ids=["altered", "for-another"]
)
async def test_a_question_that_is_not_for_this_worker_is_declined_unread(router, changes):
    lease = router.lease(**changes)
    await router.say(lease)
    assert (await router.until(Decline, job=lease.job)).reason == "unreadable"
    assert router.answerer.questions == []


async def test_an_answer_that_was_acknowledged_is_not_given_again(router):
    lease = router.lease()
    await router.say(lease)
    last = await router.until(AnswerChunk, last=True)
    await router.say(AnswerAcknowledged(job=lease.job, attempt=1, next_index=last.index + 1))
    for attempt in (1, 2, 3):
        await router.say(Lease(job=lease.job, attempt=attempt, grant=lease.grant, body=lease.body))
        assert (await router.until(Decline, attempt=attempt)).reason == "repeated"
    assert len(router.answerer.questions) == 1


async def test_more_questions_than_there_are_slots_are_declined_and_their_end_is_told(router):
    router.answerer.gate = asyncio.Event()
    first = router.lease()
    await router.say(first)
    await router.until(Presence, running=1)
    await router.say(router.lease())
    assert (await router.until(Decline)).reason == "busy"
    for stranger in ("f" * 32, first.job):
        await router.say(Cancel(job=stranger))
    await router.until(Presence, running=0)
    assert router.answerer.stopped == 1


async def test_a_router_that_floods_and_does_not_listen_is_left(router):
    """Its worker never holds more than some hundred words that it cannot get rid of."""
    router.answerer.gate = asyncio.Event()
    await router.say(router.lease())
    flood = encode(router.lease())
    with pytest.raises(LinkClosed):
        await router.flood(flood)
    assert isinstance(await router.ended(), LinkClosed)
    assert len(router.session._to_say) == 0


async def test_what_a_worker_does_not_know_is_no_message_for_it(router):
    await router.say(Ping(time=now()))
    await router.say(Presence(credit=1, running=0))
    assert isinstance(await router.ended(), MessageInvalid)
