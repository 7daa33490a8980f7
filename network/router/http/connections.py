"""Connections that say nothing, or begin without end: they are closed before they reach the application.

The server below waits for ever for the head of a first request, and takes a head of any size.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD_BYTES = 32 * 1024
HEAD_SECONDS = 15.0


class GuardedConnection(HttpToolsProtocol):
    """HTTP/1.1 with limits on the heads of requests. Routes find `abort` in the state of their scope."""

    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, and wait for a request for a limited time only."""
        # A copy for this connection: a reader that takes nothing can be ended by nobody else.
        self.app_state = {**self.app_state, "abort": transport.abort}
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The end, by whomever."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, but no head beyond its limit."""
        super().data_received(data)
        if self._head_timer is not None:
            self._head_bytes += len(data)
            if self._head_bytes > LARGEST_HEAD_BYTES:
                self.transport.abort()

    def on_message_begin(self) -> None:
        """A request begins; also the second one on a connection has to come to a point."""
        super().on_message_begin()
        self._wait_for_head()

    def on_headers_complete(self) -> None:
        """The head is there; what follows is the business of the routes."""
        self._stop_waiting()
        super().on_headers_complete()

    def _wait_for_head(self) -> None:
        self._stop_waiting()
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _stop_waiting(self) -> None:
        self._head_bytes = 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
