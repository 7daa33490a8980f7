"""From a departure to a sealed question: who may answer it at a router, who is drawn, and the seal."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from app.core.errors import ModelNotOffered, NobodyElse
from app.core.network.departure import Departure
from app.core.network.devices import Devices
from app.core.network.groups import Group, GroupKind, Groups
from app.core.network.identity import Identity
from app.core.network.panel import Seat
from app.core.network.receipt_store import ReceiptStore
from app.core.network.routers import Router
from app.core.network.selecting import Checks, GroupAt, Selected, check, draw, ticket_for
from app.core.network.topics import Topics
from app.core.network.trust_store import TrustStore
from app.core.provenance import PrivacyLevel
from network.asked import AskedQuestion
from network.balancing import Choice
from network.client.router_client import RouterClient
from network.envelope import SealedQuestion, new_job, seal_question
from network.errors import NoWorkerFits, RouterChanged, SignatureInvalid
from network.keys import DeviceKeys
from network.protocol.content import Question
from network.protocol.groups import Membership
from network.protocol.tickets import AssignmentTicket, Candidates, WorkerQuery
from network.signatures import verify

MOST_CANDIDATES = 8
"""Workers and as many spares: the more a router proposes, the less it decides."""
MOST_GROUPS = 8
"""In one query."""
SPARES = 2
LIFE_SECONDS = 600
_LEVEL_OF = {GroupKind.MINE: PrivacyLevel.MY_DEVICES, GroupKind.CIRCLE: PrivacyLevel.CIRCLE}


@dataclass(frozen=True, slots=True)
class Prepared:
    """A sealed question, and what is needed to hear its answers."""

    job: str
    keys: DeviceKeys = field(repr=False)
    sealed: SealedQuestion = field(repr=False)
    asked: AskedQuestion = field(repr=False)
    seats: tuple[Seat, ...]
    """Workers, then spares, as in the request."""
    wanted: int


@dataclass(frozen=True, slots=True)
class Found:
    """Who may be asked at a router."""

    job: str
    keys: DeviceKeys = field(repr=False)
    groups: tuple[GroupAt, ...]
    candidates: Candidates = field(repr=False)
    selected: tuple[Selected, ...]


class Preparation:
    """Finds workers and seals for them. Its stores may ask the keyring, so they are used in threads."""

    def __init__(
        self,
        identity: Identity,
        groups: Groups,
        devices: Devices,
        trust: TrustStore,
        receipts: ReceiptStore,
        topics: Topics,
        *,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._identity = identity
        self._groups = groups
        self._devices = devices
        self._trust = trust
        self._receipts = receipts
        self._topics = topics
        self._wall = wall

    @property
    def now(self) -> int:
        """Seconds since 1970."""
        return int(self._wall())

    async def find(
        self,
        client: RouterClient,
        router: Router,
        level: PrivacyLevel,
        tokens: int,
        language: str | None,
        model: str | None = None,
        avoid: frozenset[str] = frozenset(),
    ) -> Found:
        """Devices of this level that could answer, with this model or, with None, with any; checked.

        Raises:
            ModelNotOffered: there is none with this model.
            NobodyElse: there is none but those to `avoid`, or none at all.
            NoWorkerFits, CardError, MessageError: there is none, see `selecting.check`.
            RouterError: as `RouterClient.candidates`.
            RouterChanged: somebody else answers at its address.
            KeyStoreError: this device's own keys or groups cannot be read.
            RecordsLost: it is not known any more whom not to ask; nothing is sent.
        """
        blocked = await asyncio.to_thread(self._blocked)
        book = self._trust.book
        keys = await asyncio.to_thread(self._identity.keys)
        stored = await asyncio.to_thread(self._groups.all)
        groups = tuple(
            _at(group, router.public_key, keys) for group in stored if level.reaches(_LEVEL_OF[group.kind])
        )[:MOST_GROUPS]
        if not groups and level is not PrivacyLevel.PUBLIC:
            raise NoWorkerFits(found=0, wanted=1, details="no group of this level")
        job = new_job()
        query = WorkerQuery(
            job=job,
            asker=keys.node,
            model=model,
            languages=(language,) if language else (),
            workers=MOST_CANDIDATES,
            spares=MOST_CANDIDATES,
            groups=tuple(group.tag for group in groups),
            public=level is PrivacyLevel.PUBLIC,
        )
        try:
            candidates = await client.candidates(query)
        except NoWorkerFits as nobody:
            raise _nobody(nobody, model, avoid) from None
        try:
            verify(candidates.ticket, AssignmentTicket, router.public_key)
        except SignatureInvalid:
            raise RouterChanged(router.host) from None
        now = self.now

        def refuses(node: str) -> bool:
            return node == keys.node or node in avoid | blocked or book.quarantined(node, now)

        checks = Checks(lambda card, named: self._devices.see(card, named=named), refuses)
        try:
            selected = await asyncio.to_thread(
                check, candidates.candidates, checks, groups, level, tokens, model
            )
        except NoWorkerFits as nobody:
            raise _nobody(nobody, model, avoid) from None
        return Found(job, keys, groups, candidates, tuple(selected))

    async def prepare(
        self, client: RouterClient, router: Router, departure: Departure, workers: int
    ) -> Prepared:
        """Find, draw, seal. Raises as `find`, and QuestionTooLong."""
        level, language, model = departure.level, departure.language, departure.wishes.model
        found = await self.find(client, router, level, departure.tokens, language, model, departure.avoid)
        topics = await self._topics_for(departure, found.selected, workers)
        choice = draw(
            found.selected,
            self._trust_in,
            self._receipts.speeds,
            workers=workers,
            spares=SPARES,
            language=language,
            model=model,
            topics=topics,
            chance=os.urandom(16),
        )
        return await asyncio.to_thread(self.seal, found, choice, router, departure.message)

    async def _topics_for(
        self, departure: Departure, selected: Sequence[Selected], workers: int
    ) -> frozenset[str]:
        """What the question is about, where that can change who is asked. The router does not learn it."""
        told = {topic for one in selected for topic in one.card.topics}
        if departure.retrieved is not None or len(selected) <= workers or not told:
            return frozenset()
        return frozenset(told) & await asyncio.to_thread(self._topics.of_question, departure.question)

    def seal(
        self,
        found: Found,
        choice: Choice,
        router: Router,
        question: Callable[[tuple[Membership, ...]], Question],
    ) -> Prepared:
        """Seal for those that were drawn; they learn of this device's groups only those that they share.

        Raises:
            QuestionTooLong: it is longer than a message may be.
        """
        by_node = {one.card.node: one for one in found.selected}
        chosen = [by_node[node] for node in (*choice.workers, *choice.spares)]
        shared = {tag for one in chosen for tag in one.groups}
        now = self.now
        sealed = seal_question(
            question(tuple(group.own for group in found.groups if group.tag in shared)),
            [by_node[node].card for node in choice.workers],
            [by_node[node].card for node in choice.spares],
            job=found.job,
            identity=found.keys.identity,
            now=now,
            life_seconds=LIFE_SECONDS,
            ticket=ticket_for(
                found.candidates, choice, router.public_key, job=found.job, asker=found.keys.node, now=now
            ),
        )
        return Prepared(
            job=found.job,
            keys=found.keys,
            sealed=sealed,
            asked=AskedQuestion(sealed, {one.card.node: one.card for one in chosen}),
            seats=tuple(
                self._seat(one, spare=place >= len(choice.workers)) for place, one in enumerate(chosen)
            ),
            wanted=len(choice.workers),
        )

    def _seat(self, one: Selected, *, spare: bool) -> Seat:
        known = self._devices.get(one.card.node)
        name = known.alias or known.name
        return Seat(one.card.node, name, one.level, one.offer.model, self._trust_in(one), spare=spare)

    def _trust_in(self, one: Selected) -> float:
        return self._trust.trust(one.card.node, one.offer.model, one.level, self.now)

    def _blocked(self) -> frozenset[str]:
        return frozenset(device.node for device in self._devices.all() if device.blocked)


def _nobody(error: NoWorkerFits, model: str | None, avoid: frozenset[str]) -> Exception:
    """Why nobody is there, as the user has to know it who has wished something."""
    if avoid:
        return NobodyElse()
    return error if model is None else ModelNotOffered(model)


def _at(group: Group, router_key: bytes, keys: DeviceKeys) -> GroupAt:
    return GroupAt.of(group.secret, _LEVEL_OF[group.kind], router_key, keys.public)
