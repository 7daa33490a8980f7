"""Errors of the HTTP interface: problem details of RFC 9457, `application/problem+json`."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from network.protocol.fields import Count, ShortText

MEDIA_TYPE = "application/problem+json"
PREFIX = "urn:dai:problem:"


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a request was not done. Members that a reader does not know are ignored, as the RFC demands.

    Programs decide by `type` and `status`, never by the words, which are for people and hold nothing of what
    was asked.
    """

    type: Annotated[str, Meta(max_length=100)] = "about:blank"
    status: Annotated[int, Meta(ge=400, le=599)]
    title: ShortText
    detail: Annotated[str, Meta(max_length=1_000)] = ""
    instance: Annotated[str, Meta(max_length=200)] = ""
    retry_seconds: Annotated[int, Meta(ge=0, le=86_400)] | None = None
    """As in the header Retry-After, for links that have no headers."""
    position: Count | None = None
    """Place in the queue that was full."""


class Kind(msgspec.Struct, frozen=True):
    """A kind of problem: the end of its `type`, its status and its title."""

    name: str
    status: int
    title: str

    @property
    def type(self) -> str:
        """As it stands in a problem."""
        return PREFIX + self.name

    def problem(
        self, detail: str = "", *, retry_seconds: int | None = None, position: int | None = None
    ) -> Problem:
        """A problem of this kind."""
        return Problem(
            type=self.type,
            status=self.status,
            title=self.title,
            detail=detail[:1_000],
            retry_seconds=retry_seconds,
            position=position,
        )


INVALID = Kind("invalid", 400, "The message is not valid")
NOT_REGISTERED = Kind("not-registered", 401, "Prove first who you are")
REFUSED = Kind("refused", 403, "This router does not admit you")
UNKNOWN_JOB = Kind("unknown-job", 404, "There is no such question, or it has ended")
UNKNOWN_LINK = Kind("unknown-link", 404, "There is no such link, or it has ended")
NOT_FOUND = Kind("not-found", 404, "There is nothing here")
METHOD = Kind("method", 405, "Not in this way")
JOB_EXISTS = Kind("job-exists", 409, "This question was sent before, with other contents")
VERSION = Kind("version", 409, "No common version of the protocol")
TOO_LARGE = Kind("too-large", 413, "The message is too long")
QUOTA = Kind("quota", 429, "Your quota is used up for now")
TOO_MANY_LINKS = Kind("too-many-links", 503, "As many devices are connected as this router takes")
QUEUE_FULL = Kind("queue-full", 429, "Too many questions are waiting")
NO_WORKER = Kind("no-worker", 503, "No worker fits at the moment")
DRAINING = Kind("draining", 503, "This router is about to restart")
UNAVAILABLE = Kind("unavailable", 503, "This router cannot keep questions at the moment")

KINDS = (
    INVALID,
    NOT_REGISTERED,
    REFUSED,
    UNKNOWN_JOB,
    UNKNOWN_LINK,
    NOT_FOUND,
    METHOD,
    JOB_EXISTS,
    VERSION,
    TOO_LARGE,
    QUOTA,
    TOO_MANY_LINKS,
    QUEUE_FULL,
    NO_WORKER,
    DRAINING,
    UNAVAILABLE,
)
"""All of them; their names never change."""
