"""Where the keys of this device are kept between two starts."""

from __future__ import annotations

import base64
import binascii
import logging
from typing import Protocol

from network.errors import KeysDamaged, KeyStoreUnavailable
from network.keys import DeviceKeys

log = logging.getLogger(__name__)

_SERVICE = "dai-chat device keys"


class KeyStore(Protocol):
    """A place for the keys of one device. Methods may block: call them in a thread.

    To add one: 1. keep what `DeviceKeys.to_secret_bytes` gives where no other program of another user reads
    it; 2. write as a whole or not at all; 3. let it pass tests/network/test_key_stores.py.
    """

    def load(self) -> DeviceKeys | None:
        """The keys; None where none were kept yet. Raises KeyStoreError, never makes new ones by itself."""

    def save(self, keys: DeviceKeys) -> None:
        """Keep these instead of the earlier ones. Raises KeyStoreUnavailable; the earlier ones then stay."""

    def erase(self) -> None:
        """Forget the keys. Raises KeyStoreUnavailable."""


class Keyring(Protocol):
    """The part of the package `keyring` that is used here; app/ passes the system's own."""

    def get_password(self, service: str, name: str, /) -> str | None:
        """What is kept under this name."""

    def set_password(self, service: str, name: str, password: str, /) -> None:
        """Keep something."""

    def delete_password(self, service: str, name: str, /) -> None:
        """Forget it."""


class KeyringKeyStore:
    """Keeps the keys in the system's store of passwords, which opens with the user's session."""

    def __init__(self, keyring: Keyring, profile: str = "default") -> None:
        self._keyring = keyring
        self._profile = profile

    def load(self) -> DeviceKeys | None:
        """As the Protocol says."""
        try:
            kept = self._keyring.get_password(_SERVICE, self._profile)
        except Exception as error:  # noqa: BLE001 - each back end has exceptions of its own
            raise _unavailable(error) from None
        if kept is None:
            return None
        try:
            secret = base64.b64decode(kept, validate=True)
        except (binascii.Error, ValueError):
            raise KeysDamaged from None
        return DeviceKeys.from_secret_bytes(secret)

    def save(self, keys: DeviceKeys) -> None:
        """As the Protocol says."""
        secret = base64.b64encode(keys.to_secret_bytes()).decode("ascii")
        try:
            self._keyring.set_password(_SERVICE, self._profile, secret)
        except Exception as error:  # noqa: BLE001
            raise _unavailable(error) from None

    def erase(self) -> None:
        """As the Protocol says."""
        try:
            if self._keyring.get_password(_SERVICE, self._profile) is not None:
                self._keyring.delete_password(_SERVICE, self._profile)
        except Exception as error:  # noqa: BLE001
            raise _unavailable(error) from None


def _unavailable(error: Exception) -> KeyStoreUnavailable:
    """Only the kind of the error: some back ends quote the password in its words."""
    log.warning("the keyring does not work: %s", type(error).__name__)
    return KeyStoreUnavailable(type(error).__name__)
