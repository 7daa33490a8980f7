"""How a worker proves to a router who it is.

worker → `hello`, router → `challenge`, worker → `proof`, router → `welcome`. The proof names the router as
the worker reached it, so that one router cannot use it at another.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from network.protocol.fields import (
    PROTOCOL_VERSION,
    Attempt,
    ChunkIndex,
    JobId,
    NodeId,
    Nonce,
    Origin,
    PublicKey,
    Seconds,
    ShortText,
    Time,
)
from network.protocol.groups import Memberships
from network.protocol.message import Message, Part, Signed, Statement

SessionId = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}(?![\s\S])")]
Versions = Annotated[tuple[Annotated[int, Meta(ge=1, le=65_535)], ...], Meta(min_length=1, max_length=8)]


class Resumption(Part, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An answer that was under way when the link broke, and the part to go on with."""

    job: JobId
    attempt: Attempt
    next_index: ChunkIndex


class Hello(Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A worker's first message."""

    versions: Versions = (PROTOCOL_VERSION,)
    """Versions of the protocol that it speaks."""
    card: Signed
    invite: Annotated[str, Meta(max_length=128)] = ""
    """For routers that admit by invitation."""
    session: SessionId | None = None
    """Of the broken link, to take up again."""
    answers: Annotated[tuple[Resumption, ...], Meta(max_length=64)] = ()
    software: ShortText = ""
    memberships: Memberships = ()
    """The groups that this worker answers; others are not told that it is there."""
    public: bool = False
    """Whether it answers strangers, too. A worker without both is shown to nobody."""


class Challenge(Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the worker has to sign."""

    version: Annotated[int, Meta(ge=1, le=PROTOCOL_VERSION)] = PROTOCOL_VERSION
    """The version that is spoken from here on."""
    nonce: Nonce
    router: PublicKey
    """Ed25519; the router signs its tickets with it."""


class RegistrationProof(Statement, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Signed by the identity key of the card."""

    node: NodeId
    router: PublicKey
    origin: Origin
    nonce: Nonce
    issued: Time


class Proof(Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A worker's answer to the challenge: a signed `registration_proof`."""

    proof: Signed


class Welcome(Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The worker is registered."""

    session: SessionId
    lease_seconds: Annotated[int, Meta(ge=1, le=600)]
    """How long a question is the worker's without a sign of life about it."""
    grace_seconds: Seconds
    """How long after a broken link the worker may come back to its questions."""
    ping_seconds: Annotated[int, Meta(ge=1, le=600)]
    """A presence at least so often, or the link counts as dead."""
    next_index: Annotated[tuple[Resumption, ...], Meta(max_length=64)] = ()
    """Of the answers the worker named: those that it may go on with, and from where."""
