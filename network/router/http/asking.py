"""What askers may ask a router."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from network.broker.protocol import JobState
from network.protocol import problems
from network.protocol.jobs import JobProgress, JobRequest
from network.protocol.message import encode
from network.protocol.tickets import WorkerQuery
from network.router.http.access import access_of, address_of, check_invite, number_of
from network.router.http.bodies import JSON, read_message
from network.router.http.event_stream import EventStream, event
from network.router.http.pool import count_pool
from network.router.http.refusals import OUT_OF_ORDER_SECONDS, Refusal
from network.router.http.routes import route
from network.router.http.service import RouterService

_ENDS: dict[JobState | None, Literal["done", "failed", "cancelled", "expired"]] = {
    JobState.DONE: "done",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "cancelled",
    JobState.EXPIRED: "expired",
}
_LARGEST_ID = 2**63


async def router(request: Request) -> Response:
    """Who the router is and whom it takes."""
    return _json(encode(_service(request).info()))


async def pool(request: Request) -> Response:
    """Its public workers in numbers."""
    service = _service(request)
    service.take_request(request)
    counted = count_pool(await service.asking.directory.workers(), await service.broker.load())
    return _json(encode(counted))


async def candidates(request: Request) -> Response:
    """Workers for a question."""
    service = _admitted(request)
    query = await read_message(request, WorkerQuery, service.settings.body_seconds)
    return _json(encode(await service.asking.candidates(query)))


async def submit(request: Request) -> Response:
    """Keep a question; from this answer on it will not be lost."""
    service = _admitted(request)
    if not service.ready:
        raise Refusal(problems.DRAINING, retry_seconds=service.settings.retry_seconds)
    message = await read_message(request, JobRequest, service.settings.body_seconds)
    job = service.asking.check(message)
    service.take_question(job.asker)
    accepted = await service.asking.keep(job)
    service.counts["questions accepted"] += 1
    return _json(encode(accepted), status=202)


async def events(request: Request) -> Response:
    """The answers, from the beginning or after `Last-Event-ID`."""
    service = _service(request)
    service.take_request(request)
    job, access = number_of(request, "job", problems.UNKNOWN_JOB), access_of(request)
    try:
        if await service.asking.state(job, access) is None:
            raise Refusal(problems.UNKNOWN_JOB)
    except PermissionError:
        raise Refusal(problems.REFUSED) from None
    address = address_of(request)
    if not service.stream_places.enter(address):
        raise Refusal(problems.QUOTA, retry_seconds=OUT_OF_ORDER_SECONDS)
    return EventStream(
        _events(service, job, access, _last_id(request)),
        stopping=service.stopping,
        last_words=lambda: event(service.goodbye()),
        quiet_seconds=service.settings.quiet_seconds,
        write_seconds=service.settings.write_seconds,
        on_end=lambda: service.stream_places.leave(address),
    )


async def cancel(request: Request) -> Response:
    """Nobody waits for the answers any more."""
    service = _service(request)
    service.take_request(request)
    job, access = number_of(request, "job", problems.UNKNOWN_JOB), access_of(request)
    try:
        await service.asking.cancel(job, access)
    except PermissionError:
        raise Refusal(problems.REFUSED) from None
    service.counts["questions cancelled"] += 1
    return Response(status_code=204)


async def _events(service: RouterService, job: str, access: bytes, after: int) -> AsyncGenerator[bytes, None]:
    """Frames as events, and a word without a number that says how the question has ended."""
    async with aclosing(service.asking.answers(job, access, after)) as frames:
        async for frame in frames:
            yield event(frame.data, frame.id)
    state = await service.asking.state(job, access)
    if state in _ENDS:
        yield event(encode(JobProgress(job=job, event=_ENDS[state])))


def _service(request: Request) -> RouterService:
    service: RouterService = request.app.state.service
    return service


def _admitted(request: Request) -> RouterService:
    """The service, for who may ask it. Raises Refusal."""
    service = _service(request)
    service.take_request(request)
    if service.settings.invite_to_ask:
        check_invite(request, service.desk)
    return service


def _last_id(request: Request) -> int:
    """After which event to go on; from the beginning where the header makes no sense."""
    said = request.headers.get("last-event-id", "")
    return (
        int(said) if said.isascii() and said.isdigit() and len(said) < 20 and int(said) < _LARGEST_ID else 0
    )


def _json(data: bytes, status: int = 200) -> Response:
    return Response(data, status, {"Cache-Control": "no-store"}, media_type=JSON)


routes = [
    route("POST", "/v1/candidates", candidates),
    route("POST", "/v1/jobs", submit),
    route("GET", "/v1/jobs/{job}/events", events),
    route("GET", "/v1/router", router),
    route("GET", "/v1/pool", pool),
    route("DELETE", "/v1/jobs/{job}", cancel),
]
