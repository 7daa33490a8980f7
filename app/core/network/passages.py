"""The passages that several devices rest their answers on, as one numbered list.

The same passage, found by two devices, stands there once, as given by both. Where there are too many, the
most trusted devices' passages are kept, and those that several have found. What is kept is in the order of
nearness to the question, as this device's embedder has it: how a device ranks its own says nothing about
another's, and of many lists the first places would fill the whole. Without an embedder it is in the order of
trust. The numbers in the answers are changed to those of the list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from app.core.citations import MOST_CITED, cited_numbers, renumbered
from app.core.messages import Citation
from network.aggregation import merge_ranked, normalised

MOST_ADDED = 12
"""Passages of others beside those of the answer that is shown."""
_ALIKE = 0.8
"""So much of the shorter quotation's words stands in the longer one, where both are from one place."""
_LONGEST_RATIO = 3
"""A quotation that is so many times as long as another one is not the same."""
_TELLING_WORDS = 8
"""So many words in the same order are no accident, whatever each device calls the document."""


@dataclass(frozen=True, slots=True)
class QuotedAnswer:
    """What one device has said, and what it says that this rests on, in the order of its citations."""

    node: str
    trust: float
    text: str = field(repr=False)
    sources: tuple[Citation, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class MergedPassages:
    """One list for all answers."""

    sources: tuple[Citation, ...]
    """Numbered; each tells who gave it, the most trusted first."""
    texts: dict[str, str] = field(repr=False)
    """For each node its answer, with the numbers of the list."""


Nearness = Mapping[tuple[str, int], float]
"""How near a passage is to the question, by node and by the number that it has there."""


def merge_passages(
    answers: Sequence[QuotedAnswer], shown: str, nearness: Nearness | None = None
) -> MergedPassages:
    """Put the passages of several devices together; those of `shown` are all kept.

    Where only one device gives passages, its numbers stay as they are: nothing jumps on the screen. A number
    that an answer uses though its device gave no such passage is given to no passage of another device.
    """
    giving = sorted((one for one in answers if one.sources), key=lambda one: one.trust, reverse=True)
    texts = {one.node: one.text for one in answers}
    if not giving:
        return MergedPassages((), texts)
    if len(giving) == 1 and giving[0].node == shown:
        [only] = giving
        return MergedPassages(tuple(replace(one, given_by=(only.node,)) for one in only.sources), texts)
    found = _found(giving)
    ranks = merge_ranked(
        [[found.place_of[one.node, source.number] for source in one.sources] for one in giving],
        [max(0.01, one.trust) ** 2 for one in giving],
    )
    taken = {number for one in answers for number in _without_source(one)}
    free = [number for number in range(1, MOST_CITED + 1) if number not in taken]
    kept = _kept(ranks, found, shown, len(free))
    if nearness is not None:
        near: dict[int, float] = {}
        for key, place in found.place_of.items():
            near[place] = max(near.get(place, -1.0), nearness.get(key, -1.0))
        kept.sort(key=lambda place: -near[place])
    number_of = dict(zip(kept, free, strict=False))
    return MergedPassages(
        tuple(
            replace(found.sources[place], number=number, given_by=tuple(found.givers[place]))
            for place, number in number_of.items()
        ),
        {
            one.node: renumbered(
                one.text,
                {
                    source.number: number_of.get(found.place_of[one.node, source.number])
                    for source in one.sources
                },
            )
            for one in answers
        },
    )


@dataclass(slots=True)
class _Found:
    """Different passages, and who has found which."""

    sources: list[Citation] = field(default_factory=list)
    givers: list[dict[str, None]] = field(default_factory=list)
    place_of: dict[tuple[str, int], int] = field(default_factory=dict)
    """By node and by the number that it has there."""


def _found(giving: Sequence[QuotedAnswer]) -> _Found:
    """The most trusted first: its words stand for those of all that have found the same."""
    found = _Found()
    for one in giving:
        for source in one.sources:
            place = next((at for at, known in enumerate(found.sources) if same_passage(known, source)), None)
            if place is None:
                place = len(found.sources)
                found.sources.append(source)
                found.givers.append({})
            found.givers[place].setdefault(one.node)
            found.place_of[one.node, source.number] = place
    return found


def same_passage(one: Citation, other: Citation) -> bool:
    """Whether two devices quote the same: the same words, or nearly those of one page of one document."""
    mine, theirs = normalised(one.text), normalised(other.text)
    if mine == theirs and len(mine.split()) >= _TELLING_WORDS:
        return True
    if normalised(one.document_title) != normalised(other.document_title):
        return False
    if None not in (one.page, other.page) and one.page != other.page:
        return False
    if not mine or not theirs:
        return one.page == other.page
    return mine == theirs or _alike(set(mine.split()), set(theirs.split()))


def _alike(one: set[str], other: set[str]) -> bool:
    shorter, longer = sorted((one, other), key=len)
    if len(longer) > _LONGEST_RATIO * len(shorter):
        return False
    return len(shorter & longer) >= _ALIKE * len(shorter)


def _kept(ranks: Sequence[int], found: _Found, shown: str, room: int) -> list[int]:
    """The passages of the shown answer, and as many of the others as the list takes; the best first."""
    own = {place for (node, _), place in found.place_of.items() if node == shown}
    others = [place for place in ranks if place not in own][: max(0, min(MOST_ADDED, room - len(own)))]
    return [place for place in ranks if place in own or place in others]


def _without_source(one: QuotedAnswer) -> set[int]:
    return set(cited_numbers(one.text)) - {source.number for source in one.sources}
