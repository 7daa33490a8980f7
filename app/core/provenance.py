"""Where an answer comes from: who gave it, how far others agree, and what left this device for it.

It is stored with the answer and shown beneath it, so that it can be looked up for as long as the answer is
there. It names devices, amounts and the router, never what was asked.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class PrivacyLevel(StrEnum):
    """How far a conversation's questions may travel; each step includes those before it."""

    DEVICE = "device"
    """Nowhere."""
    MY_DEVICES = "my_devices"
    CIRCLE = "circle"
    """Devices of people that the user has chosen."""
    PUBLIC = "public"
    """Strangers that volunteer."""

    @property
    def rank(self) -> int:
        """The higher, the farther."""
        return tuple(PrivacyLevel).index(self)

    def reaches(self, other: PrivacyLevel) -> bool:
        """Whether a question of this level goes as far as one of `other`."""
        return self.rank >= other.rank


class ReplyState(StrEnum):
    """How far the answer of one device has come."""

    ASKED = "asked"
    WRITING = "writing"
    WHOLE = "whole"
    FAILED = "failed"
    """It could not, or fell silent; a spare may have taken its place."""
    LEFT_OUT = "left_out"
    """Nobody waited for it to the end."""


class JoinedBy(StrEnum):
    """How several answers became one."""

    ALONE = "alone"
    """There was only one."""
    MEANING = "meaning"
    """The one in the middle of all by its meaning, weighed by trust."""
    VOTE = "vote"
    """The most frequent one; for answers that are short enough to be the same to the letter."""
    FUSED = "fused"
    """This device's own model has put them together."""


class NotFused(StrEnum):
    """Why this device's own model has not put the answers together, though the user wished it."""

    NO_MODEL = "no_model"
    """There is none, or it is on a server: the answers of others go to no third party."""
    TOO_SLOW = "too_slow"
    TOO_LONG = "too_long"
    """The answers do not fit into its context window."""
    STOPPED = "stopped"
    """By the user, for whom the answer that stands is enough."""
    FAILED = "failed"


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """One device that was asked."""

    node: str
    name: str = ""
    """As the user or its owner calls it; empty for volunteers."""
    level: PrivacyLevel = PrivacyLevel.PUBLIC
    """The nearest group that it shares with this device."""
    model: str = ""
    state: ReplyState = ReplyState.ASKED
    agrees: bool | None = None
    """With the answer that is shown; None: not compared."""
    trust: float = 0.5
    """From 0 to 1, when it was asked."""
    tokens: int = 0
    seconds: float = 0.0
    """From the question to its end."""
    text: str = ""
    """What it said, where it says something else than what is shown; of all of them where they are to be put
    together."""


class Departed(msgspec.Struct, frozen=True, kw_only=True):
    """What left this device."""

    turns: int
    """Messages of the conversation, the question and any instructions among them."""
    passages: int
    files: int = 0
    """Whole ones."""
    bytes: int
    """Before it was sealed."""
    hidden: int = 0
    """Texts that stayed here, with a placeholder in their place."""


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about an answer that other devices were asked for."""

    level: PrivacyLevel
    router: str = ""
    """Its name for the user; empty: none was reached."""
    departed: Departed | None = None
    """None: nothing left this device."""
    replies: tuple[Reply, ...] = ()
    shown: str = ""
    """The device whose words are shown; empty: this one's."""
    joined_by: JoinedBy = JoinedBy.ALONE
    position: int = 0
    """Questions before this one at the router."""
    fallback: str = ""
    """Name of the error because of which this device has answered itself; empty: it has not."""
    comparing: bool = False
    """The words shown are whole; those of other devices are waited for."""
    fusing: bool = False
    """This device's own model puts the answers together."""
    not_fused: NotFused | None = None
    """Why it has not, where it was to."""

    @property
    def whole(self) -> tuple[Reply, ...]:
        """Those that have answered."""
        return tuple(reply for reply in self.replies if reply.state is ReplyState.WHOLE)

    @property
    def agreeing(self) -> int:
        """How many of them agree with what is shown, the shown one included."""
        return sum(reply.agrees is True for reply in self.whole)

    @property
    def other_views(self) -> tuple[Reply, ...]:
        """Those that say something else."""
        return tuple(
            reply
            for reply in self.whole
            if reply.agrees is False and reply.text and self.joined_by is not JoinedBy.FUSED
        )

    @property
    def originals(self) -> tuple[Reply, ...]:
        """The answers that were put together, where they were."""
        return self.whole if self.joined_by is JoinedBy.FUSED else ()

    def reply_of(self, node: str) -> Reply | None:
        """What a device has said."""
        return next((reply for reply in self.replies if reply.node == node), None)
