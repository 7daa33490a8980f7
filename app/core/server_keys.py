"""The keys of servers: where they are kept. They are in no setting, no log and no error."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from app.core.secrets import Keyring, system_keyring
from engines.remote.address import read_address

log = logging.getLogger(__name__)

T = TypeVar("T")

_SERVICE = "dai-chat server key"
_VARIABLE = "DAI_SERVER_KEY"


class ServerKeys(Protocol):
    """Keeps the keys of servers, by address. May ask the system: call it in a thread."""

    def get(self, url: str) -> str | None:
        """The key of the server at this address; None where it needs none."""
        ...

    def keep(self, url: str, key: str) -> bool:
        """Take a key; returns whether it will be known after a restart."""
        ...

    def forget(self, url: str) -> None:
        """Forget it."""
        ...

    def lasting(self) -> bool:
        """Whether keys are known after a restart."""
        ...


class SessionKeys:
    """Keys in memory, and those of the environment.

    `DAI_SERVER_KEY_192_168_1_20_11434` is the key of the server at 192.168.1.20:11434.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment
        self._kept: dict[str, str] = {}

    def get(self, url: str) -> str | None:
        """The key that was entered since the start, else the environment's."""
        return self._kept.get(url) or self._environment.get(key_variable(url)) or None

    def keep(self, url: str, key: str) -> bool:
        """Take a key until the app ends."""
        self._kept[url] = key
        return False

    def forget(self, url: str) -> None:
        """Forget what was entered; the environment stays."""
        self._kept.pop(url, None)

    def lasting(self) -> bool:
        """No: they end with the app."""
        return False

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class StoredKeys(SessionKeys):
    """Keys in the system's store of passwords too, where there is a trustworthy one."""

    def __init__(
        self,
        environment: Mapping[str, str] = os.environ,
        open_keyring: Callable[[], Keyring | None] = system_keyring,
    ) -> None:
        super().__init__(environment)
        self._open_keyring = open_keyring

    def get(self, url: str) -> str | None:
        """The key that was entered, in this session or an earlier one, else the environment's."""
        return super().get(url) or self._ask(lambda keyring: keyring.get_password(_SERVICE, url))

    def keep(self, url: str, key: str) -> bool:
        """Take a key; returns whether it will be known after a restart."""
        super().keep(url, key)

        def keep(keyring: Keyring) -> bool:
            keyring.set_password(_SERVICE, url, key)
            return True

        return self._ask(keep) is True

    def forget(self, url: str) -> None:
        """Forget what was entered; the environment stays."""
        super().forget(url)

        def forget(keyring: Keyring) -> None:
            if keyring.get_password(_SERVICE, url) is not None:
                keyring.delete_password(_SERVICE, url)

        self._ask(forget)

    def lasting(self) -> bool:
        """Whether there is a store that answers."""
        return self._ask(lambda keyring: True) is True

    def _ask(self, question: Callable[[Keyring], T]) -> T | None:
        try:
            keyring = self._open_keyring()
            return None if keyring is None else question(keyring)
        except Exception as error:  # noqa: BLE001 - locked, refused, no session: each has exceptions of its own
            log.info("the system's keyring does not work: %s", type(error).__name__)
            return None


def key_variable(url: str) -> str:
    """The environment variable that may hold the key of the server at this address."""
    return f"{_VARIABLE}_{re.sub('[^A-Z0-9]+', '_', read_address(url).host.upper()).strip('_')}"
