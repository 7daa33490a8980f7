"""A sealed question and its way to a worker."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from network.protocol.fields import (
    MAX_RECIPIENTS,
    SUITE,
    Attempt,
    Count,
    Digest,
    JobId,
    KeyId,
    NodeId,
    Nonce,
    PublicKey,
    SealedBody,
    SealedKey,
    Seconds,
    SuiteId,
    Time,
)
from network.protocol.message import Message, Signed, Statement

DeclineReason = Literal["busy", "paused", "unreadable", "expired", "repeated", "unsuitable", "failed"]
CancelReason = Literal["asker", "enough", "expired", "reassigned", "shutdown"]


class Grant(Statement, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An asker's leave for one worker to open one question. Signed by `identity`.

    Each worker gets its own, and none names another: workers do not learn who else was asked.
    """

    job: JobId
    asker: NodeId
    identity: PublicKey
    """The asker's Ed25519 key; `asker` is its fingerprint."""
    node: NodeId
    key: KeyId
    """Which of the worker's keys the question is sealed for."""
    suite: SuiteId = SUITE
    issued: Time
    expires: Time
    body_digest: Digest
    """SHA-256 of the sealed body: a worker that knows the content key cannot swap the body for others."""
    sealed_key: SealedKey


class JobRequest(Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A question on its way to the router: one body, and a signed `grant` for each worker and spare."""

    job: JobId
    body: SealedBody
    grants: Annotated[tuple[Signed, ...], Meta(min_length=1, max_length=MAX_RECIPIENTS)]
    """Workers first, then spares, in the order in which they shall step in."""
    workers: Annotated[int, Meta(ge=1, le=MAX_RECIPIENTS)]
    """How many of the grants are handed out at once."""
    ticket: Signed | None = None
    """The router's own, given back; none where the asker names its own devices."""


class JobAccepted(Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The router has stored the question and will not lose it."""

    job: JobId
    access: Nonce
    """To be shown by who wants to hear the answers or to cancel: workers know the number of a job, too."""
    position: Count
    """How many questions are before it; 0 when it is handed out at once."""


class Lease(Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A question handed to a worker, for as long as it gives signs of life about it."""

    job: JobId
    attempt: Attempt
    grant: Signed
    body: SealedBody
    ticket: Signed | None = None


class Renew(Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The worker is still at it. Parts of the answer renew, too."""

    job: JobId
    attempt: Attempt


class Decline(Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The worker gives a question back, or does not take it."""

    job: JobId
    attempt: Attempt
    reason: DeclineReason
    retry_seconds: Seconds = 0


class Cancel(Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Nobody waits for this any more: from the asker to the router, and from there to the workers."""

    job: JobId
    reason: CancelReason = "asker"


class JobProgress(Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What happens to an asker's question, between the parts of its answers."""

    job: JobId
    event: Literal[
        "queued", "handed_out", "retrying", "spare", "declined", "done", "failed", "cancelled", "expired"
    ]
    """The last four are the end: nothing follows. A stream without an end was cut off on its way."""
    node: NodeId | None = None
    attempt: Annotated[int, Meta(ge=0, le=1000)] = 0
    position: Count = 0
