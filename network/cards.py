"""Whom a question may be sealed for: checking the cards that a router hands out, and remembering devices.

A router can hide cards, but not make or change one. What it could try is to show a stranger under a friend's
name, or an old card whose key has been stolen since; `KnownDevices` stands against both:

- the first card of a device pins its identity (trust on first use);
- a later card of the same identity replaces it, an earlier one is refused;
- another identity under a known name is refused until the user has accepted it.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

from network.errors import (
    CardExpired,
    CardNotYetValid,
    CardOutdated,
    IdentityChanged,
    MessageInvalid,
    SignatureInvalid,
    SuiteUnsupported,
)
from network.hpke import SUITES, is_usable
from network.keys import DAY, SUCCESSION_CONTEXT, DeviceKeys
from network.protocol.cards import ModelOffer, NodeCard
from network.protocol.fields import DeviceName, Digest, NodeId, PublicKey, Sequence, Time
from network.protocol.message import Part, Signed
from network.signatures import check_signature, sign, verify_own

CARD_SECONDS = DAY
LONGEST_CARD_SECONDS = 7 * DAY
"""A card that wants to be believed for longer is refused: its key would be in use for too long."""
CLOCK_TOLERANCE_SECONDS = 300


class Offer(Part, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a device tells about itself; the defaults are those of a device that only asks."""

    name: str = ""
    models: tuple[ModelOffer, ...] = ()
    topics: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    slots: int = 0
    shares_documents: bool = False


def issue_card(keys: DeviceKeys, offer: Offer, now: int) -> tuple[DeviceKeys, Signed]:
    """A signed card, and the keys to save *before* it is published: they remember its number.

    Raises:
        MessageInvalid: the offer has values out of their range.
    """
    if keys.rotation_due(now):
        keys = keys.rotated(now)
    keys = keys.advanced()
    card = NodeCard(
        node=keys.node,
        identity=keys.public,
        encryption=keys.encryption[0].public,
        sequence=keys.sequence,
        issued=now,
        expires=now + CARD_SECONDS,
        succeeds=keys.succession,
        **msgspec.structs.asdict(offer),
    )
    try:
        msgspec.convert(msgspec.to_builtins(card), NodeCard)
    except msgspec.ValidationError as error:
        raise MessageInvalid(str(error)) from None
    return keys, sign(card, keys.identity)


def read_card(signed: Signed, now: int) -> NodeCard:
    """The card, if it can be used now. Says nothing about whose it is: that is `KnownDevices.see`.

    Raises:
        MessageError: it is no card, or not signed by the key that it names.
        CardError: too old, from the future, or sealed in a way that we do not know.
    """
    card = verify_own(signed, NodeCard)
    if not 0 < card.expires - card.issued <= LONGEST_CARD_SECONDS:
        raise MessageInvalid("the card is valid for too long, or never")
    if card.issued > now + CLOCK_TOLERANCE_SECONDS:
        raise CardNotYetValid(card.node, card.name)
    if card.expires < now - CLOCK_TOLERANCE_SECONDS:
        raise CardExpired(card.node, card.name)
    if card.suite not in SUITES:
        raise SuiteUnsupported(card.node, card.name, card.suite)
    if not is_usable(card.encryption):
        raise MessageInvalid("nothing can be sealed for this encryption key")
    return card


