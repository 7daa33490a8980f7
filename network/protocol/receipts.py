"""What both sides sign when an answer is there."""

from __future__ import annotations

from typing import Literal

from network.protocol.fields import Attempt, Count, Digest, FinishReason, JobId, ModelTag, NodeId, Time
from network.protocol.message import Part, Signed, Statement


class Receipt(Statement, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A worker's word for its answer. Signed by its identity key.

    `transcript` is the digest of everything sealed that was sent before the end (docs/reference/protocol.md):
    it fixes the answer without telling a word of it.
    """

    job: JobId
    node: NodeId
    asker: NodeId
    attempt: Attempt
    model: ModelTag
    finish: FinishReason
    tokens: Count
    milliseconds: Count
    transcript: Digest
    issued: Time


class Verdict(Statement, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An asker's word on a receipt. Signed by the asker's identity key."""

    job: JobId
    node: NodeId
    asker: NodeId
    receipt: Digest
    """SHA-256 of the statement of the receipt."""
    verdict: Literal["accepted", "good", "bad", "wrong", "unreadable"]
    canary: bool = False
    """Whether the asker knew the right answer beforehand."""
    issued: Time


class CountersignedReceipt(Part, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Both together; worth something only as a pair."""

    receipt: Signed
    verdict: Signed
