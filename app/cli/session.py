"""What every command shares: open services, and Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

from app.core.ending import ended_at_once, run_until_told_to_end
from app.core.strings import Strings
from app.services import Services, open_services

T = TypeVar("T")


@asynccontextmanager
async def services() -> AsyncIterator[Services]:
    """The opened services, closed again at the end."""
    opened = open_services()
    try:
        yield opened
    finally:
        await opened.close()


def strings_of(opened: Services) -> Strings:
    """The catalogue in the language of the settings."""
    settings = opened.settings.current
    return Strings(settings.language, persian_digits=settings.persian_digits)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine; whatever ends it, what it has opened is closed."""
    return run_until_told_to_end(main)


@contextmanager
def on_interrupt(action: Callable[[], object]) -> Iterator[None]:
    """The first Ctrl-C calls `action` in the event loop, the second ends the command."""
    loop = asyncio.get_running_loop()

    def interrupted(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        loop.call_soon_threadsafe(action)

    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C and what else asks to end do so at once: for calls that block the event loop.

    asyncio's own handler would only ask the task to end when it next waits, which it never does
    while it blocks.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with ended_at_once():
            yield
    finally:
        signal.signal(signal.SIGINT, before)
