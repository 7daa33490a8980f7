"""Which model answers: installed models, the one in memory, loading and unloading."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

from app.core.errors import FolderMissing, ModelMissing, ModelsMoving, NoModelInstalled
from app.core.idle import IdleTimer
from app.core.option_store import OptionStore
from app.core.servers import ServerModel, Servers
from app.core.settings import SettingsStore
from app.core.tuning import Tuning
from engines.errors import EngineCrashed, EngineKeepsCrashing, EngineStuck, ModelFileError, NotEnoughMemory
from engines.library import ContentCheck, InstalledModel, ModelLibrary, Origin
from engines.memory import MemoryFit, MemoryNeed, available_memory, memory_fit
from engines.opening import in_process, open_engine
from engines.protocol import Engine, LoadOptions

Listener = Callable[[], None]
AnyModel = InstalledModel | ServerModel

log = logging.getLogger(__name__)

_MOST_CRASHES = 2
_SECONDS_PER_MINUTE = 60.0


class _Stopped(Exception):
    """Nobody waits for the result any more."""


class Models:
    """The models of this device, of which at most one is in memory."""

    def __init__(
        self,
        library: ModelLibrary,
        settings: SettingsStore,
        opener: Callable[[Path, LoadOptions], Awaitable[Engine]] = open_engine,
        servers: Servers | None = None,
        tuning: Tuning | None = None,
    ) -> None:
        self.servers = servers or Servers(settings)
        self.tuning = tuning or Tuning(library, settings, OptionStore(None))
        self._library = library
        self._settings = settings
        self._open = opener
        self._engine: Engine | None = None
        self._options: LoadOptions | None = None
        self._loaded: AnyModel | None = None
        self._loading: AnyModel | None = None
        self._turn = asyncio.Lock()
        self._aside = False
        self._listeners: list[Listener] = []
        self._idle = IdleTimer(
            lambda: settings.current.unload_after_minutes * _SECONDS_PER_MINUTE, self._unload_idle
        )
        self._unloading: asyncio.Task[None] | None = None
        self._crashes: dict[str, int] = {}
        """Crashes in a row, by model."""
        settings.subscribe(lambda _: self._idle.seconds_changed())
        self.tuning.store.subscribe(self._changed)

    @property
    def loaded(self) -> AnyModel | None:
        """The model in memory, or the one of a server that is open."""
        return self._loaded

    @property
    def loading(self) -> AnyModel | None:
        """The model on its way into memory."""
        return self._loading

    def installed(self) -> list[InstalledModel]:
        """All sound models of this device."""
        return self._library.installed()

    def missing_folder(self) -> str | None:
        """The folder that the user wants the models in, if it is not there; None where all is well."""
        wanted = self._settings.current.models_folder
        return wanted if wanted is not None and not self._library.folder.is_dir() else None

    def broken(self) -> list[tuple[Path, ModelFileError]]:
        """Files and links of the models' folder that cannot be used, each with the reason."""
        return self._library.broken()

    def chosen(self) -> AnyModel | None:
        """The model that will answer the next question: the user's choice, else the first here that chats.

        A server's model is never taken unless it is the user's choice.
        """
        installed = self.installed()
        wanted = self._settings.current.model_id
        known: list[AnyModel] = [*installed, *self.servers.added()]
        for model in known:
            if model.id == wanted:
                return model
        return next((model for model in installed if model.has_chat_template), None)

    def options(self, model: AnyModel | None = None) -> LoadOptions:
        """How a model is to be loaded; without one, what the settings say of any."""
        return self.tuning.load_options(model)

    def memory(self, model: InstalledModel) -> tuple[MemoryNeed, MemoryFit]:
        """What a model needs with its present options, and whether that fits now."""
        need = self.tuning.need(model)
        if self._loaded is not None and self._loaded.id == model.id and not self.loads_again(model):
            return need, MemoryFit.FITS
        available = available_memory()
        if isinstance(self._loaded, InstalledModel):  # which goes first
            available += self.tuning.need(self._loaded, self._options).total
        return need, memory_fit(need, available)

    def loads_again(self, model: AnyModel) -> bool:
        """Whether a model is in memory in another way than its options want: the next question loads it."""
        return (
            self._loaded is not None and self._loaded.id == model.id and self._options != self.options(model)
        )

    def free_memory(self) -> int:
        """Bytes that another model could take: what is free, and what the loaded one would leave."""
        free, loaded = available_memory(), self._loaded
        if not isinstance(loaded, InstalledModel):
            return free
        try:
            return free + self.tuning.need(loaded, self._options).total
        except ModelFileError:  # removed under its engine
            return free

    async def engine(self) -> Engine:
        """The engine that answers, loaded if need be.

        Raises:
            NoModelInstalled: there is no model that can chat.
            EngineKeepsCrashing: its process died twice in a row.
            EngineError: it cannot be loaded.
        """
        model = await asyncio.to_thread(self.chosen)
        if model is None:
            raise NoModelInstalled
        return await self._load(model, anyway=False)

    async def load(self, model_id: str, *, anyway: bool = False) -> None:
        """Choose a model and put it into memory; the one before is unloaded.

        A server's model is opened: the server is asked whether it is there, and nothing else is sent yet.

        Raises:
            ModelMissing: it is not installed any more.
            NotEnoughMemory: it would not fit, and `anyway` is not set.
            EngineKeepsCrashing: its process died twice in a row, and `anyway` is not set.
            ModelFileAltered: it is not what was downloaded, and `anyway` is not set.
            EngineError: it cannot be loaded.
        """
        installed = await asyncio.to_thread(self.installed)
        known: list[AnyModel] = [*installed, *self.servers.added()]
        model = next((model for model in known if model.id == model_id), None)
        if model is None:
            raise ModelMissing
        await self._load(model, anyway=anyway)
        self._settings.change(model_id=model.id)

    async def spare_engine(self, model: InstalledModel, needed: Callable[[], bool]) -> Engine | None:
        """The engine with a model for work in the background; the user's choice stays what it is.

        None where the user needs the engine, of which there is one: `needed` is asked before another model
        would be unloaded.

        Raises:
            As `engine`, and ModelsMoving or FolderMissing where the models' folder is not to be touched.
        """
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
            self._aside = True
        try:
            yield
        finally:
            self._aside = False
            self._changed()

    async def unload(self) -> None:
        """Free the memory of the loaded model."""
        async with self._turn:
            await self._close()

    async def add(
        self, path: Path, *, link: bool = False, progress: Callable[[int, int], None] | None = None
    ) -> InstalledModel:
        """Install a GGUF file; see `ModelLibrary.add`.

        Raises:
            ModelsMoving: the models are on their way to another folder.
            FolderMissing: the disk of their folder is not connected.
        """
        self._check_here()
        model = await asyncio.to_thread(self._library.add, path, link=link, progress=progress)
        self._changed()
        return model

    async def remove(self, model_id: str) -> int:
        """Uninstall a model; returns the freed bytes.

        Raises:
            ModelsMoving: the models are on their way to another folder.
            FolderMissing: the disk of their folder is not connected.
        """
        self._check_here()
        if self._loaded and self._loaded.id == model_id:
            await self.unload()
        freed = await asyncio.to_thread(self._library.remove, model_id)
        await asyncio.to_thread(self.tuning.forget, model_id)
        if self._settings.current.model_id == model_id:
            self._settings.change(model_id=None)
        self._changed()
        return freed

    def add_server(self, name: str, url: str, model: str, key: str | None = None) -> ServerModel:
        """Add a model of a server; see `Servers.add`."""
        added = self.servers.add(name, url, model, key)
        self._changed()
        return added

    async def add_servers(
        self, url: str, models: Sequence[tuple[str, str]], key: str | None = None
    ) -> list[ServerModel]:
        """Add several models of a server; see `Servers.add_all`."""
        added = await asyncio.to_thread(self.servers.add_all, url, models, key)
        self._changed()
        return added

    async def change_server(
        self, model_id: str, name: str, url: str, model: str, key: str | None = None
    ) -> ServerModel:
        """Change what is known of a model of a server; see `Servers.change`. It stays chosen, if it was."""
        changed = await asyncio.to_thread(self.servers.change, model_id, name, url, model, key)
        if self._loaded and self._loaded.id == model_id:
            await self.unload()  # the next question opens it anew
        if changed.id != model_id:
            await asyncio.to_thread(self.tuning.rename, model_id, changed.id)
            if self._settings.current.model_id == model_id:
                self._settings.change(model_id=changed.id)
        self._changed()
        return changed

    async def remove_server(self, model_id: str) -> None:
        """Remove a model of a server from the list.

        Raises:
            ModelMissing: it is not there any more.
        """
        self.servers.remove(model_id)
        await asyncio.to_thread(self.tuning.forget, model_id)
        self.tuning.forget(model_id)
        if self._loaded and self._loaded.id == model_id:
            await self.unload()
        if self._settings.current.model_id == model_id:
            self._settings.change(model_id=None)
        self._changed()

    async def remove_broken(self, path: Path) -> int:
        """Remove a file that `broken` lists; returns the freed bytes: 0 for a link, whose file stays.

        Raises:
            ModelFileMissing: `broken` does not list it any more.
            OSError: the system does not let it be deleted.
        """
        self._check_here()
        freed = await asyncio.to_thread(self._library.remove_broken, path)
        self._changed()
        return freed

    async def verify(self, model_id: str, progress: Callable[[int, int], None] | None = None) -> ContentCheck:
        """Whether a model's file is still what was downloaded. Takes seconds per gigabyte; can be cancelled.

        `progress` is called in another thread, with bytes read and all bytes.

        Raises:
            ModelFileAltered: it is not.
            ModelFileMissing: it is not installed any more.
        """
        self._check_here()
        stopped = threading.Event()

        def go_on(done: int, total: int) -> None:
            if stopped.is_set():
                raise _Stopped
            if progress is not None:
                progress(done, total)

        try:
            return await asyncio.to_thread(self._library.verify, model_id, go_on)
        finally:
            stopped.set()  # whoever waits no more needs no result

    def look_again(self) -> None:
        """Tell the listeners that files have come into the models' folder by another way."""
        self._changed()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` after every change; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def _load(self, model: AnyModel, *, anyway: bool) -> Engine:
        async with self._turn:
            return await self._load_in_turn(model, anyway=anyway)

    async def _load_in_turn(self, model: AnyModel, *, anyway: bool) -> Engine:
        if isinstance(model, InstalledModel):
            self._check_here()
        options = self.options(model)
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
                await self._check(model)
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

    async def _check(self, model: InstalledModel) -> None:
        """Read a downloaded file once where it was written since it arrived."""
        if await asyncio.to_thread(self._library.needs_check, model):
            await self.verify(model.id)

    async def _opened(self, model: AnyModel, options: LoadOptions) -> Engine:
        if isinstance(model, ServerModel):
            return await self.servers.open(model, options)
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

    def _check_here(self) -> None:
        """Raises ModelsMoving or FolderMissing where the models' folder is not to be touched."""
        if self._aside:
            raise ModelsMoving
        if (missing := self.missing_folder()) is not None:
            raise FolderMissing(missing)

    def _crashed(self, model: AnyModel) -> None:
        self._crashes[model.id] = self._crashes.get(model.id, 0) + 1

    def _unload_idle(self) -> None:
        if self._engine is not None and not self._turn.locked():
            log.info("idle model unloaded")
            self._unloading = asyncio.ensure_future(self.unload())

    def _changed(self) -> None:
        for listener in list(self._listeners):
            listener()
