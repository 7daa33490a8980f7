"""The FastAPI application of a router.

FastAPI routes and nothing more: bodies are read within limits by `bodies`, messages are decoded by msgspec,
and the description of the interface is built from the message types by `openapi`.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import WebSocketRoute

from network.broker.protocol import Broker
from network.errors import NetworkError
from network.protocol import problems
from network.protocol.problems import Problem
from network.router.http import asking, watching, working
from network.router.http.openapi import openapi
from network.router.http.refusals import Refusal, problem_of, problem_response
from network.router.http.service import RouterService
from network.router.http.settings import RouterSettings


def make_app(
    settings: RouterSettings,
    key: Ed25519PrivateKey,
    open_broker: Callable[[], Awaitable[Broker]],
    *,
    wall: Callable[[], float] = time.time,
) -> FastAPI:
    """A router as an ASGI application; it opens its broker when it starts, and closes it when it stops.

    While it runs, `app.state.service` is its `RouterService`.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        broker = await open_broker()
        try:
            service = RouterService(settings, key, broker, wall=wall)
            app.state.service = service
            async with service.running():
                yield
        finally:
            await broker.close()

    app = FastAPI(title="DAI router", openapi_url=None, docs_url=None, redoc_url=None, lifespan=lifespan)
    app.openapi = openapi  # type: ignore[method-assign]
    app.router.routes += [
        *asking.routes,
        WebSocketRoute("/v1/worker", working.WorkerSocket()),
        *working.routes,
        *watching.routes,
    ]
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(NetworkError, _failed)
    app.add_exception_handler(HTTPException, _not_routed)
    return app


def _answer(request: Request, problem: Problem) -> Response:
    service: RouterService = request.app.state.service
    service.counts[f"problem {problem.type.removeprefix(problems.PREFIX)}"] += 1
    return problem_response(problem)


async def _refused(request: Request, error: Any) -> Response:
    return _answer(request, error.problem)


async def _failed(request: Request, error: Any) -> Response:
    return _answer(request, problem_of(error))


async def _not_routed(request: Request, error: Any) -> Response:
    kind = problems.METHOD if error.status_code == problems.METHOD.status else problems.NOT_FOUND
    response = _answer(request, kind.problem())
    response.headers.update(error.headers or {})
    return response
