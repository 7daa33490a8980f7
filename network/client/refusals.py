"""What a router answers instead of what was asked, as errors that say what to do next."""

from __future__ import annotations

import email.utils
import time

import httpx

from network.errors import (
    JobUnknown,
    MessageError,
    MessageInvalid,
    MessageTooLarge,
    NetworkError,
    NoWorkerFits,
    ProtocolTooNew,
    QueueConflict,
    QueueFull,
    RouterBusy,
    RouterFailed,
    RouterRefused,
)
from network.protocol import problems
from network.protocol.fields import MAX_FRAME_BYTES, PROTOCOL_VERSION
from network.protocol.message import decode
from network.protocol.problems import Problem

LARGEST_PROBLEM_BYTES = 16 * 1024
LONGEST_WAIT_SECONDS = 3_600
"""Nobody is told to come back later than in an hour."""
_SHORT_WAIT_SECONDS = 5


def error_of(response: httpx.Response, body: bytes) -> NetworkError:
    """The error for a response with a status of 400 or more, or with one that nobody expects."""
    problem = _problem(response, body)
    wait = _wait(response, problem)
    host = response.url.host
    kind = problem.type.removeprefix(problems.PREFIX)
    match kind, response.status_code:
        case ("queue-full", _):
            return QueueFull(problem.position or 0, wait if wait is not None else _SHORT_WAIT_SECONDS)
        case ("no-worker", _):
            return NoWorkerFits(found=0, wanted=1)
        case ("unknown-job", _):
            return JobUnknown(host)
        case ("job-exists", _):
            return QueueConflict("")
        case ("version", _):
            return ProtocolTooNew(PROTOCOL_VERSION + 1)
        case ("invalid", _):
            return MessageInvalid(problem.detail)
        case ("refused" | "not-registered", _) | (_, 401 | 403):
            return RouterRefused(host, problem.detail)
        case ("too-large", _) | (_, 413):
            return MessageTooLarge(MAX_FRAME_BYTES)
        case ("quota" | "draining", _) | (_, 429 | 502 | 503 | 504):
            return RouterBusy(host, wait if wait is not None else _SHORT_WAIT_SECONDS)
    return RouterFailed(host, f"status {response.status_code}")


def _problem(response: httpx.Response, body: bytes) -> Problem:
    unknown = Problem(status=max(400, min(599, response.status_code)), title="")
    if response.headers.get("content-type", "").partition(";")[0].strip() != problems.MEDIA_TYPE:
        return unknown
    try:
        return decode(body, Problem, limit_bytes=LARGEST_PROBLEM_BYTES)
    except MessageError:
        return unknown


def _wait(response: httpx.Response, problem: Problem) -> int | None:
    """Seconds until it is worth trying again: the header, which proxies set too, else the problem's own."""
    said = response.headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return min(int(said[:9]), LONGEST_WAIT_SECONDS)
    if said:
        try:
            until = email.utils.parsedate_to_datetime(said).timestamp()
        except (ValueError, OverflowError):
            return problem.retry_seconds
        return int(min(max(0.0, until - time.time()), LONGEST_WAIT_SECONDS))
    return problem.retry_seconds
