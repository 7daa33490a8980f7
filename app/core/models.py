"""The models of this device and of servers: which there are, which answers, and changing that."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from pathlib import Path

from app.core.any_model import AnyModel
from app.core.errors import ModelMissing, NoModelInstalled
from app.core.model_files import ModelFiles
from app.core.model_in_memory import ModelInMemory
from app.core.option_store import OptionStore
from app.core.servers import ServerModel, Servers
from app.core.settings import SettingsStore
from app.core.tuning import Tuning
from engines.errors import ModelFileError
from engines.library import ContentCheck, InstalledModel, ModelLibrary
from engines.memory import MemoryFit, MemoryNeed
from engines.opening import open_engine
from engines.protocol import Engine, LoadOptions

Listener = Callable[[], None]


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
        self._listeners: list[Listener] = []
        self._files = ModelFiles(library, settings)
        self._memory = ModelInMemory(self._files, self.servers, self.tuning, settings, opener, self._changed)
        self.tuning.store.subscribe(self._changed)

    @property
    def loaded(self) -> AnyModel | None:
        """The model in memory, or the one of a server that is open."""
        return self._memory.loaded

    @property
    def loading(self) -> AnyModel | None:
        """The model on its way into memory."""
        return self._memory.loading

    def installed(self) -> list[InstalledModel]:
        """All sound models of this device."""
        return self._files.installed()

    def missing_folder(self) -> str | None:
        """The folder that the user wants the models in, if it is not there; None where all is well."""
        return self._files.missing_folder()

    def broken(self) -> list[tuple[Path, ModelFileError]]:
        """Files and links of the models' folder that cannot be used, each with the reason."""
        return self._files.broken()

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
        return self._memory.memory(model)

    def loads_again(self, model: AnyModel) -> bool:
        """Whether a model is in memory in another way than its options want: the next question loads it."""
        return self._memory.loads_again(model)

    def free_memory(self) -> int:
        """Bytes that another model could take: what is free, and what the loaded one would leave."""
        return self._memory.free_memory()

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
        return await self._memory.load(model)

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
        await self._memory.load(model, anyway=anyway)
        self._settings.change(model_id=model.id)

    async def spare_engine(self, model: InstalledModel, needed: Callable[[], bool]) -> Engine | None:
        """The engine with a model for work in the background; the user's choice stays what it is.

        None where the user needs the engine, of which there is one: `needed` is asked before another model
        would be unloaded.

        Raises:
            As `engine`, and ModelsMoving or FolderMissing where the models' folder is not to be touched.
        """
        return await self._memory.load_unless(needed, model)

    def in_use(self) -> AbstractContextManager[None]:
        """While the loaded model answers: it is not unloaded meanwhile, and what kills it is remembered."""
        return self._memory.in_use()

    def set_aside(self) -> AbstractAsyncContextManager[None]:
        """Unload, and let nobody load, add or remove a model of this device while this lasts."""
        return self._memory.set_aside()

    async def unload(self) -> None:
        """Free the memory of the loaded model."""
        await self._memory.unload()

    async def add(
        self, path: Path, *, link: bool = False, progress: Callable[[int, int], None] | None = None
    ) -> InstalledModel:
        """Install a GGUF file; see `ModelLibrary.add`.

        Raises:
            ModelsMoving: the models are on their way to another folder.
            FolderMissing: the disk of their folder is not connected.
        """
        self._files.check_here()
        model = await asyncio.to_thread(self._library.add, path, link=link, progress=progress)
        self._changed()
        return model

    async def remove(self, model_id: str) -> int:
        """Uninstall a model; returns the freed bytes.

        Raises:
            ModelsMoving: the models are on their way to another folder.
            FolderMissing: the disk of their folder is not connected.
        """
        self._files.check_here()
        if self.loaded and self.loaded.id == model_id:
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
        if self.loaded and self.loaded.id == model_id:
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
        if self.loaded and self.loaded.id == model_id:
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
        self._files.check_here()
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
        return await self._files.verify(model_id, progress)

    def look_again(self) -> None:
        """Tell the listeners that files have come into the models' folder by another way."""
        self._changed()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` after every change; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _changed(self) -> None:
        for listener in list(self._listeners):
            listener()
