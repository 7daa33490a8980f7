"""Signals that ask the process to end: everything is closed before it does."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")
Handler = Callable[[int, FrameType | None], object]

_SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""From a system that shuts down, or a terminal that is closed. Windows ends processes without a word."""
_SHELLS_BASE = 128


def run_until_told_to_end(main: Coroutine[Any, Any, T]) -> T:
    """Run a program's coroutine as `asyncio.run` does; a signal to end cancels it, so that it can close all.

    A second one ends the process at once.

    Raises:
        SystemExit: it was told to end; the status is 128 + the signal, as shells have it.
    """
    told: list[int] = []

    async def cancellable() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()

        def end(number: int, _: FrameType | None) -> None:
            told.append(number)
            signal.signal(number, signal.SIG_DFL)
            if task is not None:
                loop.call_soon_threadsafe(task.cancel)

        with _handled_by(end):
            return await main

    try:
        result = asyncio.run(cancellable())
    except asyncio.CancelledError:
        if not told:
            raise
    if told:
        raise SystemExit(_SHELLS_BASE + told[0])
    return result


@contextmanager
def ended_at_once() -> Iterator[None]:
    """A signal to end raises SystemExit right here: for calls that block the event loop."""

    def end(number: int, _: FrameType | None) -> None:
        raise SystemExit(_SHELLS_BASE + number)

    with _handled_by(end):
        yield


@contextmanager
def _handled_by(handler: Handler) -> Iterator[None]:
    """What is ignored, as `nohup` wants it, stays ignored."""
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    handled = [number for number, found in before.items() if found is not signal.SIG_IGN]
    for number in handled:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, before[number])
