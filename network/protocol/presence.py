"""How busy a worker is."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from network.protocol.fields import Slots, Time
from network.protocol.message import Message

Pause = Literal["", "owner", "busy", "battery", "metered", "hours", "quota", "hot"]
"""Why a worker takes nothing now: its owner's wish or own chat, or one of the limits that were set."""

ByeReason = Literal["sleep", "quit", "restart", "replaced", "refused"]


class Presence(Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A worker's sign of life, and its credit: how many questions it takes from now on."""

    credit: Slots
    running: Slots
    pause: Pause = ""


class Ping(Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A router's sign of life; its clock lets a worker notice that its own is wrong."""

    time: Time


class Bye(Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The last message of either side. A worker's questions go to others at once."""

    reason: ByeReason
    retry_seconds: Annotated[int, Meta(ge=0, le=86_400)] = 0
    """A router's wish when to come back; add up to as much again by chance."""
