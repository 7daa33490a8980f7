"""What a router keeps in its folder: who it is, who may join, and the word that opens its owner's page.

All of it is secret and readable by its owner only. Routers that share a broker share `router.key`.
"""

from __future__ import annotations

import logging
import secrets
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from app.core.router_invitations import InvitationFile
from network.errors import KeysDamaged
from network.whole_file import replace_file

log = logging.getLogger(__name__)

_LARGEST_FILE = 1024 * 1024


class RouterFolder:
    """The folder of one router; it is made when it is missing."""

    def __init__(self, path: Path) -> None:
        """Raises OSError if it cannot be made."""
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = path

    @property
    def questions(self) -> Path:
        """The embedded broker's file."""
        return self.path / "questions.db"

    @property
    def admin_token_file(self) -> Path:
        """Where the token of the owner's page is."""
        return self.path / "admin-token"

    @property
    def invites_file(self) -> Path:
        """Where invitations are, if no other file is given."""
        return self.path / "invites.txt"

    def key(self) -> Ed25519PrivateKey:
        """The router's key, made at the first start.

        Raises:
            KeysDamaged: the file holds another thing.
            OSError: it cannot be read or written.
        """
        file = self.path / "router.key"
        if (data := _read(file)) is None:
            key = Ed25519PrivateKey.generate()
            replace_file(file, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            log.info("made a new key for this router")
            return key
        try:
            found = load_pem_private_key(data, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise KeysDamaged(file.name) from None
        if not isinstance(found, Ed25519PrivateKey):
            raise KeysDamaged(file.name)
        return found

    def admin_token(self) -> str:
        """The token of the owner's page, made at the first start. Raises OSError."""
        data = _read(self.admin_token_file)
        token = data.decode(errors="replace").strip() if data is not None else ""
        if not token:
            token = secrets.token_urlsafe(24)
            replace_file(self.admin_token_file, token.encode() + b"\n")
        return token

    def invitations(self) -> InvitationFile:
        """The invitations, one made at the first start. Raises OSError."""
        file = InvitationFile(self.invites_file)
        if not self.invites_file.exists():
            file.add("first")
        return file


def _read(file: Path) -> bytes | None:
    try:
        with file.open("rb") as opened:
            return opened.read(_LARGEST_FILE)
    except FileNotFoundError:
        return None
