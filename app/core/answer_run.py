"""One answer while it is written: what it answers, where its words go, and the switch that stops it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from app.core.draft import Draft
from app.core.messages import ChatMessage, Citation
from app.core.network.departure import Departure
from app.core.stopping import StopSwitch


@dataclass(frozen=True, slots=True)
class AnswerRun:
    """One answer being written."""

    question: ChatMessage
    draft: Draft
    sources: tuple[Citation, ...] | None = None
    """For an answer that is continued: what it rests on. None: the documents are asked."""
    departure: Departure | None = None
    """What other devices are asked with; None: this device answers."""
    stop: StopSwitch = field(default_factory=StopSwitch)
    others: StopSwitch = field(default_factory=StopSwitch)
    """Ends the asking of other devices only: this one answers then."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def end(self) -> None:
        """The user wants no more of it."""
        self.stop.press()
        self.others.press()
