"""What the hub has: searching for models, and the files of one. Speaks the hub's public HTTP API.

https://huggingface.co/docs/hub/api
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal

import msgspec

from engines.errors import HubAnswerBroken, HubFileMissing, HubTokenRejected
from engines.split_files import content_hash
from engines.store.connection import HubAccess, HubConnection
from engines.store.names import check_repository, check_revision, parts_of, quantisation_of, without_part
from engines.store.transfer import Source

_MOST_BYTES = 16 << 20
_MOST_README_BYTES = 2 << 20
_NO_MODELS = ("mmproj", "imatrix")
"""Beginnings or parts of names of GGUF files that are not a model of their own."""


class HubOrder(StrEnum):
    """What comes first in a search; the values are the hub's own names."""

    DOWNLOADS = "downloads"
    """What was downloaded most in the last month."""
    LIKES = "likes"
    UPDATED = "lastModified"


@dataclass(frozen=True, slots=True)
class HubModel:
    """One hit of a search."""

    repository: str
    downloads: int
    likes: int
    gated: bool
    """Whether its owners want to be asked first."""
    licence: str
    """Its short name, such as "apache-2.0"; empty where none is told."""
    languages: tuple[str, ...]
    parameters: int = 0
    """Roughly; 0 where the hub does not tell."""
    quantisations: tuple[str, ...] = ()
    """Labels of its files, as far as their names tell."""
    updated: datetime | None = None
    """When its maker last changed it."""

    @property
    def maker(self) -> str:
        """Who has put it on the hub."""
        return self.repository.partition("/")[0]

    @property
    def name(self) -> str:
        """What its maker calls it."""
        return self.repository.partition("/")[2]


@dataclass(frozen=True, slots=True)
class HubPart:
    """One file of a model that was split into several."""

    name: str
    """Its path in the repository."""
    bytes: int | None
    sha256: str | None


@dataclass(frozen=True, slots=True)
class HubFile:
    """A model's file, or all parts of a model that was split."""

    name: str
    """Its path in the repository; of a split model, without the number of the part."""
    bytes: int | None
    """Of all parts together; None where the hub does not tell."""
    sha256: str | None
    """Of a model in parts: see `engines.split_files.content_hash`."""
    quantisation: str
    parts: int
    """1 for a whole file."""
    pieces: tuple[HubPart, ...] = ()
    """The parts that are there, in their order; none for a whole file."""

    def is_called(self, name: str) -> bool:
        """Whether this is the path or the name of it, or of one of its parts."""
        names = (self.name, *(part.name for part in self.pieces))
        return any(name in (one, one.rpartition("/")[2]) for one in names)

    @property
    def complete(self) -> bool:
        """Whether none of the parts is missing."""
        return self.parts == 1 or len(self.pieces) == self.parts


@dataclass(frozen=True, slots=True)
class HubModelDetails:
    """A repository and the models in it."""

    model: HubModel
    commit: str
    """What is fetched from it stays the same when the repository changes."""
    files: tuple[HubFile, ...]
    """The smallest first."""


class _Lfs(msgspec.Struct, frozen=True):
    sha256: str | None = None
    size: int | None = None


class _Sibling(msgspec.Struct, frozen=True):
    rfilename: str
    size: int | None = None
    lfs: _Lfs | None = None


class _Model(msgspec.Struct, frozen=True):
    """What we need of the hub's answer; it has many more fields, and gets new ones."""

    id: str
    downloads: int = 0
    likes: int = 0
    gated: bool | Literal["auto", "manual"] = False
    tags: tuple[str, ...] = ()
    sha: str | None = None
    lastModified: str | None = None  # noqa: N815 - the hub's name
    siblings: tuple[_Sibling, ...] = ()
    gguf: dict[str, Any] | None = None
    """What the hub has read in one of the files."""


class _Account(msgspec.Struct, frozen=True):
    name: str = ""


