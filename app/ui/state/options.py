"""The options of a model and of a conversation, as the screens show and set them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import flet as ft

from app.core.adapters import ModelAdapters
from app.core.errors import OptionError
from app.core.model_options import AdapterUse, AnswerOptions, OptionOrigin, ResolvedOptions, changed
from app.core.servers import ServerModel
from app.services import Services
from app.ui.state.files import Files
from app.ui.state.mailbox import Mailbox
from app.ui.state.reporting import reported
from engines.errors import ModelFileError
from engines.library import InstalledModel
from engines.memory import MemoryFit

Change = Callable[[str, object], Awaitable[OptionError | None]]


@dataclass(frozen=True, slots=True)
class Tunable:
    """Something whose options can be set: a model, or a conversation."""

    options: ResolvedOptions
    own: OptionOrigin
    """The origin of what is set here."""
    change: Change
    """Sets an option, or with `None` leaves it to others; returns what is wrong with the value."""
    can_think: bool = True
    remote: bool = False
    """Its server decides what nobody sets, and does not tell."""
    trained_context: int = 0
    """Tokens that the model was trained on at once; 0: not known."""
    without_use: frozenset[str] = frozenset()
    """Names of options that change nothing on this device."""

    def offers(self, name: str) -> bool:
        """Whether an option is shown: one without use only where it is set, to be taken back."""
        return name not in self.without_use or self.options.origin(name) is self.own

    @property
    def has_own(self) -> bool:
        """Whether anything is set here."""
        options = self.options.by_name.items()
        return any(option.origin is self.own for name, option in options if name != "adapters")


@dataclass(frozen=True, slots=True)
class ModelTuning:
    """The options of a model, and what follows from them."""

    model: InstalledModel
    tunable: Tunable
    memory_bytes: int
    fit: MemoryFit
    loads_again: bool
    """It is in memory in another way, and the next question loads it again."""
    adapters: tuple[AdapterUse, ...]
    missing: frozenset[str]
    """Names of adapters whose files are gone."""


@ft.observable
@dataclass
class OptionsState:
    """What is being set."""

    model: ModelTuning | None = None
    conversation: Tunable | None = None
    adding: str | None = None
    """Name of an adapter on its way in."""


class OptionsOnScreen:
    """What can be done with options."""

    def __init__(
        self,
        services: Services,
        files: Files,
        mailbox: Mailbox,
        report: Callable[[Exception], None],
        run: Callable[..., object],
        conversation: Callable[[], AnswerOptions],
        keep_conversation: Callable[[AnswerOptions], Awaitable[object]],
    ) -> None:
        """`conversation` gives the options of the open conversation, `keep_conversation` keeps others."""
        self.state = OptionsState()
        self.report = report
        self._models = services.models
        self._tuning = services.models.tuning
        self._files = files
        self._conversation = conversation
        self._keep_conversation = keep_conversation
        self._turn = asyncio.Lock()
        self._end = services.models.subscribe(lambda: mailbox.post(lambda: run(self._refresh)))

    @property
    def adapters(self) -> ModelAdapters:
        """The adapters of models."""
        return self._tuning.adapters

    def close(self) -> None:
        """The session ends."""
        self._end()

    # -- a model ------------------------------------------------------------------------------

    @reported
    async def show_model(self, model: InstalledModel) -> None:
        """Look up the options of a model."""
        try:
            self.state.model = await asyncio.to_thread(self._look_up, model)
        except ModelFileError:  # removed or damaged in this moment: the list of models tells
            self.state.model = None

    @reported
    async def reset_model(self, model: InstalledModel) -> None:
        """Forget everything that is set for a model."""
        await asyncio.to_thread(self._tuning.reset, model.id)
        await self.show_model(model)

    @reported
    async def add_adapter(self, model: InstalledModel) -> None:
        """Let the user choose an adapter, and use it."""
        for file in await self._files.choose([".gguf"]):
            self.state.adding = file.name
            try:
                received = await self._files.receive(file)
                source = received.path
                if received.owned:
                    source = source.rename(source.with_name(file.name))
                try:
                    await asyncio.to_thread(self.adapters.add, model, source)
                finally:
                    if received.owned:
                        source.unlink(missing_ok=True)
            finally:
                self.state.adding = None
        await self.show_model(model)

    async def turn_adapter(
        self, model: InstalledModel, name: str, *, scale: float | None = None, enabled: bool | None = None
    ) -> OptionError | None:
        """Turn an adapter up or down, on or off; returns what is wrong with the scale."""
        return await self._attempt(
            lambda: self.adapters.turn(model.id, name, scale=scale, enabled=enabled),
            lambda: self.show_model(model),
        )

    @reported
    async def remove_adapter(self, model: InstalledModel, name: str) -> None:
        """Do not use an adapter any more."""
        await asyncio.to_thread(self.adapters.remove, model.id, name)
        await self.show_model(model)

    # -- the open conversation ----------------------------------------------------------------

    @reported
    async def show_conversation(self) -> None:
        """Look up the options of the open conversation, or of the new one."""
        model = await asyncio.to_thread(self._models.chosen)
        options = self._conversation()
        resolved = await asyncio.to_thread(self._tuning.resolve, model, options)
        can_think = not isinstance(model, InstalledModel) or await asyncio.to_thread(
            self._tuning.can_think, model
        )
        self.state.conversation = Tunable(
            resolved,
            OptionOrigin.CONVERSATION,
            self._change_conversation,
            can_think=can_think,
            remote=isinstance(model, ServerModel),
        )

    @reported
    async def reset_conversation(self) -> None:
        """Forget everything that is set for the open conversation."""
        await self._keep_conversation(AnswerOptions())
        await self.show_conversation()

    async def _change_conversation(self, name: str, value: object) -> OptionError | None:
        async with self._turn:
            try:
                options = changed(self._conversation(), name, value)
            except OptionError as error:
                return error
            await self._keep_conversation(options)
            await self.show_conversation()
        return None

    # -----------------------------------------------------------------------------------------

    async def _attempt(
        self, action: Callable[[], object], then: Callable[[], Awaitable[object]]
    ) -> OptionError | None:
        """Do it in a thread, after what came before; a wrong value is returned, all else is told."""
        async with self._turn:
            try:
                await asyncio.to_thread(action)
            except OptionError as error:
                return error
            except OSError as error:
                self.report(error)
            await then()
        return None

    @reported
    async def _refresh(self) -> None:
        if self.state.model is not None:
            await self.show_model(self.state.model.model)

    def _look_up(self, model: InstalledModel) -> ModelTuning:
        async def change(name: str, value: object) -> OptionError | None:
            return await self._attempt(
                lambda: self._tuning.change(model.id, {name: value}), lambda: self.show_model(model)
            )

        need, fit = self._models.memory(model)
        return ModelTuning(
            model,
            Tunable(
                self._tuning.resolve(model),
                OptionOrigin.MODEL,
                change,
                can_think=self._tuning.can_think(model),
                trained_context=model.trained_context,
                without_use=self._tuning.without_use(),
            ),
            need.total,
            fit,
            self._models.loads_again(model),
            self.adapters.of(model.id),
            frozenset(self.adapters.missing(model.id)),
        )
