"""Server-sent events, read without trust: a line may never end, a comment is a sign of life.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

from __future__ import annotations

from collections.abc import Iterator

MOST_BYTES = 4 << 20
"""Of one event. An answer's piece has some hundred."""


class TooLong(ValueError):
    """An event that does not end."""


class EventStream:
    """Puts an event stream's `data` together from the pieces in which a network delivers it."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._data: list[bytes] = []
        self._size = 0
        self._after_return = False

    def feed(self, received: bytes) -> Iterator[bytes]:
        """Take more bytes; yields the data of each event that is complete now.

        Raises:
            TooLong: one event is larger than any answer's.
        """
        if self._after_return and received.startswith(b"\n"):
            received = received[1:]  # the second half of a line's end
        self._after_return = received.endswith(b"\r")
        # For bytes, splitlines knows \n, \r\n and \r: exactly the ends of lines of this format.
        for piece in received.splitlines(keepends=True):
            self._line += piece.rstrip(b"\r\n")
            if len(self._line) + self._size > MOST_BYTES:
                raise TooLong
            if piece.endswith((b"\n", b"\r")):
                line = bytes(self._line)
                self._line.clear()
                if (event := self._take(line)) is not None:
                    yield event

    def rest(self) -> bytes | None:
        """The data of an event that the end of the stream has completed, as some servers leave it."""
        line, self._line = bytes(self._line), bytearray()
        event = self._take(line) if line else None
        return event if event is not None else self._take(b"")

    def _take(self, line: bytes) -> bytes | None:
        if not line:
            data, self._data, self._size = self._data, [], 0
            return b"\n".join(data) if data else None
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
            self._size += len(value)
        return None