class KnownDevice(Part, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A device whose identity is pinned."""

    node: NodeId
    identity: PublicKey
    name: DeviceName
    sequence: Sequence
    digest: Digest
    """Of the card with this sequence number: there may not be another."""
    expires: Time
    """When the last card that we saw expires."""
    verified: bool = False
    """Whether the user has compared the safety number or scanned the device's code."""


class KnownDevices:
    """The devices that this one has seen. Not thread-safe; `encode` and `decode` are for keeping it."""

    def __init__(self, devices: Iterable[KnownDevice] = ()) -> None:
        self._devices = {device.node: device for device in devices}

    def __iter__(self) -> Iterator[KnownDevice]:
        return iter(tuple(self._devices.values()))

    def get(self, node: str) -> KnownDevice | None:
        """The device of this number."""
        return self._devices.get(node)

    def see(self, signed: Signed, now: int, *, named: bool = True) -> NodeCard:
        """Check a card against all that is known, and remember it.

        With `named` False its name is nobody's: what strangers call themselves must not take a name away from
        a device of the user's.

        Raises:
            MessageError, CardError: as `read_card`.
            CardOutdated: a later card is known, or another one with the same number.
            IdentityChanged: the name belongs to another identity; `accept` the card if the user says so.
        """
        card = read_card(signed, now)
        digest = hashlib.sha256(signed.statement).digest()
        known = self._devices.get(card.node)
        if known is not None and (
            card.sequence < known.sequence or (card.sequence == known.sequence and digest != known.digest)
        ):
            raise CardOutdated(card.node, card.name)
        holder = self._holder(card.name) if named else None
        if holder is not None and holder.node != card.node:
            if not _succeeds(card, holder):
                raise IdentityChanged(card.node, card.name, known=holder.node)
            del self._devices[holder.node]
        name = card.name if named else known.name if known is not None else ""
        self._remember(card, name, digest, verified=known is not None and known.verified)
        return card

    def accept(self, signed: Signed, now: int) -> NodeCard:
        """The user says that this is the device of that name now; the earlier one is forgotten.

        Raises:
            MessageError, CardError: as `see`, but for IdentityChanged.
        """
        card = read_card(signed, now)
        holder = self._holder(card.name)
        if holder is not None and holder.node != card.node:
            del self._devices[holder.node]
        return self.see(signed, now)

    def mark_verified(self, node: str) -> None:
        """The user has made sure that this identity is the device's. Raises KeyError for a stranger."""
        self._devices[node] = msgspec.structs.replace(self._devices[node], verified=True)

    def forget(self, node: str) -> None:
        """Forget a device; the next card of that name is the first again."""
        self._devices.pop(node, None)

    def forget_strangers(self, before: int) -> int:
        """Drop nameless, unverified devices whose last card expired before this time; returns how many.

        A year among volunteers would fill the memory otherwise. What is lost is only that an older card of
        theirs would be believed, and such a card has expired.
        """
        strangers = [
            device.node
            for device in self._devices.values()
            if not device.name and not device.verified and device.expires < before
        ]
        for node in strangers:
            del self._devices[node]
        return len(strangers)

    def encode(self) -> bytes:
        """All of it; holds no secrets, but who altered it could make a stranger a friend."""
        return msgspec.json.encode(tuple(self._devices.values()))

    @classmethod
    def decode(cls, data: bytes) -> KnownDevices:
        """Raises MessageInvalid."""
        try:
            return cls(msgspec.json.decode(data, type=_ManyDevices))
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise MessageInvalid("the list of known devices is damaged") from None

    def _holder(self, name: str) -> KnownDevice | None:
        wanted = _comparable(name)
        if not wanted:
            return None
        return next((d for d in self._devices.values() if _comparable(d.name) == wanted), None)

    def _remember(self, card: NodeCard, name: str, digest: bytes, *, verified: bool) -> None:
        self._devices[card.node] = KnownDevice(
            node=card.node,
            identity=card.identity,
            name=name,
            sequence=card.sequence,
            digest=digest,
            expires=card.expires,
            verified=verified,
        )


_ManyDevices = Annotated[tuple[KnownDevice, ...], Meta(max_length=100_000)]
_FOLDED = str.maketrans("يىك", "ییک")


def _comparable(name: str) -> str:
    """Names that look alike are alike: case, width, blanks, invisible letters, Arabic and Persian forms."""
    folded = unicodedata.normalize("NFKC", name).casefold().translate(_FOLDED)
    return "".join(c for c in folded if unicodedata.category(c) not in ("Cf", "Zs"))


def _succeeds(card: NodeCard, holder: KnownDevice) -> bool:
    """Whether the earlier identity has signed for the new one."""
    if card.succeeds is None or card.succeeds.identity != holder.identity:
        return False
    try:
        check_signature(holder.identity, card.succeeds.signature, SUCCESSION_CONTEXT + card.identity)
    except SignatureInvalid:
        return False
    return True
