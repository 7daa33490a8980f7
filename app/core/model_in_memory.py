"""The one model in memory: loading and unloading it, and what it takes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

from app.core.any_model import AnyModel
from app.core.idle import IdleTimer
from app.core.model_files import ModelFiles
from app.core.servers import ServerModel, Servers
from app.core.settings import SettingsStore
from app.core.tuning import Tuning
from engines.errors import EngineCrashed, EngineKeepsCrashing, EngineStuck, ModelFileError, NotEnoughMemory
from engines.library import InstalledModel, Origin
from engines.memory import MemoryFit, MemoryNeed, available_memory, memory_fit
from engines.opening import in_process
from engines.protocol import Engine, LoadOptions

log = logging.getLogger(__name__)

_MOST_CRASHES = 2
_SECONDS_PER_MINUTE = 60.0


class ModelInMemory:
    """At most one model, with its engine; unloaded once it has been idle for as long as the settings say."""

    def __init__(
        self,
        files: ModelFiles,
        servers: Servers,
        tuning: Tuning,
        settings: SettingsStore,
        opener: Callable[[Path, LoadOptions], Awaitable[Engine]],
        changed: Callable[[], None],
    ) -> None:
        self._files = files
        self._servers = servers
        self._tuning = tuning
        self._open = opener
        self._changed = changed
        self._engine: Engine | None = None
        self._options: LoadOptions | None = None
        self._loaded: AnyModel | None = None
        self._loading: AnyModel | None = None
        self._turn = asyncio.Lock()
        self._idle = IdleTimer(
            lambda: settings.current.unload_after_minutes * _SECONDS_PER_MINUTE, self._unload_idle
        )
        self._unloading: asyncio.Task[None] | None = None
        self._crashes: dict[str, int] = {}
        """Crashes in a row, by model."""
        settings.subscribe(lambda _: self._idle.seconds_changed())

    @property
    def loaded(self) -> AnyModel | None:
        """The model in memory, or the one of a server that is open."""
        return self._loaded

    @property
    def loading(self) -> AnyModel | None:
        """The model on its way into memory."""
        return self._loading

    def memory(self, model: InstalledModel) -> tuple[MemoryNeed, MemoryFit]:
        """What a model needs with its present options, and whether that fits now."""
        need = self._tuning.need(model)
        if self._loaded is not None and self._loaded.id == model.id and not self.loads_again(model):
            return need, MemoryFit.FITS
        available = available_memory()
        if isinstance(self._loaded, InstalledModel):  # which goes first
            available += self._tuning.need(self._loaded, self._options).total
        return need, memory_fit(need, available)

    def loads_again(self, model: AnyModel) -> bool:
        """Whether a model is in memory in another way than its options want: the next question loads it."""
        return (
            self._loaded is not None
            and self._loaded.id == model.id
            and self._options != self._tuning.load_options(model)
        )

    def free_memory(self) -> int:
        """Bytes that another model could take: what is free, and what the loaded one would leave."""
        free, loaded = available_memory(), self._loaded
        if not isinstance(loaded, InstalledModel):
            return free
        try:
            return free + self._tuning.need(loaded, self._options).total
        except ModelFileError:  # removed under its engine
            return free

    async def load(self, model: AnyModel, *, anyway: bool = False) -> Engine:
        """The engine with a model, which is loaded if need be; see `Models.load`."""
        async with self._turn:
            return await self._load_in_turn(model, anyway=anyway)

    async def load_unless(self, needed: Callable[[], bool], model: InstalledModel) -> Engine | None:
        """As `load`; None where `needed` says so once nobody else loads or unloads."""
        async with self._turn:
            if needed():
                return None
            return await self._load_in_turn(model, anyway=False)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """While the loaded model answers: it is not unloaded meanwhile, and what kills it is remembered."""
        model = self._loaded
        with self._idle.held():
            try:
                yield
            except (EngineCrashed, EngineStuck):
                if model is not None:
                    self._crashed(model)
                raise
        if model is not None:
            self._crashes.pop(model.id, None)

    @asynccontextmanager
    async def set_aside(self) -> AsyncIterator[None]:
        """Unload, and let nobody load, add or remove a model of this device while this lasts."""
        async with self._turn:
            await self._close()
            self._files.aside = True
        try:
            yield
        finally:
            self._files.aside = False
            self._changed()

    async def unload(self) -> None:
        """Free the memory of the loaded model."""
        async with self._turn:
            await self._close()

    async def _load_in_turn(self, model: AnyModel, *, anyway: bool) -> Engine:
        if isinstance(model, InstalledModel):
            self._files.check_here()
        options = self._tuning.load_options(model)
        crashes = self._crashes.get(model.id, 0)
        if anyway:
            self._crashes.pop(model.id, None)
        elif crashes >= _MOST_CRASHES:
            raise EngineKeepsCrashing(model.name, f"{crashes} times")
        self._idle.restart()
        if self._engine and self._loaded and (self._loaded.id, self._options) == (model.id, options):
            return self._engine
        if isinstance(model, InstalledModel) and not anyway:
            need, fit = await asyncio.to_thread(self.memory, model)
            if fit is MemoryFit.TOO_LARGE:
                raise NotEnoughMemory(need.total, available_memory())
        await self._close()
        self._loading = model
        self._changed()
        try:
            if isinstance(model, InstalledModel) and not anyway:
                await self._files.verify_if_written(model)
            try:
                self._engine = await self._opened(model, options)
            except (EngineCrashed, EngineStuck):
                self._crashed(model)
                raise
            self._loaded, self._options = model, options
        finally:
            self._loading = None
            self._idle.restart()
            self._changed()
        return self._engine

    async def _opened(self, model: AnyModel, options: LoadOptions) -> Engine:
        if isinstance(model, ServerModel):
            return await self._servers.open(model, options)
        if model.origin is Origin.LINKED and not in_process("auto"):
            # A map of a file that others can cut off, or pull out with its disk, would end the app.
            options = replace(options, use_mmap=False)
        return await self._open(model.path, options)

    async def _close(self) -> None:
        self._idle.stop()
        engine, self._engine, self._loaded = self._engine, None, None
        if engine is not None:
            await engine.close()
            self._changed()

    def _crashed(self, model: AnyModel) -> None:
        self._crashes[model.id] = self._crashes.get(model.id, 0) + 1

    def _unload_idle(self) -> None:
        if self._engine is not None and not self._turn.locked():
            log.info("idle model unloaded")
            self._unloading = asyncio.ensure_future(self.unload())
