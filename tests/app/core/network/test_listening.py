"""What a router says between the parts of answers moves nothing but what it may."""

from __future__ import annotations

import asyncio

from app.core.network.listening import Listening, Patience
from app.core.network.panel import Panel, Seat
from app.core.provenance import PrivacyLevel, Provenance
from network.protocol.jobs import JobProgress
from network.protocol.message import encode

JOB = "a" * 32


class Silence:
    """A question to which nobody says anything."""

    receipts: dict[str, object] = {}  # noqa: RUF012

    def hear(self, data: bytes) -> None:
        """Never about an answer."""


async def test_a_router_that_names_somebody_who_was_not_asked_is_not_heard():
    seat = Seat("b" * 32, "", PrivacyLevel.PUBLIC, "m", 0.5, spare=True)
    panel = Panel([seat], 1, now=0.0)
    listening = Listening(Silence(), panel, Provenance(level=PrivacyLevel.PUBLIC), (), Patience(60.0))

    async def messages():
        for event in ("spare", "declined"):
            yield encode(JobProgress(job=JOB, event=event, node="f" * 32))
        yield encode(JobProgress(job=JOB, event="spare", node=seat.node))

    async for _ in listening.events(messages(), asyncio.Event()):
        pass
    assert listening.ended
    assert not seat.spare
