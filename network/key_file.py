"""The keys of this device in a file of their own, closed with a passphrase."""

from __future__ import annotations

from pathlib import Path

from network.keys import DeviceKeys
from network.sealed_file import SCRYPT_COST, SealedFile


class FileKeyStore:
    """Keeps the keys in a sealed file. Deriving its key takes memory and time: call in a thread."""

    def __init__(self, path: Path, passphrase: str, *, cost: int = SCRYPT_COST) -> None:
        self._file = SealedFile(path, passphrase, cost=cost)
        self._name = path.name

    def __repr__(self) -> str:
        return f"FileKeyStore({self._name!r})"

    def load(self) -> DeviceKeys | None:
        """As the Protocol says. Raises KeysLocked if the passphrase is not the right one."""
        secret = self._file.read()
        return None if secret is None else DeviceKeys.from_secret_bytes(secret)

    def save(self, keys: DeviceKeys) -> None:
        """As the Protocol says."""
        self._file.write(keys.to_secret_bytes())

    def erase(self) -> None:
        """As the Protocol says."""
        self._file.erase()
