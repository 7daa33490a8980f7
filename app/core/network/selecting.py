"""Who of those that a router proposes is asked. Cards and proofs are checked: no router is believed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from app.core.provenance import PrivacyLevel
from network.balancing import Choice, Nearness, Wish, choose, worker_of
from network.errors import CardError, MessageError, NetworkError, NoWorkerFits, SignatureInvalid
from network.groups import group_tag, is_member, membership
from network.protocol.cards import ModelOffer, NodeCard
from network.protocol.groups import Membership
from network.protocol.message import Signed
from network.protocol.tickets import Candidate, Candidates
from network.signatures import verify_own
from network.tickets import check_ticket

log = logging.getLogger(__name__)

NEARNESS = {
    PrivacyLevel.MY_DEVICES: Nearness.MINE,
    PrivacyLevel.CIRCLE: Nearness.CIRCLE,
    PrivacyLevel.PUBLIC: Nearness.PUBLIC,
}


@dataclass(frozen=True, slots=True)
class GroupAt:
    """A group of this device, as a router knows it."""

    tag: str
    level: PrivacyLevel
    secret: bytes = field(repr=False)
    own: Membership = field(repr=False)
    """By which this device shows that it belongs to it."""

    @classmethod
    def of(cls, secret: bytes, level: PrivacyLevel, router: bytes, identity: bytes) -> GroupAt:
        """For the router and the device with these Ed25519 keys."""
        return cls(group_tag(secret, router), level, secret, membership(secret, router, identity))


@dataclass(frozen=True, slots=True)
class Selected:
    """A device that may be asked."""

    card: NodeCard = field(repr=False)
    level: PrivacyLevel
    """The nearest group that it shares with this device."""
    offer: ModelOffer
    """The model that it will probably answer with."""
    credit: int
    groups: tuple[str, ...] = ()
    """Tags of the groups that it has proved to be in."""


@dataclass(frozen=True, slots=True)
class Checks:
    """What this device knows about others."""

    see: Callable[[Signed, bool], NodeCard]
    """Checks a card against all that is known and pins it, with its name or without; raises CardError,
    MessageError."""
    refuses: Callable[[str], bool]
    """Whether a device is not to be asked: blocked by the user, in quarantine, or this one."""


def check(
    candidates: Sequence[Candidate],
    checks: Checks,
    groups: Sequence[GroupAt],
    level: PrivacyLevel,
    tokens: int,
    model: str | None = None,
) -> list[Selected]:
    """Those that may be asked a question of this level and length, and offer this model or, with None, any.

    Raises:
        CardError, MessageError: nobody is left, and this is why the first one is not.
        NoWorkerFits: nobody is left.
    """
    selected: dict[str, Selected] = {}
    error: NetworkError | None = None
    for candidate in candidates:
        try:
            shared = _shared(candidate, verify_own(candidate.card, NodeCard), groups)
            card = checks.see(candidate.card, bool(shared))
        except (CardError, MessageError) as refused:
            log.warning("a device was not asked: %s", type(refused).__name__)
            error = error or refused
            continue
        nearest = min(
            (group.level for group in shared), key=lambda one: one.rank, default=PrivacyLevel.PUBLIC
        )
        offer = _offer(card, tokens, model)
        if offer is None or not level.reaches(nearest) or checks.refuses(card.node):
            continue
        tags = tuple(group.tag for group in shared)
        selected[card.node] = Selected(card, nearest, offer, max(1, candidate.credit), tags)
    if not selected:
        raise error or NoWorkerFits(found=0, wanted=1)
    return list(selected.values())


def draw(
    selected: Sequence[Selected],
    trust: Callable[[Selected], float],
    measured: Callable[[str], dict[str, float]],
    *,
    workers: int,
    spares: int,
    language: str | None,
    model: str | None = None,
    topics: frozenset[str] = frozenset(),
    chance: bytes,
) -> Choice:
    """Workers and spares, by `network.balancing`: near ones first, then by trust, speed, topic and chance."""
    wish = Wish(
        model=model,
        languages=frozenset({language} if language else ()),
        topics=topics,
        workers=workers,
        spares=spares,
        nearest_first=True,
    )
    pool = [
        worker_of(
            one.card,
            credit=one.credit,
            nearness=NEARNESS[one.level],
            trust=trust(one),
            measured=measured(one.card.node),
        )
        for one in selected
    ]
    return choose(wish, pool, chance)


def ticket_for(
    found: Candidates, choice: Choice, router: bytes, *, job: str, asker: str, now: int
) -> Signed | None:
    """The router's ticket, where it says just what was chosen; a choice of one's own goes without."""
    nodes = [*choice.workers, *choice.spares]
    try:
        ticket = check_ticket(found.ticket, router, job=job, asker=asker, nodes=nodes, now=now)
    except (MessageError, SignatureInvalid):
        return None
    return found.ticket if ticket.workers == choice.workers else None


def _shared(candidate: Candidate, card: NodeCard, groups: Sequence[GroupAt]) -> list[GroupAt]:
    shown = {member.group: member for member in candidate.memberships}
    return [
        group
        for group in groups
        if group.tag in shown and is_member(group.secret, shown[group.tag], card.identity)
    ]


def _offer(card: NodeCard, tokens: int, model: str | None) -> ModelOffer | None:
    """The fastest model with a large enough window, or the one that is wished."""
    fitting = [
        offer
        for offer in card.models
        if offer.context_tokens >= tokens and (model is None or offer.model == model)
    ]
    return max(fitting, key=lambda offer: offer.tokens_per_second, default=None)
