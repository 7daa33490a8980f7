"""What a router needs for its questions, whatever keeps them."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Container
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal, Protocol

from network.protocol.groups import Membership
from network.protocol.message import Signed, encode
from network.protocol.presence import Pause


class JobState(IntEnum):
    """How a question stands."""

    OPEN = 0
    DONE = 1
    """As many workers have answered as were wanted, or all that there were."""
    FAILED = 2
    """Nobody answered, and nobody is left."""
    CANCELLED = 3
    EXPIRED = 4


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A question to keep. Its body and grants are sealed and signed: nothing in it can be read here."""

    job: str
    asker: str
    body: bytes = field(repr=False)
    grants: tuple[tuple[str, Signed], ...] = field(repr=False)
    """Node and grant: workers first, then spares, in the order in which they step in."""
    workers: int
    """How many of them shall answer."""
    expires: int
    """Seconds since 1970; nobody is given the question after that."""
    ticket: Signed | None = field(default=None, repr=False)

    @property
    def digest(self) -> bytes:
        """Tells whether two questions with one number are the same."""
        digest = hashlib.sha256(self.body)
        for node, grant in self.grants:
            digest.update(node.encode() + encode(grant))
        return digest.digest()


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker's hold on a question. An old attempt holds nothing any more."""

    job: str
    node: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Handout:
    """A question as it is handed to a worker."""

    claim: Claim
    body: bytes = field(repr=False)
    grant: Signed = field(repr=False)
    ticket: Signed | None = field(repr=False)
    expires: int
    waited_seconds: float = 0.0
    """Since it could have been handed to this worker."""


@dataclass(frozen=True, slots=True)
class Passed:
    """How much of one attempt's answer has been passed on."""

    parts: int = -1
    """-1 before its start."""
    ended: bool = False
    """Whether its last part was among them."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that time has done to a question."""

    job: str
    event: Literal["retrying", "spare", "failed", "expired", "done"]
    node: str = ""


@dataclass(frozen=True, slots=True)
class NodeState:
    """A worker that is there."""

    node: str
    card: Signed = field(repr=False)
    credit: int
    running: int = 0
    pause: Pause = ""
    memberships: tuple[Membership, ...] = field(default=(), repr=False)
    public: bool = False

    def is_for(self, groups: Container[str], *, public: bool) -> bool:
        """Whether it may be shown to somebody who asks these groups, and strangers if `public`."""
        return (self.public and public) or any(member.group in groups for member in self.memberships)


@dataclass(frozen=True, slots=True)
class QueueLoad:
    """How much a router has to do."""

    waiting: int
    """Parts in questions that wait for their workers: a question for three workers counts three times."""
    running: int
    """Parts that workers are at."""


@dataclass(frozen=True, slots=True)
class Frame:
    """An encoded message for the asker, and its place: ids rise, also after a restart of the router."""

    id: int
    data: bytes = field(repr=False)


class Broker(Protocol):
    """Keeps questions until they are answered, once each, and passes answers on.

    Promises: a question that `submit` has returned for is never lost, also not by a kill of the process; it
    is handed to its workers, and for each that fails to a spare; a worker's answer counts only while its
    claim holds; every question ends exactly once. Presence and frames may be lost in a kill: workers announce
    themselves again, and answers are written again.

    Where questions are kept elsewhere than in this process, every method may raise BrokerUnavailable.

    To add an engine: 1. implement these methods; 2. open it in the fixture `broker` of
    tests/network/broker/conftest.py; 3. let the suite there pass unchanged, also the test that kills it.
    """

    async def announce(self, state: NodeState, seconds: float) -> None:
        """A worker is there, for so long unless it says so again."""

    async def withdraw(self, node: str) -> None:
        """A worker has left."""

    async def nodes(self) -> list[NodeState]:
        """The workers that are there."""

    async def submit(self, job: QueuedJob) -> int:
        """Keep a question; returns how many wait before it. Sending it again does no harm.

        Raises:
            QueueFull: nothing was kept.
            QueueConflict: there was another question with this number.
        """

    async def lease(self, node: str, credit: int, wait_seconds: float = 0.0) -> list[Handout]:
        """At most `credit` questions for this worker, the oldest first; waits for one if there is none.

        A caller that is cancelled while it waits loses none.
        """

    async def renew(self, claim: Claim) -> bool:
        """The worker is still at it; False if the claim does not hold any more."""

    async def suspend(self, claim: Claim, seconds: float) -> None:
        """The worker's connection has broken: without a sign of life within `seconds` it counts as silent."""

    async def resume(self, claim: Claim) -> Passed | None:
        """The worker has come back, maybe to another router: how far its answer is, None if it is lost.

        It is a sign of life. Nothing that was passed on is missing in what is returned, except after a kill.
        """

    async def finish(self, claim: Claim) -> JobState | None:
        """The worker has answered; how the question stands now, None if the claim does not hold any more."""

    async def give_back(self, claim: Claim, *, final: bool, wait_seconds: float = 0.0) -> JobState | None:
        """The worker cannot answer; how the question stands now, None if the claim does not hold any more.

        A spare takes over. Where there is none, the same worker may fetch it again after `wait_seconds`,
        unless this is `final`.
        """

    async def cancel(self, job: str) -> list[str]:
        """Nobody waits for it any more; returns the workers that are at it."""

    async def state(self, job: str) -> JobState | None:
        """How a question stands; None if it is not known, or was forgotten long after its end."""

    async def load(self) -> QueueLoad:
        """How much there is to do, for people who look after the router; may be a moment old."""

    async def sweep(self) -> list[Change]:
        """Do what time demands: leases that ran out, workers that do not come, questions that expire.

        To be called every second or so.
        """

    async def emit(self, job: str, data: bytes) -> bool:
        """Pass an encoded message on to whoever listens; False if the question is not open."""

    def frames(self, job: str, after: int = 0) -> AsyncGenerator[Frame, None]:
        """What was emitted after this id and what follows, until the question has ended.

        Closing it (`aclose`) lets go of everything that listening takes.
        """

    async def close(self) -> None:
        """Let go of files and connections; what was kept stays."""
