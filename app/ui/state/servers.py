"""The form for a model of a server: adding one, and changing one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import flet as ft

from app.core.server_presets import ServerPreset
from app.core.servers import ServerModel
from app.services import Services
from app.ui import routes
from app.ui.state.reporting import reported
from engines.errors import RemoteAddressInvalid
from engines.remote.address import ServerAddress, read_address
from engines.remote.models import RemoteModel


class Work(StrEnum):
    """What the form is busy with."""

    LOOKING = "looking"
    TRYING = "trying"
    SAVING = "saving"


@ft.observable
@dataclass
class ServerForm:
    """What stands in the form."""

    editing: ServerModel | None = None
    """The one to change; None: a new one."""
    preset: ServerPreset | None = None
    url: str = ""
    key: str = ""
    name: str = ""
    model: str = ""
    """The model's name there, as far as it was typed."""
    offered: tuple[RemoteModel, ...] | None = None
    """What the server has said it has; None before it was asked."""
    picked: tuple[str, ...] = ()
    """Of those, the ones to add."""
    key_known: bool = False
    """There is a key for this server already."""
    keys_last: bool = False
    """A key will be known after a restart."""
    work: Work | None = None
    problem: Exception | None = None
    failed: Work | None = None
    """In which work the problem came up."""
    seconds: float | None = None
    """How long the trial waited for the first word."""

    @property
    def address(self) -> ServerAddress | None:
        """What was typed, if it is the address of a server."""
        try:
            return read_address(self.url)
        except RemoteAddressInvalid:
            return None

    @property
    def models(self) -> tuple[str, ...]:
        """The models that were chosen, or the one that was typed."""
        if self.offered:
            return self.picked
        return (self.model.strip(),) if self.model.strip() else ()


class ServersOnScreen:
    """What can be done with the form. A server hears of it in `look` and in `try_out` only."""

    def __init__(
        self,
        services: Services,
        report: Callable[[Exception], None],
        go: Callable[[str], None],
        saved: Callable[[list[ServerModel]], None],
    ) -> None:
        """`go` shows another screen; `saved` tells the user what was added or changed."""
        self.form = ServerForm()
        self.report = report
        self._models = services.models
        self._go = go
        self._saved = saved
        self._job: asyncio.Task[None] | None = None

    @reported
    async def add(self) -> None:
        """Begin with an empty form."""
        await self._begin(None)

    @reported
    async def edit(self, model: ServerModel) -> None:
        """Begin with what is known of a server's model."""
        await self._begin(model)

    async def _begin(self, model: ServerModel | None) -> None:
        self.stop()
        form = self.form
        form.editing, form.preset = model, None
        form.url, form.name, form.model = (model.url, model.name, model.model) if model else ("", "", "")
        form.key, form.picked, form.offered = "", (), None
        form.work = form.problem = form.seconds = None
        self._go(routes.SERVER)
        servers = self._models.servers
        form.keys_last = await asyncio.to_thread(servers.keeps_keys)
        form.key_known = model is not None and await asyncio.to_thread(servers.knows_key, model.url)

    def take(self, preset: ServerPreset, address: str) -> None:
        """Begin with one program's usual address."""
        self.form.preset = preset
        self.type_address(address)

    def type_address(self, text: str) -> None:
        """Another address: what another server has told does not count any more."""
        form = self.form
        form.url = text
        form.offered, form.picked = None, ()
        form.problem = form.seconds = None
        form.key_known = (
            form.editing is not None and form.address is not None and form.address.url == form.editing.url
        ) and form.key_known

    def type_key(self, text: str) -> None:
        """Another key."""
        self.form.key = text
        self.form.problem = self.form.seconds = None

    def type_model(self, text: str) -> None:
        """The model's name, where the server does not tell it."""
        self.form.model = text
        self.form.problem = self.form.seconds = None

    def pick(self, model: str, chosen: bool) -> None:
        """Choose one of the models that the server has told, or not; when editing, instead of the others."""
        form = self.form
        rest = () if form.editing is not None else tuple(one for one in form.picked if one != model)
        form.picked = (*rest, model) if chosen else rest
        form.problem = form.seconds = None

    def added(self, model: str) -> bool:
        """Whether this model of the server in the form is in the list already."""
        address = self.form.address
        return address is not None and any(
            (one.url, one.model) == (address.url, model) and one != self.form.editing
            for one in self._models.servers.added()
        )

    async def look(self) -> None:
        """Ask the server which models it has."""
        form = self.form

        async def ask() -> None:
            form.offered = tuple(await self._models.servers.offered(form.url, form.key.strip() or None))
            free = [model.id for model in form.offered if not self.added(model.id)]
            if form.editing is not None:
                form.picked = tuple(model for model in free if model == form.editing.model)
            else:
                form.picked = tuple(free) if len(free) == 1 else ()

        await self._do(Work.LOOKING, ask)

    async def try_out(self) -> None:
        """Send a short greeting to the first of the chosen models."""
        form = self.form

        async def ask() -> None:
            servers = self._models.servers
            form.seconds = await servers.try_out(form.url, form.models[0], form.key.strip() or None)

        await self._do(Work.TRYING, ask)

    async def save(self) -> None:
        """Keep what stands in the form, and go back to the list."""
        form = self.form
        key = form.key.strip() or None

        async def keep() -> None:
            if form.editing is not None:
                model = form.models[0]
                kept = [await self._models.change_server(form.editing.id, form.name, form.url, model, key)]
            else:
                several = len(form.models) > 1
                names = [
                    (f"{form.name} {one}" if several and form.name else form.name) for one in form.models
                ]
                wanted = list(zip(names, form.models, strict=True))
                kept = await self._models.add_servers(form.url, wanted, key)
            form.key = ""
            self._go(routes.MODELS)
            self._saved(kept)

        await self._do(Work.SAVING, keep)

    @reported
    async def forget_key(self) -> None:
        """Forget the key of the server that is edited."""
        if self.form.editing is not None:
            url = self.form.editing.url
            await asyncio.to_thread(self._models.servers.forget_key, url)
            self.form.key_known = await asyncio.to_thread(self._models.servers.knows_key, url)

    def stop(self) -> None:
        """Do not wait for the server any longer."""
        if self._job is not None:
            self._job.cancel()

    def close(self) -> None:
        """Leave the form; a key that was typed is not kept in it."""
        self.stop()
        self.form.key = ""
        self._go(routes.MODELS)

    async def _do(self, work: Work, action: Callable[[], Coroutine[Any, Any, None]]) -> None:
        form = self.form
        if form.work is not None:
            return
        form.work, form.problem, form.seconds = work, None, None
        job = self._job = asyncio.create_task(action())
        try:
            await job
        except asyncio.CancelledError:
            if not job.cancelled():
                raise
        except Exception as error:  # noqa: BLE001 - stands in the form, next to what can be changed
            form.problem, form.failed = error, work
        finally:
            if self._job is job:
                self._job, form.work = None, None
