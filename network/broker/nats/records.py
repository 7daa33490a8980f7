"""What is kept of a question. Its contents lie elsewhere on the server: a record is written at every step."""

from __future__ import annotations

import msgspec

from network.broker.protocol import JobState, NodeState
from network.broker.settlement import TaskState
from network.protocol.message import Signed


class TaskRecord(msgspec.Struct, frozen=True, array_like=True):
    """One worker's part in a question. No times: every router measures by itself since when it sees it so."""

    node: str
    state: TaskState
    attempt: int = 0
    beat: int = 0
    """Rises with every sign of life, so that routers see that there was one."""
    wait_seconds: float = 0.0
    """Of a waiting one: it may be handed out so long after it began to wait. Of one whose worker's connection
    has broken: how long that may come back; 0 while nothing is broken."""


class JobRecord(msgspec.Struct, frozen=True, array_like=True):
    """A question without its contents. One that has ended has no tasks any more."""

    digest: bytes
    workers: int
    expires: int
    state: JobState
    place: int = 0
    """Of its contents in the stream of questions; rises, so it tells which question is older."""
    size: int = 0
    tasks: tuple[TaskRecord, ...] = ()


class Contents(msgspec.Struct, frozen=True, array_like=True):
    """What workers get of a question; sealed and signed."""

    body: bytes
    grants: tuple[tuple[str, Signed], ...]
    ticket: Signed | None = None


class Announcement(msgspec.Struct, frozen=True, array_like=True):
    """A worker is there, for so many seconds from when this is read first."""

    state: NodeState
    seconds: float


encode_record = msgspec.msgpack.Encoder().encode
decode_job = msgspec.msgpack.Decoder(JobRecord).decode
decode_contents = msgspec.msgpack.Decoder(Contents).decode
decode_announcement = msgspec.msgpack.Decoder(Announcement).decode