class Hub:
    """The hub or a mirror of it. Use it within one event loop, and close it.

    All methods raise what `HubConnection.get` raises.
    """

    def __init__(self, access: HubAccess) -> None:
        """Raises `HubAddressInvalid` where the address of the hub or of the proxy is none."""
        self.connection = HubConnection(access)

    async def search(
        self,
        text: str,
        limit: int = 20,
        language: str | None = None,
        order: HubOrder = HubOrder.DOWNLOADS,
    ) -> list[HubModel]:
        """Models with GGUF files whose name fits the text.

        With a `language`, such as "fa", only those whose makers say that they speak it.
        """
        query: dict[str, object] = {
            "search": text,
            "filter": ["gguf", language] if language else ["gguf"],
            "sort": order.value,
            "direction": -1,
            "limit": limit,
        }
        # What is not named here is not told.
        query["expand"] = ["downloads", "gated", "gguf", "lastModified", "likes", "siblings", "tags"]
        found = await self._json("/api/models", query, list[_Model], text)
        return [_hit(model) for model in found[:limit]]

    async def model(self, repository: str, revision: str = "main") -> HubModelDetails:
        """One repository's models.

        Raises:
            HubAddressInvalid: this cannot be the name of a repository or of a revision.
        """
        check_repository(repository)
        path = f"/api/models/{repository}/revision/{urllib.parse.quote(check_revision(revision), safe='')}"
        model = await self._json(path, {"blobs": "true"}, _Model, repository)
        return HubModelDetails(_hit(model), model.sha or revision, _files(model.siblings))

    async def readme(self, repository: str, revision: str = "main") -> str:
        """The README of a repository, also called model card, as its makers wrote it: Markdown with HTML.

        Raises:
            HubFileMissing: there is none.
            HubAddressInvalid: this cannot be the name of a repository or of a revision.
        """
        url = self.file_url(repository, revision, "README.md")
        return (await self._read(url, repository, _MOST_README_BYTES)).decode("utf-8", "replace")

    async def account(self) -> str:
        """The name of the account that the token belongs to.

        Raises:
            HubTokenRejected: the hub does not know the token, or none was sent.
        """
        try:
            account: _Account = await self._json("/api/whoami-v2", {}, _Account, "whoami")
        except HubFileMissing:  # refused without a token
            raise HubTokenRejected(self.connection.host) from None
        return account.name

    def file_url(self, repository: str, revision: str, name: str) -> str:
        """Where a file is fetched from."""
        quoted = urllib.parse.quote(check_revision(revision), safe="")
        return (
            f"{self.connection.endpoint}/{check_repository(repository)}/resolve/{quoted}/"
            f"{urllib.parse.quote(name)}"
        )

    def source(self, details: HubModelDetails, file: HubFile | HubPart) -> Source:
        """What a `Transfer` needs to fetch a whole file, or a part."""
        repository = details.model.repository
        url = self.file_url(repository, details.commit, file.name)
        return Source(url, repository, file.name, file.bytes, file.sha256, beginning=b"GGUF")

    async def close(self) -> None:
        """End all that is under way."""
        await self.connection.close()

    async def _json(self, path: str, query: Mapping[str, Any], kind: type[Any], name: str) -> Any:
        url = f"{self.connection.endpoint}{path}?{urllib.parse.urlencode(query, doseq=True)}"
        body = await self._read(url, name, _MOST_BYTES)
        try:
            return msgspec.json.decode(body, type=kind)
        except (ValueError, RecursionError):
            raise HubAnswerBroken(self.connection.host, "not the hub's JSON") from None

    async def _read(self, url: str, name: str, most_bytes: int) -> bytes:
        """The whole answer, which is refused where it is longer."""
        async with self.connection.get(url, name) as reply:
            body = bytearray()
            async for piece in reply.response.aiter_raw():
                body += piece
                if len(body) > most_bytes:
                    raise HubAnswerBroken(self.connection.host, "too long")
        return bytes(body)


def _hit(model: _Model) -> HubModel:
    licence = next((tag.removeprefix("license:") for tag in model.tags if tag.startswith("license:")), "")
    languages = tuple(tag for tag in model.tags if len(tag) == 2 and tag.isalpha() and tag.islower())
    total = (model.gguf or {}).get("total")
    labels = {
        quantisation_of(sibling.rfilename) for sibling in model.siblings if _is_model(sibling.rfilename)
    }
    return HubModel(
        model.id,
        model.downloads,
        model.likes,
        bool(model.gated),
        licence,
        languages,
        parameters=total if isinstance(total, int) and 0 < total < 1 << 50 else 0,
        quantisations=tuple(sorted(labels - {""})),
        updated=_moment(model.lastModified),
    )


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    if not 2000 <= moment.year < 9999:  # no clock can have told that
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _is_model(name: str) -> bool:
    """Whether a file of this name is a model, and its name stays in the repository."""
    plain = name.rpartition("/")[2].lower()
    if not plain.endswith(".gguf") or any(word in plain for word in _NO_MODELS):
        return False
    return not (name.startswith("/") or "\\" in name or ".." in name.split("/")) and name.isprintable()


def _files(siblings: tuple[_Sibling, ...]) -> tuple[HubFile, ...]:
    """The GGUF files that are models, parts put together, without those whose names leave the repository."""
    groups: dict[str, list[_Sibling]] = {}
    for sibling in siblings:
        if _is_model(sibling.rfilename):
            groups.setdefault(without_part(sibling.rfilename), []).append(sibling)
    return tuple(sorted((_file(name, group) for name, group in groups.items()), key=_by_size))


def _file(name: str, group: list[_Sibling]) -> HubFile:
    sizes = [sibling.lfs.size if sibling.lfs and sibling.lfs.size else sibling.size for sibling in group]
    size = sum(one for one in sizes if one is not None) if None not in sizes else None
    parts = max(parts_of(sibling.rfilename) for sibling in group)
    pieces = tuple(
        HubPart(sibling.rfilename, one, _sha256(sibling))
        for sibling, one in sorted(zip(group, sizes, strict=True), key=lambda pair: pair[0].rfilename)
    )
    if parts == 1:
        return HubFile(pieces[0].name, size, pieces[0].sha256, quantisation_of(name), 1)
    hashes = [piece.sha256 for piece in pieces if piece.sha256 is not None]
    sha256 = content_hash(hashes) if len(hashes) == parts else None
    return HubFile(name, size, sha256, quantisation_of(name), parts, pieces)


def _sha256(sibling: _Sibling) -> str | None:
    sha256 = sibling.lfs.sha256 if sibling.lfs else None
    return sha256 if sha256 and len(sha256) == 64 else None


def _by_size(file: HubFile) -> tuple[float, str]:
    return (float("inf") if file.bytes is None else file.bytes, file.name)
