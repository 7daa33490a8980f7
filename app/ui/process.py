"""What all sessions of this process share, opened by the first of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from app.services import Services, open_services
from app.ui.state.live import LiveAnswers


@dataclass(frozen=True, slots=True)
class Process:
    """The services, and the answers being written."""

    services: Services
    live: LiveAnswers


_opened: asyncio.Task[Process] | None = None


async def process() -> Process:
    """The shared parts; the first call opens them, off the event loop.

    Raises:
        ModelsMoving: another process moves the models, and has not come to an end for some seconds.
    """
    global _opened
    if _opened is None:
        _opened = asyncio.create_task(_open())
    opening = _opened
    try:
        return await asyncio.shield(opening)
    except Exception:
        if _opened is opening:  # the next call tries again
            _opened = None
        raise


async def close_process() -> None:
    """Store what is being written and close everything; harmless if nothing was opened."""
    global _opened
    opened, _opened = _opened, None
    if opened is not None:
        shared = await opened
        await shared.live.close()
        await shared.services.close()


async def _open() -> Process:
    services = await asyncio.to_thread(open_services)
    await asyncio.to_thread(services.start_downloads)
    services.working.start()
    return Process(services, LiveAnswers(services.answering, services.models))
