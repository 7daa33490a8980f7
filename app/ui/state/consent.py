"""The user's word on what is about to leave this device."""

from __future__ import annotations

import asyncio

from app.core.network.departure import Departure
from app.ui.state.dialogs import Consent, DeparturePreview, DialogState


class Consents:
    """Shows what would leave, and waits."""

    def __init__(self, dialogs: DialogState) -> None:
        self._dialogs = dialogs
        self._open: asyncio.Future[Consent | None] | None = None

    async def ask(self, departure: Departure) -> Consent | None:
        """None: the user does not agree, or has closed the question."""
        decided: asyncio.Future[Consent | None] = asyncio.get_running_loop().create_future()
        self._open = decided

        def decide(consent: Consent | None) -> None:
            if not decided.done():
                decided.set_result(consent)

        preview = DeparturePreview(departure, decide)
        self._dialogs.show(preview)
        try:
            return await decided
        finally:
            if self._dialogs.current is preview:
                self._dialogs.close()

    def close(self) -> None:
        """The session ends, and nobody can agree any more."""
        if self._open is not None and not self._open.done():
            self._open.set_result(None)
