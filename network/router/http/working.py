"""How workers are connected to a router: by WebSocket, else by events and POST."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from network.errors import LinkClosed
from network.protocol import problems
from network.protocol.message import decode, encode
from network.router.http.access import access_of, address_of, number_of
from network.router.http.bodies import JSON, read_body
from network.router.http.event_links import EventLink
from network.router.http.event_stream import EventStream, event
from network.router.http.refusals import Refusal, problem_response
from network.router.http.routes import route
from network.router.http.service import RouterService
from network.router.http.web_socket import WebSocketLink

MOST_MESSAGES = 64
Messages = Annotated[tuple[msgspec.Raw, ...], Meta(max_length=MOST_MESSAGES)]


class WorkerSocket:
    """The ASGI application behind `WS /v1/worker`."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One worker, until it leaves."""
        socket = WebSocket(scope, receive, send)
        service: RouterService = scope["app"].state.service
        address = address_of(socket)
        try:
            if "origin" in socket.headers:
                # Only browsers send it: a website may not use its visitor to come in.
                raise Refusal(problems.REFUSED, "not for websites")
            service.take_request(socket)
            _enter(service, address)
        except Refusal as refusal:
            await socket.send_denial_response(problem_response(refusal.problem))
            return
        try:
            link = WebSocketLink(scope, receive, send, service.settings.write_seconds)
            await link.accept()
            await service.workers.serve(link)
        except LinkClosed:
            return
        finally:
            service.worker_places.leave(address)


async def open_link(request: Request) -> Response:
    """A link for a worker that WebSockets do not reach."""
    service: RouterService = request.app.state.service
    service.take_request(request)
    await read_body(request, service.settings.body_seconds, limit_bytes=1_000)
    address = address_of(request)
    _enter(service, address)
    opened = service.links.open(on_end=lambda: service.worker_places.leave(address))
    return Response(encode(opened), 201, {"Cache-Control": "no-store"}, media_type=JSON)


async def link_events(request: Request) -> Response:
    """What the router says to a worker."""
    service: RouterService = request.app.state.service
    service.take_request(request)
    return EventStream(
        service.links.events(_link(service, request)),
        stopping=service.stopping,
        last_words=lambda: event(service.goodbye()),
        quiet_seconds=service.settings.quiet_seconds,
        write_seconds=service.settings.write_seconds,
        on_end=lambda: None,
    )


async def link_messages(request: Request) -> Response:
    """What a worker says: a JSON array of messages, in their order."""
    service: RouterService = request.app.state.service
    link = _link(service, request)
    messages = decode(await read_body(request, service.settings.body_seconds), Messages)
    try:
        await service.links.send(link, [bytes(message) for message in messages])
    except LinkClosed:
        raise Refusal(problems.UNKNOWN_LINK) from None
    return Response(status_code=204)


def _enter(service: RouterService, address: str) -> None:
    """Take a place for a worker. Raises Refusal."""
    if service.draining:
        raise Refusal(problems.DRAINING, retry_seconds=service.settings.retry_seconds)
    if not service.worker_places.enter(address):
        service.counts["workers over the limit"] += 1
        raise Refusal(problems.TOO_MANY_LINKS, retry_seconds=60)


def _link(service: RouterService, request: Request) -> EventLink:
    found = service.links.find(number_of(request, "link", problems.UNKNOWN_LINK), access_of(request))
    if found is None:
        raise Refusal(problems.UNKNOWN_LINK)
    return found


routes = [
    route("POST", "/v1/worker/links/{link}/messages", link_messages),
    route("POST", "/v1/worker/links", open_link),
    route("GET", "/v1/worker/links/{link}/events", link_events),
]
