"""The addresses of the screens below others."""

from __future__ import annotations

import os
import re
from urllib.parse import unquote

MODELS = "/models"
SPEED = "/models/speed"
SERVER = "/models/server"
NETWORK = "/network"
LEDGER = "/network/ledger"
INSTALLED = "models/installed/:id"
"""As the router wants it."""

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")
_ESCAPED = re.compile(r"(?:~[0-9a-f]{2})+")


def of_model(model_id: str) -> str:
    """Where the details of an installed model are.

    An id may hold any character that a file name may. Percent signs would not do for them: browsers and
    Flutter undo some on the way.
    """
    return f"{MODELS}/installed/{_UNSAFE.sub(_escaped, model_id)}"


def model_of(route: str) -> str:
    """The id of the model whose details are there."""
    last = unquote(route.partition("?")[0].rstrip("/").rpartition("/")[2])
    return _ESCAPED.sub(_unescaped, last)


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"~{byte:02x}" for byte in os.fsencode(found.group()))


def _unescaped(found: re.Match[str]) -> str:
    return os.fsdecode(bytes.fromhex(found.group().replace("~", "")))
