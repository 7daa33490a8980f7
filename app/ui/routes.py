"""The addresses of the screens below the models screen."""

from __future__ import annotations

from urllib.parse import quote, unquote

MODELS = "/models"
SPEED = "/models/speed"
SERVER = "/models/server"
INSTALLED = "models/installed/:id"
"""As the router wants it."""


def of_model(model_id: str) -> str:
    """Where the details of an installed model are; an id may hold any character that a file name may."""
    return f"{MODELS}/installed/{quote(model_id, safe='')}"


def model_of(route: str) -> str:
    """The id of the model whose details are there."""
    return unquote(route.partition("?")[0].rstrip("/").rpartition("/")[2])
