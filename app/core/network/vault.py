"""Where the secrets of the network are kept: this device's keys, those of its groups, its invitations.

The system's keyring, where there is a trustworthy one. Else sealed files, whose passphrase comes from the
environment (DAI_PASSPHRASE); without it, from a random one in a file beside them that only this user can
read. That last place is as safe as the device and the account are, no safer, and the app says so. See
docs/decisions.
"""

from __future__ import annotations

import base64
import binascii
import logging
import os
import secrets
import threading
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from app.core.errors import RecordsLost
from app.core.json_file import encoded
from app.core.secrets import Keyring, system_keyring
from app.core.state_file import StateFile
from network.errors import KeysDamaged, KeysLocked, KeyStoreUnavailable
from network.key_file import FileKeyStore
from network.key_store import KeyringKeyStore, KeyStore
from network.sealed_file import NO_STRETCHING, SCRYPT_COST, SealedFile
from network.whole_file import replace_file

log = logging.getLogger(__name__)

T = TypeVar("T")

PASSPHRASE_VARIABLE = "DAI_PASSPHRASE"  # noqa: S105 - its name
_SERVICE = "dai-chat network"


class KeptIn(StrEnum):
    """Where secrets lie, the safest first."""

    KEYRING = "keyring"
    """The system's store of passwords, which opens with the user's session."""
    PASSPHRASE = "passphrase"  # noqa: S105 - a kind of place
    """Files that only the passphrase of the environment opens."""
    FILE = "file"
    """Files that this user of the device can open."""


class _Place(msgspec.Struct, frozen=True):
    """What has to be known before the secrets can be found."""

    kept_in: KeptIn | None = None
    profile: str = ""
    """Tells the data folders of one user apart in the keyring."""


class Vault:
    """Opens the place once it is needed, as that may ask the user. Thread-safe; call it in a thread."""

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str] = os.environ,
        open_keyring: Callable[[], Keyring | None] | None = None,
    ) -> None:
        self._folder = folder
        self._passphrase = environment.get(PASSPHRASE_VARIABLE, "")
        self._open_keyring = open_keyring or system_keyring
        self._opened: _OpenPlace | None = None
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        return "Vault()"

    def kept_in(self) -> KeptIn:
        """Where the secrets are. Raises what `get` raises."""
        return self._open().kept_in

    def keys(self) -> KeyStore:
        """Where the keys of this device are. Raises what `get` raises."""
        return self._open().keys

    def get(self, name: str) -> bytes | None:
        """A secret; None where there is none of this name.

        Raises:
            KeyStoreUnavailable: the keyring is locked, or not there any more.
            KeysLocked: the passphrase of the environment is missing, or another one.
            KeysDamaged: what is kept is not what was written.
        """
        with self._lock:
            return self._open().get(name)

    def put(self, name: str, secret: bytes) -> None:
        """Keep a secret. Raises what `get` raises; what was there before then stays."""
        with self._lock:
            self._open().put(name, secret)

    def remove(self, name: str) -> None:
        """Forget a secret. Raises what `get` raises."""
        with self._lock:
            self._open().put(name, None)

    def _open(self) -> _OpenPlace:
        with self._lock:
            if self._opened is None:
                self._opened = self._find()
            return self._opened

    def _find(self) -> _OpenPlace:
        file = StateFile(self._folder / "secrets.json", _decoded_place, guarded=True)
        place = self._read_place(file)
        if place.kept_in in (None, KeptIn.KEYRING):
            keyring = _ask(self._open_keyring)
            if keyring is not None:
                profile = place.profile or secrets.token_hex(8)
                if place.kept_in is None:
                    file.write(encoded(_Place(KeptIn.KEYRING, profile)))
                return _KeyringPlace(keyring, profile)
            if place.kept_in is KeptIn.KEYRING:
                # Files instead would be a new identity, and the old one would be lost without a word.
                raise KeyStoreUnavailable("the keyring is not there")
        opened = self._files(place.kept_in)
        if place.kept_in is not opened.kept_in:
            file.write(encoded(_Place(opened.kept_in, place.profile)))
        return opened

    def _read_place(self, file: StateFile[_Place]) -> _Place:
        """Where the secrets are; told by the sealed files where the note of it is lost."""
        try:
            return file.read() or _Place()
        except RecordsLost:
            if not (self._folder / "keys.sealed").exists():
                # Perhaps in the keyring, under a name that is lost: a new one would be a new identity.
                raise KeysDamaged("where the keys are is not known any more") from None
            file.begin_anew()
            beside = (self._folder / "sealing.key").exists()
            return _Place(KeptIn.FILE if beside else KeptIn.PASSPHRASE)

    def _files(self, before: KeptIn | None) -> _FilePlace:
        beside = self._folder / "sealing.key"
        if self._passphrase:
            opened = _FilePlace(self._folder, self._passphrase, KeptIn.PASSPHRASE)
            if beside.exists():
                opened.take_over(_FilePlace(self._folder, _read_passphrase(beside), KeptIn.FILE))
                beside.unlink()
            return opened
        if before is KeptIn.PASSPHRASE:
            raise KeysLocked(f"{PASSPHRASE_VARIABLE} is not set")
        if not beside.exists():
            if before is KeptIn.FILE:
                raise KeysDamaged("the file that opens the others is gone")
            replace_file(beside, secrets.token_urlsafe(32).encode())
        return _FilePlace(self._folder, _read_passphrase(beside), KeptIn.FILE)


