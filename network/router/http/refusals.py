"""Errors become problem details: what a program needs to decide, and nothing of what was asked."""

from __future__ import annotations

import math

from starlette.responses import Response

from network.errors import (
    CardError,
    MessageError,
    MessageTooLarge,
    NetworkError,
    NoWorkerFits,
    ProtocolTooNew,
    QueueConflict,
    QueueFull,
)
from network.protocol import problems
from network.protocol.message import encode
from network.protocol.problems import Kind, Problem

NOBODY_FITS_SECONDS = 15
"""When to ask again for workers: about as long as one needs to come back after a broken connection."""
OUT_OF_ORDER_SECONDS = 5


class Refusal(Exception):
    """A request that is not done."""

    def __init__(self, kind: Kind, detail: str = "", *, retry_seconds: float | None = None) -> None:
        super().__init__(kind.name)
        self.kind = kind
        wait = None if retry_seconds is None else min(86_400, max(1, math.ceil(retry_seconds)))
        self.problem = kind.problem(detail, retry_seconds=wait)


def problem_of(error: NetworkError) -> Problem:
    """The problem that an error means for whoever sent the request."""
    match error:
        case MessageTooLarge():
            return problems.TOO_LARGE.problem(f"at most {error.limit_bytes} bytes")
        case ProtocolTooNew():
            return problems.VERSION.problem(f"version {error.version} is not spoken here")
        case MessageError():
            return problems.INVALID.problem(error.details)
        case CardError():
            return problems.REFUSED.problem(type(error).__name__)
        case NoWorkerFits():
            return problems.NO_WORKER.problem(retry_seconds=NOBODY_FITS_SECONDS)
        case QueueFull():
            return problems.QUEUE_FULL.problem(retry_seconds=error.wait_seconds, position=error.position)
        case QueueConflict():
            return problems.JOB_EXISTS.problem()
        case _:
            return problems.UNAVAILABLE.problem(type(error).__name__, retry_seconds=OUT_OF_ORDER_SECONDS)


def problem_response(problem: Problem) -> Response:
    """A problem as RFC 9457 has it, with the header Retry-After where it says when to come back."""
    headers = {"Cache-Control": "no-store"}
    if problem.retry_seconds is not None:
        headers["Retry-After"] = str(problem.retry_seconds)
    if problem.status == problems.NOT_REGISTERED.status:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(encode(problem), problem.status, headers, media_type=problems.MEDIA_TYPE)
