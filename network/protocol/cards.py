"""What a device publishes about itself."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from network.protocol.fields import (
    SUITE,
    DeviceName,
    LanguageTag,
    ModelTag,
    NodeId,
    PublicKey,
    Sequence,
    Signature,
    Slots,
    SuiteId,
    Time,
    TopicTag,
)
from network.protocol.message import Part, Statement


class ModelOffer(Part, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A model that a worker answers with."""

    model: ModelTag
    context_tokens: Annotated[int, Meta(ge=128, le=16_777_216)]
    tokens_per_second: Annotated[int, Meta(ge=0, le=100_000)]
    """As the worker measured it; 0 where it does not know. Routers and askers measure for themselves."""


class Succession(Part, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The word of an earlier identity for a new one.

    `signature` is the earlier key's, over 'dai succession 1', a zero byte and the new identity key.
    """

    identity: PublicKey
    """The earlier Ed25519 key."""
    signature: Signature


class NodeCard(Statement, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who a device is, how to seal a question for it, and what it offers. Signed by `identity`.

    All of it is public: the tags say no more than a router needs to find a worker.
    """

    node: NodeId
    identity: PublicKey
    """Ed25519; `node` is its fingerprint."""
    encryption: PublicKey
    """X25519, changed daily."""
    suite: SuiteId = SUITE
    sequence: Sequence
    issued: Time
    expires: Time
    name: DeviceName = ""
    succeeds: Succession | None = None
    models: Annotated[tuple[ModelOffer, ...], Meta(max_length=16)] = ()
    """Empty for a device that only asks."""
    topics: Annotated[tuple[TopicTag, ...], Meta(max_length=16)] = ()
    languages: Annotated[tuple[LanguageTag, ...], Meta(max_length=16)] = ()
    slots: Slots = 0
    shares_documents: bool = False
    """Whether answers may rest on documents that the owner marked as shared."""
