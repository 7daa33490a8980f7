"""The parts of a sealed answer."""

from __future__ import annotations

from network.protocol.fields import Attempt, ChunkIndex, JobId, NodeId, Nonce, SealedChunk
from network.protocol.message import Message


class AnswerStart(Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An answer begins. What came from an earlier attempt of this worker is void.

    `salt` goes into the key of the parts: a worker that is handed the same attempt twice, by a faulty or
    hostile router or after a restart, never uses a key twice.
    """

    job: JobId
    node: NodeId
    attempt: Attempt
    salt: Nonce


class AnswerChunk(Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of an answer: an encoded `content.AnswerPart`, padded and sealed."""

    job: JobId
    node: NodeId
    attempt: Attempt
    index: ChunkIndex
    last: bool
    """Authenticated with the part: an answer without its last part is not whole."""
    data: SealedChunk


class AnswerAcknowledged(Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The router has all parts of an answer below `next_index`; the worker may forget them."""

    job: JobId
    attempt: Attempt
    next_index: ChunkIndex
