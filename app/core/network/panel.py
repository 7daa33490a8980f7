"""Everybody who was asked one question: who says what, and whose words are shown.

The best-trusted worker leads: its words are shown as they come. Where it is silent while another one speaks
already, it is waited for a moment, and then the other one leads; a leader changes only when it fails. Time is
an argument, and nothing here waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.core.foreign_text import harmless
from app.core.messages import Citation
from app.core.provenance import PrivacyLevel, Reply, ReplyState
from network.asked import Began, Refused, Said
from network.protocol.content import AnswerCitation, AnswerEnd, AnswerFailed, AnswerText
from network.protocol.fields import FinishReason
from network.protocol.receipts import Receipt

GRACE_SECONDS = 1.5
"""So long the words of others wait for those of the best-trusted."""
LOST_SECONDS = 4.0
"""A worker that writes sends a part every fifth of a second. Who is silent for so long, while another one
speaks, has lost its connection."""
STALL_SECONDS = 10.0
"""A leader that finds no more words for so long, while another answer is whole, is not waited for."""
LONGEST_TEXT = 400_000
"""Characters of one answer; what exceeds it is not kept. No model writes so much to one question."""


@dataclass(slots=True)
class Seat:
    """One device that was asked, and what it has said."""

    node: str
    name: str
    level: PrivacyLevel
    model: str
    trust: float
    spare: bool = False
    """It speaks only where another one fails."""
    state: ReplyState = ReplyState.ASKED
    text: str = field(default="", repr=False)
    citations: dict[int, AnswerCitation] = field(default_factory=dict, repr=False)
    """By number, of which there are 99: whoever sends more of them fills no memory."""
    finish: FinishReason = "complete"
    tokens: int = 0
    seconds: float = 0.0
    heard_at: float = 0.0
    words_at: float = 0.0

    def reply(self, *, agrees: bool | None = None, keep_text: bool = False) -> Reply:
        """As it is stored with the answer."""
        return Reply(
            node=self.node,
            name=self.name,
            level=self.level,
            model=self.model,
            state=self.state,
            agrees=agrees,
            trust=self.trust,
            tokens=self.tokens,
            seconds=round(self.seconds, 3),
            text=self.text if keep_text else "",
        )

    def sources(self) -> tuple[Citation, ...]:
        """What it says that its answer rests on, of its owner's documents; they are not on this device."""
        return tuple(
            Citation(each.number, 0, 0, harmless(each.title), each.page, None, harmless(each.quote))
            for each in self.citations.values()
        )


class Panel:
    """The seats of one question. Not thread-safe."""

    def __init__(self, seats: Sequence[Seat], wanted: int, now: float) -> None:
        """`seats` in the order of the request, workers before spares; `wanted` of them shall answer."""
        self.seats = {seat.node: seat for seat in seats}
        self.wanted = wanted
        self._asked_at = now
        self._first_words: float | None = None
        self._leader: str | None = None

    def hear(self, news: Began | Said | Refused, now: float) -> None:
        """Somebody has said something; a message that was not believed changes nothing."""
        seat = self.seats[news.node]
        seat.heard_at = now
        match news:
            case Began():
                seat.text, seat.state = "", ReplyState.WRITING
                seat.citations.clear()
            case Said(_, AnswerText(text=text)):
                seat.text = (seat.text + harmless(text))[:LONGEST_TEXT]
                seat.words_at = now if text else seat.words_at
                if seat.text.strip() and self._first_words is None:
                    self._first_words = now
            case Said(_, AnswerCitation() as citation):
                seat.citations.setdefault(citation.number, citation)
            case Said(_, AnswerEnd(finish=finish)):
                seat.finish = finish
                self._ended(seat, ReplyState.WHOLE if seat.text.strip() else ReplyState.FAILED, now)
            case Said(_, AnswerFailed()):
                self._ended(seat, ReplyState.FAILED, now)
            case Refused():
                pass

    def receipted(self, receipt: Receipt) -> None:
        """Its receipt was checked."""
        seat = self.seats[receipt.node]
        seat.tokens = receipt.tokens
        seat.model = receipt.model

    def declined(self, node: str) -> None:
        """The router says that a device does not answer."""
        if (seat := self.seats.get(node)) is not None and seat.state is not ReplyState.WHOLE:
            seat.state = ReplyState.FAILED

    def leader(self, now: float) -> Seat | None:
        """Whose words are shown now; None before anybody may speak."""
        speaking = [seat for seat in self.seats.values() if self._speaks(seat)]
        if self._leader is not None and not self._lost(self.seats[self._leader], speaking, now):
            return self.seats[self._leader]
        if not speaking:
            self._leader = None
            return None
        latest = max(seat.heard_at for seat in speaking)
        best = max(
            speaking,
            key=lambda seat: (
                seat.state is ReplyState.WHOLE,
                latest - seat.heard_at < LOST_SECONDS,
                seat.trust,
            ),
        )
        awaited = max((seat.trust for seat in self.seats.values() if self._may_come(seat)), default=0.0)
        if awaited <= best.trust or best.state is ReplyState.WHOLE or now >= (self.decides_at or now):
            self._leader = best.node
            return best
        return None

    @property
    def decides_at(self) -> float | None:
        """When somebody leads at the latest; None before the first words."""
        return None if self._first_words is None else self._first_words + GRACE_SECONDS

    @property
    def whole(self) -> list[Seat]:
        """Those whose answers are whole, in the order of the request."""
        return [seat for seat in self.seats.values() if seat.state is ReplyState.WHOLE]

    @property
    def done(self) -> bool:
        """Whether as many have answered as were wanted."""
        return len(self.whole) >= self.wanted

    def leave_out(self) -> None:
        """Nobody waits for the rest any more."""
        for seat in self.seats.values():
            if seat.state in (ReplyState.ASKED, ReplyState.WRITING):
                seat.state = ReplyState.LEFT_OUT

    @staticmethod
    def _lost(leader: Seat, speaking: Sequence[Seat], now: float) -> bool:
        if leader.state is ReplyState.WRITING:
            stalls = now - leader.words_at >= STALL_SECONDS
            return any(
                seat.heard_at - leader.heard_at >= LOST_SECONDS or (stalls and seat.state is ReplyState.WHOLE)
                for seat in speaking
            )
        return leader.state is not ReplyState.WHOLE

    @staticmethod
    def _speaks(seat: Seat) -> bool:
        return bool(seat.text.strip()) and seat.state in (ReplyState.WRITING, ReplyState.WHOLE)

    @staticmethod
    def _may_come(seat: Seat) -> bool:
        return seat.state in (ReplyState.ASKED, ReplyState.WRITING) and not seat.spare

    def _ended(self, seat: Seat, state: ReplyState, now: float) -> None:
        seat.state, seat.seconds = state, now - self._asked_at
