"""The way from the engine to its runtime, wherever that lives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from engines.llama_cpp.messages import Event, Request

Deliver = Callable[[Event], None]
"""Called for every event, from a thread of the channel."""


class Channel(Protocol):
    """A running runtime. When it ends by itself, it delivers `Ended` as its last event."""

    @property
    def alive(self) -> bool:
        """Whether the runtime still takes requests."""
        ...

    def send(self, request: Request) -> None:
        """Hand over a request; never waits."""
        ...

    def close(self) -> None:
        """End the runtime and wait until its memory is free, by force if need be."""
        ...


StartChannel = Callable[[Deliver], Channel]
"""Starts a runtime; raises `OSError` where that is impossible."""
