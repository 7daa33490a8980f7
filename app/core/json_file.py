"""Small JSON files of the app: written as a whole, read with whatever in them can be used."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any, TypeVar

import msgspec

log = logging.getLogger(__name__)

T = TypeVar("T", bound=msgspec.Struct)


def read_object(path: Path) -> dict[str, Any]:
    """The object in a file; empty where there is none, or none that can be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        log.warning("%s is unreadable, going on without it: %s", path.name, type(error).__name__)
        return {}


def usable(stored: object, kind: type[T]) -> T:
    """The stored fields as a value; each that cannot be used has its default, and is logged by name.

    Fields that `kind` does not know are of a newer version of the app, and left out.
    """
    kept: dict[str, object] = {}
    known = stored if isinstance(stored, dict) else {}
    for field in msgspec.structs.fields(kind):
        if field.name not in known:
            continue
        try:
            kept[field.name] = msgspec.convert(known[field.name], field.type)
        except msgspec.ValidationError:
            log.warning("%s has an unusable value, using its default", field.name)
    return kind(**kept)


def write_whole(path: Path, value: object) -> None:
    """Write a value as indented JSON; a kill leaves the old file or the new one, never a part.

    Raises:
        OSError: the device is full or refuses to write.
    """
    text = msgspec.json.format(msgspec.json.encode(value), indent=2)
    new = path.with_name(f"{path.name}.{os.getpid()}.new")  # another process may write at the same time
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        new.write_bytes(text + b"\n")
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise


def set_aside(path: Path) -> Path:
    """Rename a file that cannot be used, so that nothing overwrites it; returns its new name.

    Raises:
        OSError: the system does not let us.
    """
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    path.rename(aside)
    return aside
