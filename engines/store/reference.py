"""What people write to name a model of the hub: copied from its page, from a browser or from other tools."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from engines.errors import HubAddressInvalid
from engines.store.names import check_repository, check_revision

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_BARE_HOST = re.compile(r"(?:hf\.co|(?:www\.)?huggingface\.co)/", re.IGNORECASE)
_KINDS = frozenset({"tree", "blob", "resolve", "raw"})
_SHOWN_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class Reference:
    """A repository, and what was said about which of its files."""

    repository: str
    revision: str = "main"
    file: str | None = None
    """Path in the repository."""
    quantisation: str | None = None


def read_reference(text: str) -> Reference:
    """Understand `owner/name`, `owner/name:Q4_K_M`, `owner/name/file.gguf` and addresses of the hub's pages.

    The host of an address does not count: models come from the hub of the settings.

    Raises:
        HubAddressInvalid: it is none of these.
    """
    text = text.strip()
    try:
        path = _path(text)
        parts = [unquote(part) for part in path.split("/") if part]
        if len(parts) < 2:
            raise HubAddressInvalid(text[:_SHOWN_CHARACTERS])
        owner, name, *rest = parts
        name, colon, quantisation = name.partition(":")
        repository = check_repository(f"{owner}/{name}")
        if rest and colon:
            raise HubAddressInvalid(text[:_SHOWN_CHARACTERS])
        revision = "main"
        if len(rest) >= 2 and rest[0] in _KINDS:
            revision, rest = check_revision(rest[1]), rest[2:]
        if rest and not rest[-1].lower().endswith(".gguf"):
            raise HubAddressInvalid(text[:_SHOWN_CHARACTERS])
    except (HubAddressInvalid, ValueError):
        raise HubAddressInvalid(text[:_SHOWN_CHARACTERS]) from None
    return Reference(repository, revision, "/".join(rest) or None, quantisation or None)


def _path(text: str) -> str:
    if _SCHEME.match(text):
        parts = urlsplit(text)
        if parts.scheme.lower() not in ("http", "https"):
            raise HubAddressInvalid(text[:_SHOWN_CHARACTERS])
        return parts.path
    return _BARE_HOST.sub("", text, count=1)
