"""Answers on their way to their askers, in memory: whoever lost the connection goes on where it was."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from network.broker.protocol import Frame

KEPT_SECONDS = 60.0
"""After the end of a question, for an asker that comes back."""
LARGEST_CHANNEL_BYTES = 16 * 1024 * 1024
"""Of one question; an asker that is away for longer has to ask again."""

_STARTS_SHIFT = 32


@dataclass(slots=True)
class _Channel:
    frames: deque[Frame] = field(default_factory=deque)
    bytes: int = 0
    ended_at: float | None = None
    listeners: set[asyncio.Event] = field(default_factory=set)

    def tell(self) -> None:
        for listener in self.listeners:
            listener.set()


class FrameRelay:
    """Frames of all open questions. Belongs to one event loop."""

    def __init__(self, start_number: int) -> None:
        # Ids go on above all of earlier starts: "after 17" never hides what comes after a restart.
        self._next = (start_number << _STARTS_SHIFT) + 1
        self._channels: dict[str, _Channel] = {}

    def __len__(self) -> int:
        return len(self._channels)

    def emit(self, job: str, data: bytes) -> bool:
        """Keep and pass on; False after the end."""
        channel = self._channels.setdefault(job, _Channel())
        if channel.ended_at is not None:
            return False
        channel.frames.append(Frame(self._next, data))
        self._next += 1
        channel.bytes += len(data)
        while channel.bytes > LARGEST_CHANNEL_BYTES:
            channel.bytes -= len(channel.frames.popleft().data)
        channel.tell()
        return True

    def end(self, job: str, now: float) -> None:
        """Nothing follows; listeners end when they have heard everything."""
        channel = self._channels.setdefault(job, _Channel())
        if channel.ended_at is None:
            channel.ended_at = now
            channel.tell()

    def sweep(self, now: float) -> list[str]:
        """Forget what ended a while ago; returns the questions."""
        old = [
            job
            for job, channel in self._channels.items()
            if channel.ended_at is not None and channel.ended_at + KEPT_SECONDS <= now
        ]
        for job in old:
            del self._channels[job]
        return old

    def kept(self, job: str) -> tuple[Frame, ...]:
        """What was passed on and is still here, in order."""
        channel = self._channels.get(job)
        return tuple(channel.frames) if channel else ()

    def known(self, job: str) -> bool:
        """Whether there was anything about this question, or its end."""
        return job in self._channels

    async def listen(self, job: str, after: int) -> AsyncGenerator[Frame, None]:
        """Frames after this id, until the end."""
        channel = self._channels.setdefault(job, _Channel())
        news = asyncio.Event()
        channel.listeners.add(news)
        try:
            while True:
                news.clear()
                for frame in [frame for frame in channel.frames if frame.id > after]:
                    after = frame.id
                    yield frame
                if news.is_set():
                    continue
                if channel.ended_at is not None:
                    return
                await news.wait()
        finally:
            channel.listeners.discard(news)
