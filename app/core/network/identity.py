"""Who this device is to others: its keys, its name, its cards."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from app.core.errors import DeviceNameInvalid
from app.core.json_file import decoded_object, encoded, usable_fields
from app.core.network.vault import KeptIn, Vault
from app.core.state_file import StateFile
from network.cards import Offer, issue_card
from network.keys import DeviceKeys
from network.pairing import pairing_code
from network.protocol.fields import DeviceName
from network.protocol.message import Signed


class _Known(msgspec.Struct, frozen=True, kw_only=True):
    """What anybody may know about this device."""

    name: DeviceName = ""
    node: str = ""
    """The number of the keys that were made; other keys, or none, are noticed by it."""


class Identity:
    """Made at first use, never before. Thread-safe; all but `name` may ask the keyring: call it in a thread.

    All raise what `Vault.get` raises.
    """

    def __init__(self, path: Path, vault: Vault, clock: Callable[[], float] = time.time) -> None:
        """`path` is the file for what is no secret."""
        self._file = StateFile(path, _decoded, mend=_mended, encode=encoded)
        self._vault = vault
        self._clock = clock
        self._lock = threading.RLock()
        self._keys: DeviceKeys | None = None
        self._known = self._file.read() or _Known()
        self.lost = False
        """Whether keys were here that are gone: others will take this device for a new one."""

    def __repr__(self) -> str:
        return "Identity()"

    @property
    def name(self) -> str:
        """What its owner calls this device; empty by default. Everybody who sees its cards can read it."""
        return self._known.name

    def rename(self, name: str) -> None:
        """Change the name.

        Raises:
            DeviceNameInvalid: too long, or with characters that could mislead.
            OSError: it cannot be kept.
        """
        with self._lock:
            values = {"name": " ".join(name.split()), "node": self._known.node}
            try:
                changed = msgspec.convert(values, _Known)
            except msgspec.ValidationError:
                raise DeviceNameInvalid from None
            self._file.write(encoded(changed))
            self._known = changed

    @property
    def exists(self) -> bool:
        """Whether keys were made already. Asks nobody."""
        return bool(self._known.node)

    @property
    def node(self) -> str:
        """The number of this device."""
        return self.keys().node

    @property
    def public(self) -> bytes:
        """Its Ed25519 public key."""
        return self.keys().public

    def kept_in(self) -> KeptIn:
        """Where the keys lie."""
        return self._vault.kept_in()

    def keys(self) -> DeviceKeys:
        """The keys as they are now, with an encryption key that is fresh enough."""
        with self._lock:
            keys = self._keys or self._load()
            if keys.rotation_due(self._now()):
                keys = self._save(self._load().rotated(self._now()))
            self._keys = keys
            return keys

    def card(self, offer: Offer = Offer()) -> Signed:  # noqa: B008 - frozen
        """A new card of this device; its number is kept before anybody sees it.

        Raises:
            MessageInvalid: the offer has values out of their range.
        """
        with self._lock:
            # Another process may have published one meanwhile: no two cards have the same number.
            keys, signed = issue_card(self._load(), offer, self._now())
            self._keys = self._save(keys)
            return signed

    def code(self) -> str:
        """What others scan or type to be sure that they speak with this device."""
        return pairing_code(self.public)

    def renew(self) -> None:
        """Become a new identity, for which the present one gives its word.

        For a device that may have been in wrong hands. Others have to compare the safety number again, and
        what was sealed for the old keys cannot be read any more.
        """
        with self._lock:
            self._keys = self._save(self._load().succeeded(self._now()))

    def _load(self) -> DeviceKeys:
        store = self._vault.keys()
        keys = store.load()
        if keys is None:
            self.lost = bool(self._known.node)
            return self._save(DeviceKeys.generate(self._now()))
        return keys

    def _save(self, keys: DeviceKeys) -> DeviceKeys:
        self._vault.keys().save(keys)
        if keys.node != self._known.node:
            known = msgspec.structs.replace(self._known, node=keys.node)
            self._file.write(encoded(known))
            self._known = known
        return keys

    def _now(self) -> int:
        return int(self._clock())


def _decoded(data: bytes) -> _Known:
    return msgspec.json.decode(data, type=_Known)


def _mended(damaged: bytes, good: _Known | None) -> _Known:
    before = msgspec.structs.asdict(good) if good is not None else {}
    return _Known(**before | usable_fields(decoded_object(damaged), _Known))
