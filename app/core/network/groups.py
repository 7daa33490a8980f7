"""The groups of this device: "my devices", and circles of people who know each other."""

from __future__ import annotations

import secrets as random
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec

from app.core.errors import GroupExists, GroupMissing, OwnDevicesExist, TooManyGroups
from app.core.network.stored_list import StoredList
from app.core.network.vault import Vault
from network.errors import KeysDamaged
from network.groups import SECRET_BYTES, GroupInvitation, group_code, new_group, read_group_code

MOST_GROUPS = 16
"""As many as a device may show to a router at once."""


class GroupKind(StrEnum):
    """Who the others are."""

    MINE = "mine"
    """Devices of one person. There is at most one such group."""
    CIRCLE = "circle"
    """Friends, a family, an office."""


@dataclass(frozen=True, slots=True)
class Group:
    """A group that this device belongs to."""

    id: str
    name: str
    kind: GroupKind
    secret: bytes = field(repr=False)


class _StoredGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]
    name: Annotated[str, msgspec.Meta(max_length=64)]
    kind: GroupKind


class Groups:
    """Names in a file, secrets in the vault. Thread-safe; may ask the keyring: call it in a thread.

    All raise what `Vault.get` raises, and OSError where the file cannot be read or written.
    """

    def __init__(self, path: Path, vault: Vault) -> None:
        self.stored = StoredList(path, _StoredGroup)
        self._vault = vault
        self._secrets: dict[str, bytes] = {}

    def all(self) -> list[Group]:
        """My devices first, then the circles as they were added.

        A group whose secret is gone is left out: nothing can be done with it but join again.
        """
        found = [Group(one.id, one.name, one.kind, self._secret(one.id)) for one in self.stored.all()]
        return sorted((one for one in found if one.secret), key=lambda one: one.kind is not GroupKind.MINE)

    def mine(self) -> Group | None:
        """My devices, once there is such a group."""
        return next((one for one in self.all() if one.kind is GroupKind.MINE), None)

    def get(self, id: str) -> Group:
        """One of them. Raises GroupMissing."""
        found = next((one for one in self.all() if one.id == id), None)
        if found is None:
            raise GroupMissing
        return found

    def create(self, name: str, kind: GroupKind) -> Group:
        """A new group, with this device in it.

        Raises:
            OwnDevicesExist: there is a group of my devices already.
        """
        return self._add(name, kind, new_group())

    def join(self, code: str, name: str, kind: GroupKind) -> tuple[Group, GroupInvitation]:
        """Become a member with a scanned or typed code. The invitation may tell a router, which is not added.

        Raises:
            PairingCodeInvalid: it is no code of a group, or there is a mistake in it.
            GroupExists: this device is a member already; carries the `name` it has here.
            OwnDevicesExist: there is a group of my devices already.
        """
        invitation = read_group_code(code)
        return self._add(name, kind, invitation.secret), invitation

    def rename(self, id: str, name: str) -> None:
        """Only here: each member has its own name for a group. Raises GroupMissing."""
        self.get(id)
        self.stored.change(
            lambda stored: [
                msgspec.structs.replace(one, name=_tidy(name) or one.name) if one.id == id else one
                for one in stored
            ]
        )

    def leave(self, id: str) -> None:
        """Forget a group. The others stay in it, and whoever still has its code can join it."""
        self.stored.change(lambda stored: [one for one in stored if one.id != id])
        self._secrets.pop(id, None)
        self._vault.remove(_entry(id))

    def code(self, id: str, router: str = "") -> str:
        """What another device scans to join. Whoever reads it is a member. Raises GroupMissing."""
        return group_code(self.get(id).secret, router)

    def _add(self, name: str, kind: GroupKind, secret: bytes) -> Group:
        there = self.all()
        if same := next((one for one in there if one.secret == secret), None):
            raise GroupExists(same.name)
        if kind is GroupKind.MINE and any(one.kind is GroupKind.MINE for one in there):
            raise OwnDevicesExist
        if len(there) >= MOST_GROUPS:
            raise TooManyGroups(MOST_GROUPS)
        group = Group(random.token_hex(8), _tidy(name), kind, secret)
        self._vault.put(_entry(group.id), secret)  # first: a group without its secret is of no use
        self._secrets[group.id] = secret
        self.stored.change(lambda stored: [*stored, _StoredGroup(group.id, group.name, kind)])
        return group

    def _secret(self, id: str) -> bytes:
        if id not in self._secrets:
            secret = self._vault.get(_entry(id))
            if secret is None:
                return b""
            if len(secret) != SECRET_BYTES:
                raise KeysDamaged
            self._secrets[id] = secret
        return self._secrets[id]


def _tidy(name: str) -> str:
    return " ".join(name.split())[:64]


def _entry(id: str) -> str:
    return f"group {id}"
