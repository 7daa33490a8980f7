"""What happens while a question is answered, in this order:

    Started → Retrieved? → (Thinking | Token | Replaced | Asked)* → Finished | Stopped | Failed

Every event carries values only, so that the same stream feeds the screen, the terminal and,
later, the wire.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.core.messages import ChatMessage
from app.core.provenance import Provenance


@dataclass(frozen=True, slots=True)
class Started:
    """The question is stored; from now on a kill loses half a second at most."""

    question: ChatMessage
    answer: ChatMessage
    """What the next words follow: empty, unless an answer is continued."""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The documents were searched."""

    searched: int
    relevant: int
    searched_for: str | None = None
    """What was searched for, where that is not the question itself."""


@dataclass(frozen=True, slots=True)
class Thinking:
    """More of the model's thoughts."""

    text: str


@dataclass(frozen=True, slots=True)
class Token:
    """More of the answer; one or several tokens."""

    text: str


@dataclass(frozen=True, slots=True)
class Replaced:
    """The answer so far is void: another device's words, or this one's, stand in its place."""

    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Other devices are asked, or were in vain: how that stands."""

    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer is complete, or cut off at a limit: `answer.state` tells."""

    answer: ChatMessage


@dataclass(frozen=True, slots=True)
class Stopped:
    """The user stopped the answer; what was written stays, and what nothing has replaced, too."""

    answer: ChatMessage


@dataclass(frozen=True, slots=True)
class Failed:
    """Something broke; what was written stays, and what nothing has replaced, too."""

    answer: ChatMessage
    error: Exception


Event = Started | Retrieved | Thinking | Token | Replaced | Asked | Finished | Stopped | Failed
