"""Responses read up to a limit: a router, or whoever stands before it, decides nothing about our memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import cast

import httpx

from network.errors import MessageTooLarge
from network.protocol.fields import MAX_FRAME_BYTES

LARGEST_EVENT_BYTES = 2 * MAX_FRAME_BYTES
"""Of an event with its names and line ends; a message inside it is checked once more when it is decoded."""


async def read_bounded(response: httpx.Response, limit_bytes: int) -> bytes:
    """The whole body as it came over the wire; compressed ones are not accepted (`PLAIN`).

    Raises:
        MessageTooLarge: nothing beyond the limit was kept.
    """
    _refuse_compressed(response, limit_bytes)
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_raw():
        size += len(part)
        if size > limit_bytes:
            raise MessageTooLarge(limit_bytes)
        parts.append(part)
    return b"".join(parts)


PLAIN = {"Accept-Encoding": "identity"}
"""A few compressed bytes could become gigabytes."""


class BoundedEvents(httpx.AsyncByteStream):
    """The bytes of an event stream, as long as no single event is larger than `limit_bytes`."""

    def __init__(self, stream: httpx.AsyncByteStream, limit_bytes: int = LARGEST_EVENT_BYTES) -> None:
        self._stream = stream
        self._limit = limit_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Raises MessageTooLarge within an event that does not end."""
        size = 0
        tail = b""
        async for part in self._stream:
            seen = tail + part.replace(b"\r", b"")
            end = seen.rfind(b"\n\n")
            size = len(seen) - end - 2 if end >= 0 else size + len(part)
            if size > self._limit:
                raise MessageTooLarge(self._limit)
            tail = seen[-1:]
            yield part

    async def aclose(self) -> None:
        """Close the connection."""
        await self._stream.aclose()


def bounded_events(response: httpx.Response) -> httpx.Response:
    """The same response, whose events cannot grow without end.

    Raises:
        MessageTooLarge: it is compressed, so that nobody can say how large it is.
    """
    _refuse_compressed(response, LARGEST_EVENT_BYTES)
    response.stream = BoundedEvents(cast(httpx.AsyncByteStream, response.stream))
    return response


def _refuse_compressed(response: httpx.Response, limit_bytes: int) -> None:
    if response.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise MessageTooLarge(limit_bytes, "compressed, though nobody had asked for that")
