"""What a router tells about itself over HTTP. Members that a reader does not know are ignored."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from network.protocol.fields import Count, JobId, LanguageTag, ModelTag, Nonce, PublicKey, ShortText, Time
from network.protocol.message import Message
from network.protocol.registration import Versions


class RouterInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Who a router is and whom it takes; an old program can read what a new router says here."""

    name: ShortText = ""
    public: PublicKey
    """Ed25519; to be pinned at the first visit."""
    versions: Versions
    """Versions of the protocol that it speaks."""
    admission: Literal["open", "invite"]
    """Whether a worker needs an invitation."""
    needs_invite_to_ask: bool
    """Whether an asker needs one, too; it travels in the header `DAI-Invite`."""
    max_workers: Count
    """Workers that may be connected at the same time."""
    time: Time
    """The router's clock: cards and questions are refused where the clocks differ by minutes."""
    draining: bool = False
    """About to restart: it takes nothing new."""
    software: ShortText = ""


class ModelCount(msgspec.Struct, frozen=True, kw_only=True):
    """The workers that answer with a model."""

    model: ModelTag
    workers: Count
    free: Count
    """Questions that they would take at once."""


class LanguageCount(msgspec.Struct, frozen=True, kw_only=True):
    """The workers that speak a language."""

    language: LanguageTag
    workers: Count
    free: Count


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """A router's public workers in numbers; workers that serve groups only are in none of them."""

    workers: Count
    paused: Count
    """Of the workers: those that take nothing at the moment."""
    free: Count
    """Questions that they would take at once."""
    running: Count
    """Questions that they are at."""
    waiting: Count
    """Questions that wait at this router, for whichever worker."""
    models: Annotated[tuple[ModelCount, ...], Meta(max_length=1000)] = ()
    """The most frequent first."""
    languages: Annotated[tuple[LanguageCount, ...], Meta(max_length=1000)] = ()


class LinkOpened(Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A worker's link without WebSocket: server-sent events one way, POST the other."""

    link: JobId
    """16 random bytes in hex; part of the addresses of the link."""
    access: Nonce
    """To be shown with every request, as `Authorization: Bearer` and base64url."""