class _OpenPlace(Protocol):
    kept_in: KeptIn
    keys: KeyStore

    def get(self, name: str, /) -> bytes | None: ...

    def put(self, name: str, secret: bytes | None, /) -> None: ...


class _KeyringPlace:
    """One entry per secret: some keyrings take no more than a thousand letters in one."""

    kept_in = KeptIn.KEYRING

    def __init__(self, keyring: Keyring, profile: str) -> None:
        self._keyring = keyring
        self._profile = profile
        self.keys: KeyStore = KeyringKeyStore(keyring, profile)

    def get(self, name: str) -> bytes | None:
        entry = self._entry(name)
        kept = _ask(lambda: self._keyring.get_password(_SERVICE, entry))
        try:
            return None if kept is None else base64.b64decode(kept, validate=True)
        except (binascii.Error, ValueError):
            raise KeysDamaged from None

    def put(self, name: str, secret: bytes | None) -> None:
        entry = self._entry(name)
        if secret is not None:
            text = base64.b64encode(secret).decode("ascii")
            _ask(lambda: self._keyring.set_password(_SERVICE, entry, text))
        elif _ask(lambda: self._keyring.get_password(_SERVICE, entry)) is not None:
            _ask(lambda: self._keyring.delete_password(_SERVICE, entry))

    def _entry(self, name: str) -> str:
        return f"{self._profile} {name}"


class _FilePlace:
    """The keys in one sealed file, all other secrets in another."""

    def __init__(self, folder: Path, passphrase: str, kept_in: KeptIn) -> None:
        self.kept_in = kept_in
        cost = NO_STRETCHING if kept_in is KeptIn.FILE else SCRYPT_COST
        self.keys: KeyStore = FileKeyStore(folder / "keys.sealed", passphrase, cost=cost)
        self._file = SealedFile(folder / "secrets.sealed", passphrase, cost=cost)

    def get(self, name: str) -> bytes | None:
        return self._all().get(name)

    def put(self, name: str, secret: bytes | None) -> None:
        kept = {one: value for one, value in self._all().items() if one != name}
        if secret is not None:
            kept[name] = secret
        self._file.write(msgspec.json.encode(kept))

    def take_over(self, before: _FilePlace) -> None:
        """Seal anew what another passphrase has sealed; what this one opens already is left alone."""
        try:
            if (keys := before.keys.load()) is not None:
                self.keys.save(keys)
        except KeysLocked:
            log.info("the keys are sealed with the passphrase already")
        try:
            if (kept := before._file.read()) is not None:
                self._file.write(kept)
        except KeysLocked:
            log.info("the other secrets are sealed with the passphrase already")

    def _all(self) -> dict[str, bytes]:
        secret = self._file.read()
        if secret is None:
            return {}
        try:
            return msgspec.json.decode(secret, type=dict[str, bytes])
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise KeysDamaged from None


def _ask(question: Callable[[], T]) -> T:
    """Each back end has exceptions of its own, and some quote the secret in their words."""
    try:
        return question()
    except Exception as error:  # noqa: BLE001
        log.warning("the keyring does not work: %s", type(error).__name__)
        raise KeyStoreUnavailable(type(error).__name__) from None


def _read_passphrase(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except UnicodeError:
        raise KeysDamaged from None
    except OSError as error:
        raise KeyStoreUnavailable(type(error).__name__) from None


def _decoded_place(data: bytes) -> _Place:
    return msgspec.json.decode(data, type=_Place)
