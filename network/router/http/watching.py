"""For who looks after a router: is it well, numbers, and a page. Counts and states only, never contents."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from network.protocol.routers import Pool
from network.router.directory import ListedWorker
from network.router.http.access import check_token, is_local
from network.router.http.admin_page import CONTENT_SECURITY_POLICY, PAGE
from network.router.http.bodies import JSON
from network.router.http.metrics import MEDIA_TYPE, metrics_text
from network.router.http.openapi import openapi
from network.router.http.pool import count_pool
from network.router.http.routes import route
from network.router.http.service import RouterService

MOST_ROWS = 500


class WorkerRow(msgspec.Struct, frozen=True, kw_only=True):
    """A worker as the owner of the router sees it."""

    node: str
    models: tuple[str, ...]
    languages: tuple[str, ...]
    slots: int
    free: int
    running: int
    pause: str
    public: bool
    groups: int
    """To how many groups it belongs; which, nobody can tell here."""


class TimingRow(msgspec.Struct, frozen=True, kw_only=True):
    """How long something has taken since the start, estimated from a histogram."""

    what: str
    count: int
    p50: float | None
    """Seconds that half of them did not exceed; nothing before the first."""
    p95: float | None


class InvitationRow(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation; the word itself is shown to nobody."""

    name: str
    devices: int
    """How many have come in with it since the start."""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """All that the owner's page shows."""

    name: str
    ready: bool
    draining: bool
    started: int
    now: int
    open_admission: bool
    connected: int
    links: int
    streams: int
    waiting: int
    running: int
    public: Pool
    counts: dict[str, int]
    """What has happened since the start."""
    timings: tuple[TimingRow, ...]
    invitations: tuple[InvitationRow, ...]
    workers: tuple[WorkerRow, ...]
    """The busiest first."""


async def health(request: Request) -> Response:
    """Whether the process lives."""
    return PlainTextResponse("ok\n")


async def readiness(request: Request) -> Response:
    """Whether it takes questions: for load balancers, which send nothing here otherwise."""
    ready = _service(request).ready
    return PlainTextResponse("ready\n" if ready else "not ready\n", 200 if ready else 503)


async def metrics(request: Request) -> Response:
    """Numbers for Prometheus: from this machine, or with the owner's token."""
    service = _service(request)
    if not is_local(request):
        _check_owner(service, request)
    load = await service.broker.load()
    pool = count_pool(await service.asking.directory.workers(), load)
    return Response(metrics_text(service, load, pool), media_type=MEDIA_TYPE)


async def admin_page(request: Request) -> Response:
    """The owner's page; it holds nothing until somebody types the token."""
    return HTMLResponse(
        PAGE,
        headers={
            "Content-Security-Policy": CONTENT_SECURITY_POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-cache",
        },
    )


async def admin_status(request: Request) -> Response:
    """What the owner's page shows."""
    service = _service(request)
    _check_owner(service, request)
    load = await service.broker.load()
    workers = await service.asking.directory.workers()
    status = Status(
        name=service.settings.name,
        ready=service.ready,
        draining=service.draining,
        started=int(service.started),
        now=int(service.wall()),
        open_admission=service.settings.invites is None,
        connected=len(service.workers),
        links=service.worker_places.count,
        streams=service.stream_places.count,
        waiting=load.waiting,
        running=load.running,
        public=count_pool(workers, load),
        counts=dict(sorted(service.counts.items())),
        timings=_timings(service),
        invitations=_invitations(service),
        workers=tuple(map(_row, sorted(workers, key=lambda entry: -entry.state.running)[:MOST_ROWS])),
    )
    return Response(msgspec.json.encode(status), headers={"Cache-Control": "no-store"}, media_type=JSON)


async def description(request: Request) -> Response:
    """The description of the interface, as docs/reference/openapi.json has it."""
    return Response(msgspec.json.encode(openapi()), media_type=JSON)


def _timings(service: RouterService) -> tuple[TimingRow, ...]:
    timings = service.desk.timings
    return tuple(
        TimingRow(what=what, count=found.count, p50=found.quantile(0.5), p95=found.quantile(0.95))
        for what, found in (
            ("waiting for a worker", timings.queue_wait),
            ("first words", timings.first_part),
            ("whole answers", timings.answer),
        )
    )


def _invitations(service: RouterService) -> tuple[InvitationRow, ...]:
    invites = service.settings.invites
    if invites is None:
        return ()
    return tuple(InvitationRow(name=one.name, devices=invites.devices(one.name)) for one in invites.now())


def _row(entry: ListedWorker) -> WorkerRow:
    return WorkerRow(
        node=entry.card.node[:12],
        models=tuple(entry.worker.models),
        languages=tuple(sorted(entry.worker.languages)),
        slots=entry.card.slots,
        free=entry.state.credit,
        running=entry.state.running,
        pause=entry.state.pause,
        public=entry.state.public,
        groups=len(entry.state.memberships),
    )


def _check_owner(service: RouterService, request: Request) -> None:
    """Raises Refusal without the owner's token; guesses are limited as all requests are."""
    service.take_request(request)
    check_token(request, service.settings.admin_token)


def _service(request: Request) -> RouterService:
    service: RouterService = request.app.state.service
    return service


routes = [
    route("GET", "/healthz", health),
    route("GET", "/readyz", readiness),
    route("GET", "/metrics", metrics),
    route("GET", "/admin", admin_page),
    route("GET", "/admin/status", admin_status),
    route("GET", "/openapi.json", description),
]
