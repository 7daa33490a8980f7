"""Which messages may come over which link. Everything else is refused."""

from __future__ import annotations

from network.protocol import (
    answers,
    content,
    jobs,
    presence,
    problems,
    receipts,
    registration,
    routers,
    tickets,
)
from network.protocol.message import decode

FromWorker = (
    registration.Hello
    | registration.Proof
    | presence.Presence
    | presence.Bye
    | jobs.Renew
    | jobs.Decline
    | answers.AnswerStart
    | answers.AnswerChunk
)
ToWorker = (
    registration.Challenge
    | registration.Welcome
    | presence.Ping
    | presence.Bye
    | jobs.Lease
    | jobs.Cancel
    | answers.AnswerAcknowledged
)
FromAsker = tickets.WorkerQuery | jobs.JobRequest | jobs.Cancel
ToAsker = (
    tickets.Candidates
    | jobs.JobAccepted
    | jobs.JobProgress
    | answers.AnswerStart
    | answers.AnswerChunk
    | presence.Ping
    | presence.Bye
)

SEALED = (content.Question, content.AnswerPart)
"""Inside seals only; on no link in the clear."""
STORED = (receipts.CountersignedReceipt,)
HTTP_ONLY = (routers.RouterInfo, routers.Pool, routers.LinkOpened, problems.Problem)


def from_worker(data: bytes) -> FromWorker:
    """What a router reads from a worker. Raises MessageError."""
    return decode(data, FromWorker)  # type: ignore[arg-type]


def to_worker(data: bytes) -> ToWorker:
    """What a worker reads from its router. Raises MessageError."""
    return decode(data, ToWorker)  # type: ignore[arg-type]


def from_asker(data: bytes) -> FromAsker:
    """What a router reads from an asker. Raises MessageError."""
    return decode(data, FromAsker)  # type: ignore[arg-type]


def to_asker(data: bytes) -> ToAsker:
    """What an asker reads from its router. Raises MessageError."""
    return decode(data, ToAsker)  # type: ignore[arg-type]
