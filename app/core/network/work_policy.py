"""When this device works for others, and how much: the owner's rules, and the decision by them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from app.core.json_file import decoded_object, encoded, usable
from app.core.state_file import StateFile
from network.protocol.fields import TopicTag
from network.protocol.presence import Pause

MINUTES_PER_DAY = 24 * 60

_Minute = Annotated[int, Meta(ge=0, lt=MINUTES_PER_DAY)]
_Ids = Annotated[tuple[str, ...], Meta(max_length=64)]


class WorkHours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of every day, in minutes since midnight; it may run past midnight."""

    start: _Minute
    end: _Minute

    def contain(self, minute: int) -> bool:
        """Whether a minute of the day is in them. From 22:00 to 22:00 is the whole day."""
        if self.start < self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end


class WorkPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the owner allows. Nothing is allowed before `enabled` is set."""

    enabled: bool = False
    """Whether questions of others are answered at all."""
    paused: bool = False
    """Not now; set by hand, and kept until it is taken back."""
    routers: _Ids | None = None
    """Which routers, by id; None: all that are used."""
    groups: _Ids | None = None
    """Which groups' members are answered, by id; None: all of them."""
    public: bool = False
    """Whether strangers are answered, too."""
    model_id: str | None = None
    """Which model answers; None: the one that the owner chats with, or else the first here."""
    slots: Annotated[int, Meta(ge=1, le=4)] = 1
    """Questions at the same time."""
    idle_minutes: Annotated[int, Meta(ge=0, le=240)] = 0
    """Only after the owner has not used the app for so long. 0: at once, but never during an answer."""
    only_charging: bool = True
    """Only while the device does not live from its battery."""
    only_unmetered: bool = True
    """Never over a connection that is paid by the byte. A desktop that does not tell counts as free."""
    hours: WorkHours | None = None
    """Only in this part of the day."""
    daily_questions: Annotated[int, Meta(ge=0, le=100_000)] = 200
    """Questions a day; 0: no limit."""
    daily_tokens: Annotated[int, Meta(ge=0, le=100_000_000)] = 0
    """Tokens of answers a day; 0: no limit."""
    hottest_celsius: Annotated[int, Meta(ge=0, le=110)] = 85
    """Not while the processor is hotter, where that can be read. 0: no limit."""
    max_answer_tokens: Annotated[int, Meta(ge=16, le=32_768)] = 1024
    """No answer is longer."""
    topics: Annotated[tuple[TopicTag, ...], Meta(max_length=16)] = ()
    """What the shared documents are about, in the owner's words; anybody can read that. Where strangers are
    answered, the fields of public documents come beside it (`app/core/network/topics.py`)."""
    keep_contents: bool = False
    """Whether the log keeps questions and answers. Askers do not expect it."""


class Obstacle(StrEnum):
    """Why no question is taken at the moment."""

    PAUSED = "paused"
    OWNER_BUSY = "owner_busy"
    OWNER_THERE = "owner_there"
    HOURS = "hours"
    BATTERY = "battery"
    METERED = "metered"
    HOT = "hot"
    QUOTA = "quota"

    @property
    def wire(self) -> Pause:
        """As routers are told."""
        return _WIRE[self]

    @property
    def urgent(self) -> bool:
        """Whether what runs is given back at once, instead of being finished."""
        return self in (Obstacle.PAUSED, Obstacle.OWNER_BUSY, Obstacle.HOT, Obstacle.METERED)


_WIRE: dict[Obstacle, Pause] = {
    Obstacle.PAUSED: "owner",
    Obstacle.OWNER_BUSY: "owner",
    Obstacle.OWNER_THERE: "owner",
    Obstacle.HOURS: "hours",
    Obstacle.BATTERY: "battery",
    Obstacle.METERED: "metered",
    Obstacle.HOT: "hot",
    Obstacle.QUOTA: "quota",
}


@dataclass(frozen=True, slots=True)
class Situation:
    """How things are now. None: this device does not tell."""

    minute: int
    """Of the day, by the clock on the wall."""
    owner_busy: bool = False
    idle_seconds: float = 0.0
    charging: bool | None = True
    """True for a device without a battery."""
    metered: bool | None = False
    celsius: float | None = None
    questions_today: int = 0
    tokens_today: int = 0


def obstacle(policy: WorkPolicy, now: Situation) -> Obstacle | None:
    """What stands in the way of taking a question, the weightiest first; None: nothing does.

    Where the owner has asked for power or for a free connection and the device does not tell, it does not
    work: an empty battery cannot be taken back. A temperature that nobody can read is no obstacle.
    """
    if policy.paused:
        return Obstacle.PAUSED
    if now.owner_busy:
        return Obstacle.OWNER_BUSY
    if now.idle_seconds < policy.idle_minutes * 60:
        return Obstacle.OWNER_THERE
    if policy.hours is not None and not policy.hours.contain(now.minute):
        return Obstacle.HOURS
    if policy.only_charging and not now.charging:
        return Obstacle.BATTERY
    if policy.only_unmetered and now.metered is not False:
        return Obstacle.METERED
    if policy.hottest_celsius and now.celsius is not None and now.celsius > policy.hottest_celsius:
        return Obstacle.HOT
    if 0 < policy.daily_questions <= now.questions_today or 0 < policy.daily_tokens <= now.tokens_today:
        return Obstacle.QUOTA
    return None


class WorkPolicyStore:
    """The policy of this device, in a file of its own."""

    def __init__(self, path: Path) -> None:
        self._file = StateFile(path, _decoded, mend=_mended, encode=encoded)
        self._current = self._file.read() or WorkPolicy()

    @property
    def current(self) -> WorkPolicy:
        """As it is now."""
        return self._current

    def change(self, **values: object) -> WorkPolicy:
        """Set some values and keep them.

        Raises:
            msgspec.ValidationError: a value is out of range or of the wrong type.
            OSError: it cannot be kept.
        """
        changed = changed_policy(self._current, **values)
        self._file.write(encoded(changed))
        self._current = changed
        return changed


_LIMITS = (
    "paused",
    "routers",
    "groups",
    "idle_minutes",
    "hours",
    "daily_questions",
    "daily_tokens",
    "hottest_celsius",
)
"""Rules without which more would be allowed."""


def _decoded(data: bytes) -> WorkPolicy:
    return msgspec.json.decode(data, type=WorkPolicy)


def _mended(damaged: bytes, good: WorkPolicy | None) -> WorkPolicy:
    """The copy of a damaged policy. Without one what can be used of it, and nobody is answered where a limit
    in it cannot be read."""
    if good is not None:
        return good
    values = decoded_object(damaged)
    policy = usable(values, WorkPolicy)
    try:
        msgspec.convert({name: values[name] for name in _LIMITS if name in values}, WorkPolicy)
    except msgspec.ValidationError:
        return msgspec.structs.replace(policy, enabled=False)
    return policy


def changed_policy(policy: WorkPolicy, **values: object) -> WorkPolicy:
    """The policy with other values. Raises msgspec.ValidationError."""
    merged = msgspec.to_builtins(msgspec.structs.asdict(policy) | values)
    return msgspec.convert(merged, WorkPolicy)
