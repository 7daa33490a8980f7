"""Which workers answer a question: a decision by plain functions, without clock, chance or network.

The same function serves an asker's app, which chooses from signed cards, and a router. Chance enters as
`draw`, bytes that nobody who gains by it can choose: an app takes random ones, a router mixes a secret of its
own with the number of the job. The same bytes lead to the same choice, whatever the order of the list.

Who fits at all: a free slot, the model, the languages, and near enough for the privacy that was chosen. Among
those, chance decides with weights:

    trust²  ×  speed  ×  free slots  ×  topic  ×  nearness in time

A worker with twice the trust is drawn four times as often; nobody who fits is never drawn, so that newcomers
can earn trust, and no fast worker gets everything.
"""

from __future__ import annotations

import hashlib
import heapq
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from network.errors import NoWorkerFits
from network.protocol.cards import NodeCard


class Nearness(IntEnum):
    """Whose device it is: the steps of the privacy ladder above "this device"."""

    MINE = 1
    CIRCLE = 2
    PUBLIC = 3


@dataclass(frozen=True, slots=True)
class Wish:
    """What a question needs."""

    model: str | None = None
    """None: any model will do."""
    languages: frozenset[str] = frozenset()
    """All of them must be spoken."""
    topics: frozenset[str] = frozenset()
    """Preferred, not demanded."""
    workers: int = 3
    spares: int = 2
    reach: Nearness = Nearness.PUBLIC
    """Nobody further away is ever chosen."""
    nearest_first: bool = False
    """Take my own devices before the circle's, and those before strangers', however fast these are."""


@dataclass(frozen=True, slots=True)
class Worker:
    """What is known about a worker now."""

    node: str
    models: Mapping[str, float]
    """Tokens per second for each model, as measured; 0 where unknown."""
    languages: frozenset[str] = frozenset()
    """Empty: it does not say, and counts as speaking all."""
    topics: frozenset[str] = frozenset()
    credit: int = 1
    """How many more questions it takes."""
    nearness: Nearness = Nearness.PUBLIC
    trust: float = 0.5
    """0 to 1; a half for someone unknown."""
    round_trip_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """The workers that answer, and those that step in when one fails, in that order."""

    workers: tuple[str, ...] = ()
    spares: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each thing counts. Changed for experiments; the defaults are what the tests expect."""

    usual_speed: float = 20.0
    """Tokens per second at which a reader does not wait any more: faster counts no more."""
    unknown_speed: float = 0.3
    slowest: float = 0.02
    topic: float = 9.0
    """A worker for all the topics is drawn ten times as often as one for none."""
    usual_round_trip: float = 0.1
    unknown_round_trip: float = 0.5
    least_trust: float = 0.05


DEFAULT_WEIGHTS = Weights()


def worker_of(
    card: NodeCard,
    *,
    credit: int,
    nearness: Nearness,
    trust: float = 0.5,
    round_trip_seconds: float | None = None,
    measured: Mapping[str, float] | None = None,
) -> Worker:
    """A worker from its card; `measured` tokens per second replace what the card claims."""
    claimed = {offer.model: float(offer.tokens_per_second) for offer in card.models}
    known = {model: speed for model, speed in (measured or {}).items() if model in claimed}
    return Worker(
        node=card.node,
        models={**claimed, **known},
        languages=frozenset(card.languages),
        topics=frozenset(card.topics),
        credit=min(credit, card.slots),
        nearness=nearness,
        trust=trust,
        round_trip_seconds=round_trip_seconds,
    )


def fits(wish: Wish, worker: Worker) -> bool:
    """Whether the worker can take the question at all."""
    return (
        worker.credit > 0
        and worker.nearness <= wish.reach
        and (wish.model in worker.models if wish.model is not None else bool(worker.models))
        and (not worker.languages or wish.languages <= worker.languages)
    )


def weight(wish: Wish, worker: Worker, weights: Weights = DEFAULT_WEIGHTS) -> float:
    """How often this worker is drawn, relative to others that fit; above 0."""
    speed = worker.models[wish.model] if wish.model is not None else max(worker.models.values())
    pace = min(1.0, max(weights.slowest, speed / weights.usual_speed)) if speed > 0 else weights.unknown_speed
    topics = len(wish.topics & worker.topics) / len(wish.topics) if wish.topics else 0.0
    way = (
        weights.unknown_round_trip
        if worker.round_trip_seconds is None
        else weights.usual_round_trip / (weights.usual_round_trip + max(0.0, worker.round_trip_seconds))
    )
    trust = min(1.0, max(weights.least_trust, worker.trust))
    room = worker.credit / (worker.credit + 1)
    return trust**2 * pace * room * (1 + weights.topic * topics) * way


def choose(wish: Wish, workers: Iterable[Worker], draw: bytes, weights: Weights = DEFAULT_WEIGHTS) -> Choice:
    """The workers and spares for one question: all different, fewer than wished where fewer fit.

    Raises:
        NoWorkerFits: nobody fits.
    """
    choice = _choose(wish, list(workers), draw, weights)
    if not choice.workers:
        raise NoWorkerFits(found=0, wanted=wish.workers)
    return choice


def _choose(wish: Wish, workers: Sequence[Worker], draw: bytes, weights: Weights) -> Choice:
    """Weighted drawing without putting back, as a race of exponential clocks: the first to ring are taken.

    Source: Efraimidis and Spirakis, Weighted random sampling with a reservoir, 2006.
    """
    start = hashlib.sha256(b"dai draw 1\x00" + len(draw).to_bytes(4, "big") + draw)
    first = heapq.nsmallest(
        wish.workers + wish.spares,
        (
            (
                worker.nearness if wish.nearest_first else 0,
                -math.log(_chance(start, worker.node)) / weight(wish, worker, weights),
                worker.node,
            )
            for worker in workers
            if fits(wish, worker)
        ),
    )
    nodes = tuple(node for _, _, node in first)
    return Choice(nodes[: wish.workers], nodes[wish.workers : wish.workers + wish.spares])


def _chance(start: hashlib._Hash, node: str) -> float:
    """A number above 0 and at most 1 that depends on nothing but the draw and the node."""
    lot = start.copy()
    lot.update(node.encode())
    return (int.from_bytes(lot.digest()[:7], "big") >> 3) / 2**53 + 2**-53
