"""The work for others on the screen: how it stands, its rules, its log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import flet as ft

from app.core.network.work_policy import WorkPolicy
from app.core.network.work_records import WorkEntry
from app.core.network.work_status import WorkStatus
from app.services import Services
from app.ui.state.mailbox import Mailbox
from app.ui.state.phone_conditions import PhoneConditions
from app.ui.state.reporting import reported

SHOWN_ENTRIES = 30


@dataclass(frozen=True, slots=True)
class Choosable:
    """A group or a model, by its id and what it is called."""

    id: str
    name: str


@ft.observable
@dataclass
class WorkingState:
    """What the section shows."""

    status: WorkStatus = field(default_factory=WorkStatus)
    policy: WorkPolicy = field(default_factory=WorkPolicy)
    groups: tuple[Choosable, ...] = ()
    models: tuple[Choosable, ...] = ()
    log: tuple[WorkEntry, ...] | None = None
    """The newest first; None until it is read."""


class WorkingOnScreen:
    """What can be done with it."""

    def __init__(
        self, page: ft.Page, services: Services, mailbox: Mailbox, report: Callable[[Exception], None]
    ) -> None:
        self.state = WorkingState(services.working.status, services.working.policy)
        self.report = report
        self._services = services
        self._working = services.working
        self._mailbox = mailbox
        self._phone = PhoneConditions(page, services.working.conditions)
        self._shown = False
        self._ends = [
            self._working.subscribe(lambda status: mailbox.post(lambda: self._changed(status))),
            services.network.groups.stored.subscribe(lambda: mailbox.post(self._choices_changed)),
            services.models.subscribe(lambda: mailbox.post(self._choices_changed)),
        ]

    async def start(self) -> None:
        """A phone that works for others is asked for its power and connection."""
        if self._working.policy.enabled:
            await self._phone.start()

    @reported
    async def enter(self) -> None:
        """The section is shown: read what it needs."""
        self._shown = True
        self.state.status, self.state.policy = self._working.status, self._working.policy
        await self._read_choices()
        await self._read_log()

    def leave(self) -> None:
        """It is shown no more."""
        self._shown = False

    @reported
    async def change(self, /, **values: object) -> None:
        """Change rules; they hold at once."""
        self.state.policy = await asyncio.to_thread(self._working.change, **values)
        await self.start()

    async def toggle_group(self, group: str) -> None:
        """Answer the members of a group, or no longer. All chosen is the same as all there will ever be."""
        known = [each.id for each in self.state.groups]
        chosen = self.state.policy.groups
        now = [each for each in known if (chosen is None or each in chosen) is not (each == group)]
        await self.change(groups=None if now == known else tuple(now))

    @reported
    async def clear_log(self) -> None:
        """Forget what was done."""
        await asyncio.to_thread(self._working.records.forget)
        await self._read_log()

    def close(self) -> None:
        """The session ends; the work goes on."""
        for end in self._ends:
            end()

    @reported
    async def _read_choices(self) -> None:
        groups = await asyncio.to_thread(self._services.network.groups.all)
        models = await asyncio.to_thread(self._services.models.installed)
        self.state.groups = tuple(Choosable(group.id, group.name) for group in groups)
        self.state.models = tuple(
            Choosable(model.id, model.name) for model in models if model.has_chat_template
        )

    def _choices_changed(self) -> None:
        if self._shown:
            self._mailbox.run(self._read_choices)

    async def _read_log(self) -> None:
        found = await asyncio.to_thread(self._working.records.latest, SHOWN_ENTRIES)
        self.state.log = tuple(found)

    def _changed(self, status: WorkStatus) -> None:
        before, self.state.status = self.state.status, status
        self.state.policy = self._working.policy
        ended = status.running < before.running or status.today != before.today
        if self._shown and ended:
            self._mailbox.run(self._read_log)
