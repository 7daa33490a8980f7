"""A runtime in a thread of this process: for phones, which have no child processes."""

from __future__ import annotations

from engines.llama_cpp.channel import Deliver
from engines.llama_cpp.messages import Request
from engines.llama_cpp.runtime import Runtime

_SECONDS_TO_CLOSE = 10.0


class ThreadChannel:
    """Nothing is copied or encoded; a crash of llama.cpp is a crash of the app."""

    def __init__(self, deliver: Deliver) -> None:
        self._runtime = Runtime(deliver)
        self._runtime.start()

    @property
    def alive(self) -> bool:
        """See `Channel`. A thread does not die alone."""
        return True

    def send(self, request: Request) -> None:
        """See `Channel`."""
        self._runtime.handle(request)

    def close(self) -> None:
        """See `Channel`. A thread cannot be ended by force: one that hangs is left behind."""
        self._runtime.close(_SECONDS_TO_CLOSE)
