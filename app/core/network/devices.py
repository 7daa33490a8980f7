"""The devices that this one has seen: their pinned identities, and what the user thinks of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec

from app.core.errors import DeviceMissing
from app.core.network.stored_list import StoredList
from network.cards import KnownDevice, KnownDevices
from network.fingerprints import node_id
from network.keys import DAY
from network.pairing import read_pairing_code, safety_number
from network.protocol.cards import NodeCard
from network.protocol.message import Signed

_STRANGERS_KEPT_SECONDS = 30 * DAY
_NAME_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Device:
    """A device that this one has seen."""

    node: str
    identity: bytes
    name: str
    """What its owner calls it; empty for volunteers."""
    alias: str
    """What this user calls it; stronger than `name`."""
    verified: bool
    """The user has compared the safety number, or scanned the device's code."""
    blocked: bool
    """Nothing is asked of it, and nothing answered to it."""
    expires: int
    """When its last card that we saw expires (seconds since 1970)."""

    @property
    def shown_name(self) -> str:
        """What to call it on the screen."""
        return self.alias or self.name or self.node[:8]


class _StoredDevice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    card: KnownDevice
    alias: Annotated[str, msgspec.Meta(max_length=_NAME_LENGTH)] = ""
    blocked: bool = False


class Devices:
    """Keeps what `network.cards.KnownDevices` knows. Thread-safe.

    All raise OSError where the file cannot be read or written, and RecordsLost where it and its copy are
    damaged: nobody knows then whom the user has blocked.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.stored = StoredList(path, _StoredDevice, guarded=True)
        self._clock = clock
        self._lock = threading.RLock()

    def all(self) -> list[Device]:
        """Verified ones first, then those with a name, then by when they were seen last."""
        found = [_device(one) for one in self.stored.all()]
        return sorted(
            found, key=lambda one: (not one.verified, not (one.alias or one.name), -one.expires, one.node)
        )

    def get(self, node: str) -> Device:
        """One of them. Raises DeviceMissing."""
        found = next((one for one in self.stored.all() if one.card.node == node), None)
        if found is None:
            raise DeviceMissing
        return _device(found)

    def blocked(self, node: str) -> bool:
        """Whether the user wants to have nothing to do with it. A stranger is not blocked."""
        return any(one.blocked for one in self.stored.all() if one.card.node == node)

    def see(self, signed: Signed, *, named: bool = True) -> NodeCard:
        """Check a card, pin its identity at the first time, and remember it; strangers without their names.

        Raises:
            MessageError, CardError: it cannot be used; see `KnownDevices.see`.
        """
        return self._note(lambda known, now: known.see(signed, now, named=named))

    def accept(self, signed: Signed) -> NodeCard:
        """The user says that this is the device of that name now. Raises what `see` raises, but for
        IdentityChanged."""
        return self._note(lambda known, now: known.accept(signed, now))

    def rename(self, node: str, alias: str) -> None:
        """Give it a name of the user's own; empty: the one it has itself. Raises DeviceMissing."""
        self._change(node, alias=" ".join(alias.split())[:_NAME_LENGTH])

    def block(self, node: str, *, blocked: bool = True) -> None:
        """Have nothing to do with it, or again. Raises DeviceMissing."""
        self._change(node, blocked=blocked)

    def verify(self, node: str, *, verified: bool = True) -> None:
        """The user has made sure that the identity is the device's. Raises DeviceMissing."""
        self.get(node)
        with self._lock:
            self.stored.change(
                lambda stored: [
                    msgspec.structs.replace(one, card=msgspec.structs.replace(one.card, verified=verified))
                    if one.card.node == node
                    else one
                    for one in stored
                ]
            )

    def verify_code(self, code: str) -> Device:
        """Verify the device whose code was scanned or typed.

        Raises:
            PairingCodeInvalid: it is none, or has a mistake in it.
            DeviceMissing: no device with this identity was seen yet.
        """
        node = node_id(read_pairing_code(code))
        self.verify(node)
        return self.get(node)

    def safety_number(self, node: str, own: bytes) -> str:
        """Sixty digits, the same on both devices if nobody stands between them. Raises DeviceMissing.

        `own` is the public key of this device. Takes some hundredths of a second: call it in a thread.
        """
        return safety_number(own, self.get(node).identity)

    def forget(self, node: str) -> None:
        """The next card of that name is the first again."""
        self.stored.change(lambda stored: [one for one in stored if one.card.node != node])

    def _note(self, look: Callable[[KnownDevices, int], NodeCard]) -> NodeCard:
        with self._lock:
            known = KnownDevices(one.card for one in self.stored.all())
            now = int(self._clock())
            card = look(known, now)
            known.forget_strangers(now - _STRANGERS_KEPT_SECONDS)
            self.stored.change(lambda stored: _merged(stored, known))
            return card

    def _change(self, node: str, **values: object) -> None:
        self.get(node)
        with self._lock:
            self.stored.change(
                lambda stored: [
                    msgspec.structs.replace(one, **values) if one.card.node == node else one for one in stored
                ]
            )


def _merged(stored: tuple[_StoredDevice, ...], known: KnownDevices) -> list[_StoredDevice]:
    """Cards as they are known now, with what the user has said about the devices. Blocked ones stay."""
    notes = {one.card.node: one for one in stored}
    merged = [
        msgspec.structs.replace(notes[card.node], card=card) if card.node in notes else _StoredDevice(card)
        for card in known
    ]
    return merged + [one for one in stored if one.blocked and known.get(one.card.node) is None]


def _device(stored: _StoredDevice) -> Device:
    card = stored.card
    return Device(
        card.node, card.identity, card.name, stored.alias, card.verified, stored.blocked, card.expires
    )
