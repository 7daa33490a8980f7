"""The description of a router's HTTP interface (OpenAPI 3.1), built from the types of its messages.

The WebSocket, and what comes as events, are told in words here: OpenAPI has no form for them. Their messages
are in the JSON Schema of the protocol.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from network.protocol import problems
from network.protocol.fields import PROTOCOL_VERSION
from network.protocol.jobs import JobAccepted, JobRequest
from network.protocol.problems import MEDIA_TYPE, Problem
from network.protocol.routers import LinkOpened, Pool, RouterInfo
from network.protocol.tickets import Candidates, WorkerQuery

_TYPES = (RouterInfo, Pool, WorkerQuery, Candidates, JobRequest, JobAccepted, LinkOpened, Problem)
_ID = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
_EVENTS = "text/event-stream"


@lru_cache(maxsize=1)
def openapi() -> dict[str, Any]:
    """The whole document."""
    _, schemas = msgspec.json.schema_components(_TYPES, ref_template="#/components/schemas/{name}")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "DAI router",
            "version": str(PROTOCOL_VERSION),
            "description": "What askers and workers say to a router over HTTP. Sealed contents, signatures "
            "and the order of messages are told in docs/reference/protocol.md, every message in "
            "docs/reference/protocol.schema.json. Written by `hatch run docs`; do not edit.",
        },
        "paths": _paths(),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {
                "invite": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "DAI-Invite",
                    "description": "Where `needs_invite_to_ask` says so.",
                },
                "access": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "base64url of the field `access` of `job_accepted` or `link_opened`.",
                },
                "owner": {"type": "http", "scheme": "bearer", "description": "The router's admin token."},
            },
        },
    }


def _paths() -> dict[str, Any]:
    return {
        "/v1/router": {"get": _operation("Who the router is and whom it takes", answer=RouterInfo)},
        "/v1/pool": {
            "get": _operation("Its public workers in numbers", answer=Pool, problems=(problems.QUOTA,))
        },
        "/v1/candidates": {
            "post": _operation(
                "Workers for a question, and the router's ticket for them",
                body=WorkerQuery,
                answer=Candidates,
                security="invite",
                problems=(*_BODY, problems.REFUSED, problems.NO_WORKER),
            )
        },
        "/v1/jobs": {
            "post": _operation(
                "Keep a question; sending it again does no harm",
                body=JobRequest,
                answer=JobAccepted,
                status=202,
                security="invite",
                problems=(
                    *_BODY,
                    problems.REFUSED,
                    problems.JOB_EXISTS,
                    problems.QUEUE_FULL,
                    problems.DRAINING,
                    problems.UNAVAILABLE,
                ),
            )
        },
        "/v1/jobs/{job}/events": {
            "get": _operation(
                "The answers: each event is one encoded message of `ToAsker`, its id the place to go on "
                "from. The last one is a `job_progress` without an id that tells how the question has ended; "
                "before a restart of the router it is `bye`",
                answer=_EVENTS,
                security="access",
                parameters=(_path("job"), _LAST_EVENT_ID),
                problems=(problems.NOT_REGISTERED, problems.REFUSED, problems.UNKNOWN_JOB, problems.QUOTA),
            )
        },
        "/v1/jobs/{job}": {
            "delete": _operation(
                "Nobody waits for the answers any more",
                security="access",
                parameters=(_path("job"),),
                problems=(problems.NOT_REGISTERED, problems.REFUSED, problems.UNKNOWN_JOB, problems.QUOTA),
            )
        },
        "/v1/worker": {
            "get": _operation(
                "A worker's WebSocket: each binary message is one of `FromWorker` or `ToWorker`",
                status=101,
                problems=(
                    problems.REFUSED,
                    problems.NOT_FOUND,
                    problems.QUOTA,
                    problems.TOO_MANY_LINKS,
                    problems.DRAINING,
                ),
            )
        },
        "/v1/worker/links": {
            "post": _operation(
                "A worker's link where WebSockets do not get through",
                body={"type": "object", "maxProperties": 0},
                answer=LinkOpened,
                status=201,
                problems=(*_BODY, problems.TOO_MANY_LINKS, problems.DRAINING),
            )
        },
        "/v1/worker/links/{link}/events": {
            "get": _operation(
                "What the router says to the worker: each event is one encoded message of `ToWorker`",
                answer=_EVENTS,
                security="access",
                parameters=(_path("link"),),
                problems=(problems.NOT_REGISTERED, problems.UNKNOWN_LINK, problems.QUOTA),
            )
        },
        "/v1/worker/links/{link}/messages": {
            "post": _operation(
                "What the worker says: messages of `FromWorker`, in their order",
                body={"type": "array", "maxItems": 64, "items": {"type": "object"}},
                security="access",
                parameters=(_path("link"),),
                problems=(*_BODY, problems.NOT_REGISTERED, problems.UNKNOWN_LINK),
            )
        },
        "/healthz": {"get": _operation("Whether the process lives", answer="text/plain")},
        "/readyz": {
            "get": _operation("Whether it takes questions", answer="text/plain", other={503: "text/plain"})
        },
        "/metrics": {
            "get": _operation(
                "Numbers for Prometheus; from other machines with the owner's token",
                answer="text/plain",
                security="owner",
                problems=(problems.NOT_REGISTERED, problems.REFUSED, problems.QUOTA),
            )
        },
        "/admin": {"get": _operation("The owner's page", answer="text/html")},
        "/admin/status": {
            "get": _operation(
                "What the owner's page shows",
                answer="application/json",
                security="owner",
                problems=(problems.NOT_REGISTERED, problems.REFUSED, problems.QUOTA),
            )
        },
        "/openapi.json": {"get": _operation("This document", answer="application/json")},
    }


_BODY = (problems.INVALID, problems.VERSION, problems.TOO_LARGE, problems.QUOTA)
_LAST_EVENT_ID = {"name": "Last-Event-ID", "in": "header", "required": False, "schema": {"type": "string"}}


def _path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": _ID}


def _operation(
    summary: str,
    *,
    body: type[msgspec.Struct] | dict[str, Any] | None = None,
    answer: type[msgspec.Struct] | str | None = None,
    status: int | None = None,
    security: str = "",
    parameters: tuple[dict[str, Any], ...] = (),
    problems: tuple[problems.Kind, ...] = (),
    other: dict[int, str] | None = None,
) -> dict[str, Any]:
    """One operation; `answer` is a message or a media type."""
    code = status or (200 if answer is not None else 204)
    responses: dict[str, Any] = {str(code): {"description": "Done", **_content(answer)}}
    for other_code, media_type in (other or {}).items():
        responses[str(other_code)] = {"description": "Not now", **_content(media_type)}
    for kind in problems:
        known = responses.get(str(kind.status), {}).get("description", "")
        title = f"{known}; or: {kind.title}" if known else kind.title
        responses[str(kind.status)] = {
            "description": title,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    operation: dict[str, Any] = {"summary": summary, "responses": responses}
    if body is not None:
        schema = body if isinstance(body, dict) else {"$ref": f"#/components/schemas/{body.__name__}"}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if parameters:
        operation["parameters"] = list(parameters)
    if security:
        operation["security"] = [{security: []}, {}] if security in ("invite", "owner") else [{security: []}]
    return operation


def _content(answer: type[msgspec.Struct] | str | None) -> dict[str, Any]:
    if answer is None:
        return {}
    if isinstance(answer, str):
        return {"content": {answer: {}}}
    return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{answer.__name__}"}}}}
