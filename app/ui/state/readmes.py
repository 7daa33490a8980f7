"""What the makers of models wrote about them, asked of the hub when somebody wants to read it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import flet as ft

from app.core.readme import ReadmeText
from app.core.store import Store
from engines.errors import HubFileMissing

_MOST_KEPT = 8
_NOTHING = ReadmeText("", whole=True)


class ReadmePhase(StrEnum):
    """Where the question stands."""

    ASKING = "asking"
    SHOWN = "shown"
    NONE = "none"
    """The makers have written nothing."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Readme:
    """One README, or what has come of asking for it."""

    phase: ReadmePhase
    content: ReadmeText = _NOTHING
    error: Exception | None = None


@ft.observable
@dataclass
class ReadmesState:
    """What was asked for, by repository and revision; what is not here is not open."""

    opened: Mapping[tuple[str, str], Readme] = field(default_factory=dict)


class ReadmesOnScreen:
    """What can be done with READMEs. Nothing is sent before `open`."""

    def __init__(self, store: Store) -> None:
        self.state = ReadmesState()
        self._store = store
        self._read: dict[tuple[str, str], Readme] = {}
        self._asking: dict[tuple[str, str], asyncio.Task[ReadmeText]] = {}

    def page_of(self, repository: str) -> str:
        """The address of a model's own page."""
        return self._store.page_of(repository)

    async def open(self, repository: str, revision: str) -> None:
        """Show a README, asked of the hub unless it was read before; what goes wrong stands in its place."""
        key = (repository, revision)
        if key in self._asking:
            return
        if (read := self._read.get(key)) is not None:
            self._show(key, read)
            return
        self._show(key, Readme(ReadmePhase.ASKING))
        asking = self._asking[key] = asyncio.create_task(self._store.readme(repository, revision))
        try:
            content = await asking
        except asyncio.CancelledError:
            this = asyncio.current_task()
            if this is None or this.cancelling() or not asking.cancelled():
                raise
            self.close(repository, revision)
        except HubFileMissing:
            self._show(key, Readme(ReadmePhase.NONE))
        except Exception as error:  # noqa: BLE001 - it stands on the screen, with what to do
            self._show(key, Readme(ReadmePhase.FAILED, error=error))
        else:
            phase = ReadmePhase.SHOWN if content.text else ReadmePhase.NONE
            self._keep(key, Readme(phase, content))
        finally:
            self._asking.pop(key, None)

    def close(self, repository: str, revision: str) -> None:
        """Fold it away, and wait no longer for it."""
        key = (repository, revision)
        if (asking := self._asking.get(key)) is not None:
            asking.cancel()
        self.state.opened = {other: readme for other, readme in self.state.opened.items() if other != key}

    def stop(self) -> None:
        """The session ends."""
        for asking in self._asking.values():
            with contextlib.suppress(RuntimeError):  # its loop is closed
                asking.cancel()

    def _keep(self, key: tuple[str, str], readme: Readme) -> None:
        while len(self._read) >= _MOST_KEPT:
            del self._read[next(iter(self._read))]
        self._read[key] = readme
        if key in self.state.opened:
            self._show(key, readme)

    def _show(self, key: tuple[str, str], readme: Readme) -> None:
        self.state.opened = {**self.state.opened, key: readme}
