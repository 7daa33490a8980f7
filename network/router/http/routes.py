"""One address of a router and the function behind it.

Routes are Starlette's own, in the FastAPI application: what FastAPI adds to each (dependencies,
models, stacks of contexts) nothing here uses.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Endpoint = Callable[[Request], Awaitable[Response]]


def route(method: Literal["GET", "POST", "DELETE"], path: str, endpoint: Endpoint) -> Route:
    """This method of this address, and no other: Starlette would answer HEAD wherever it answers GET."""
    made = Route(path, endpoint, methods=[method])
    made.methods = {method}
    return made
