"""Small JSON files of the app: written as a whole; and what can be used of damaged ones."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from network.whole_file import replace_file

log = logging.getLogger(__name__)

T = TypeVar("T", bound=msgspec.Struct)

LARGEST_FILE = 64 * 1024 * 1024
"""Bytes; no small file is larger, so that one that was filled up is not read into memory."""


def usable(stored: object, kind: type[T]) -> T:
    """The stored fields as a value; each that cannot be used has its default, and is logged by name.

    Fields that `kind` does not know are of a newer version of the app, and left out.
    """
    return kind(**usable_fields(stored, kind))


def usable_fields(stored: object, kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Those of the stored fields that `kind` can have."""
    kept: dict[str, Any] = {}
    known = stored if isinstance(stored, dict) else {}
    for field in msgspec.structs.fields(kind):
        if field.name not in known:
            continue
        try:
            kept[field.name] = msgspec.convert(known[field.name], field.type)
        except msgspec.ValidationError:
            log.warning("%s has an unusable value", field.name)
    return kept


def decoded_object(data: bytes) -> dict[str, Any]:
    """The object in a file; empty where it is damaged beyond that."""
    try:
        return msgspec.json.decode(data, type=dict[str, Any])
    except (ValueError, RecursionError):
        return {}


def encoded(value: object) -> bytes:
    """A value as people can read it, too."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def write_whole(path: Path, value: object) -> None:
    """Write a value as indented JSON; see `replace_file`."""
    replace_file(path, encoded(value))
