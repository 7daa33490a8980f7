"""What every command shares: open services, output, and Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

import msgspec

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
    """Run a command's coroutine."""
    return asyncio.run(main)


def print_json(value: object) -> None:
    """Print a value as one JSON document; dataclasses and paths are understood."""
    encoded = msgspec.json.encode(value, enc_hook=str)
    sys.stdout.buffer.write(msgspec.json.format(encoded, indent=2) + b"\n")
    sys.stdout.flush()


@contextmanager
def on_interrupt(action: Callable[[], object]) -> Iterator[None]:
    """The first Ctrl-C calls `action`, the second ends the command."""
    loop = asyncio.get_running_loop()
    main = asyncio.current_task()

    def interrupted(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if main is not None:
            loop.call_soon_threadsafe(action)

    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
