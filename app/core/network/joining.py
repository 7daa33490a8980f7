"""From several answers to the one that stands in the end, and how far the others agree with it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.core.citations import renumbered
from app.core.network.panel import Seat
from app.core.network.passages import Nearness, QuotedAnswer
from app.core.provenance import JoinedBy
from network.aggregation import Opinion, medoid, vote

log = logging.getLogger(__name__)

Meanings = Callable[[Sequence[str]], tuple[npt.NDArray[np.float32], float]]
"""Vectors of texts, and from which cosine on two of them say the same. Blocks."""


def no_meanings(texts: Sequence[str]) -> tuple[npt.NDArray[np.float32], float]:
    """Where there is no embedder: longer answers are not compared."""
    raise LookupError("no embedder")


_LONGEST_COMPARED = 4_000
"""Characters; the meaning of an answer is clear by then, and an embedder reads no more."""


@dataclass(frozen=True, slots=True)
class Joined:
    """What became of the answers."""

    best: Seat
    by: JoinedBy
    agrees: dict[str, bool]
    """For each node whether it says the same as the best one. Empty where nothing was compared."""
    supported: dict[str, bool | None]
    """For each node whether anybody agrees with it; None where nobody agrees with anybody."""

    @classmethod
    def alone(cls, seat: Seat) -> Joined:
        """Nobody to compare it with."""
        return cls(seat, JoinedBy.ALONE, {}, {})


async def join(seats: Sequence[Seat], shown: Seat, meanings: Meanings) -> Joined:
    """Compare whole answers: by the letter where all are short, else by meaning.

    Where the one that is shown already says the same as the best one, it stays: nothing jumps on the screen.
    """
    trust = [seat.trust for seat in seats]
    if len(seats) < 2:
        return Joined.alone(shown)
    texts = [_compared(seat) for seat in seats]
    opinion, by = vote(texts, trust), JoinedBy.VOTE
    if opinion is None:
        by = JoinedBy.MEANING
        try:
            vectors, same = await asyncio.to_thread(meanings, [text[:_LONGEST_COMPARED] for text in texts])
            opinion = medoid(vectors, trust, same)
        except Exception as error:  # noqa: BLE001 - without an embedder the first answer stands
            log.warning("answers were not compared: %s", type(error).__name__)
            return Joined.alone(shown)
    return _joined(seats, shown, opinion, by)


def _compared(seat: Seat) -> str:
    """Each numbers its sources as it likes: two say the same whatever numbers they cite."""
    return renumbered(seat.text, dict.fromkeys(seat.citations))


def _joined(seats: Sequence[Seat], shown: Seat, opinion: Opinion, by: JoinedBy) -> Joined:
    best = seats[opinion.best]
    agreeing = [seats[place] for place in opinion.agreeing]
    if shown in agreeing or not opinion.supported:
        best = shown  # of one opinion with the best; or everybody says something else
    same = {seat.node for seat in agreeing} if best in agreeing else {best.node}
    return Joined(
        best,
        by,
        {seat.node: seat.node in same for seat in seats},
        {seat.node: opinion.agreed(place) for place, seat in enumerate(seats)},
    )


async def nearness(question: str, answers: Sequence[QuotedAnswer], meanings: Meanings) -> Nearness | None:
    """How near the passages of several devices are to the question; None where one device gave them all."""
    giving = [one for one in answers if one.sources]
    if len(giving) < 2:
        return None
    keys = [(one.node, source.number) for one in giving for source in one.sources]
    texts = [source.text or source.document_title for one in giving for source in one.sources]
    try:
        vectors, _ = await asyncio.to_thread(
            meanings, [text[:_LONGEST_COMPARED] for text in (question, *texts)]
        )
    except Exception as error:  # noqa: BLE001 - without an embedder trust decides on the order
        log.warning("passages were not compared: %s", type(error).__name__)
        return None
    return dict(zip(keys, (vectors[1:] @ vectors[0]).tolist(), strict=True))
