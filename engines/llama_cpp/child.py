"""The child process: `python -m engines.llama_cpp.child`, with a pipe as its only door.

It ends when its parent closes the pipe or dies. Nothing that libraries print can get into the pipe.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
from collections.abc import Callable
from typing import BinaryIO, Protocol

from engines.llama_cpp.messages import Event, Request, read_requests, write_frame
from engines.llama_cpp.runtime import Runtime


class Server(Protocol):
    """What does the work in a child process."""

    def start(self) -> None:
        """Begin to serve."""
        ...

    def handle(self, request: Request) -> None:
        """Take a request; returns at once."""
        ...


def serve(make: Callable[[Callable[[Event], None]], Server]) -> None:
    """Serve until the parent is gone. `make` gets the way to deliver events."""
    faulthandler.enable()
    threading.excepthook = _end
    requests, events = take_pipes()
    writing = threading.Lock()

    def deliver(event: Event) -> None:
        with writing:
            try:
                write_frame(events, event)
            except OSError:  # the parent is gone
                os._exit(0)

    runtime = make(deliver)
    runtime.start()
    for request in read_requests(requests):
        runtime.handle(request)
    os._exit(0)  # even in the middle of an answer: the system takes all memory back


def _end(fault: threading.ExceptHookArgs) -> None:
    """A thread that dies would be waited for in vain: out of memory, not even its error can be told."""
    os._exit(70)


def take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep the pipes for ourselves; what others print goes to stderr, what they read is empty."""
    requests = os.fdopen(os.dup(0), "rb")
    events = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return requests, events


if __name__ == "__main__":
    serve(Runtime)
