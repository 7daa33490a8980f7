"""Everything one session shows and does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import flet as ft
import msgspec

from app.core.errors import AppError
from app.core.job import Disturbance
from app.core.servers import ServerModel
from app.core.set_aside import take_untold
from app.core.settings import Settings
from app.core.strings import Strings
from app.services import Services
from app.ui import theme
from app.ui.routes import NETWORK
from app.ui.state.attaching import Attaching
from app.ui.state.chat import Chat
from app.ui.state.collection_files import CollectionFiles
from app.ui.state.compression import CompressionOnScreen
from app.ui.state.consent import Consents
from app.ui.state.dialogs import Confirmation, DialogState, SetAsideNotice
from app.ui.state.files import Files
from app.ui.state.find import FindOnScreen
from app.ui.state.hub_token import HubTokenOnScreen
from app.ui.state.jobs import Begin, JobsOnScreen
from app.ui.state.knowledge import Knowledge
from app.ui.state.ledger import LedgerOnScreen
from app.ui.state.live import LiveAnswers
from app.ui.state.mailbox import Mailbox
from app.ui.state.model_details import ModelDetails
from app.ui.state.models import DoubtfulModel, ModelsOnScreen
from app.ui.state.models_folder import ModelsFolderOnScreen
from app.ui.state.network import NetworkOnScreen
from app.ui.state.options import OptionsOnScreen
from app.ui.state.other_models import OtherModelsOnScreen
from app.ui.state.readmes import ReadmesOnScreen
from app.ui.state.reporting import reported
from app.ui.state.servers import ServersOnScreen
from app.ui.state.speed import SpeedOnScreen
from app.ui.state.store import StoreOnScreen
from app.ui.state.working import WorkingOnScreen
from engines.embedders.opening import EmbedderChoice, available_embedders
from engines.errors import EngineError, NotEnoughMemory
from engines.library import InstalledModel
from engines.store.catalogue import Licence
from network.errors import NetworkError
from rag.errors import KnowledgeError
from rag.exchange import Imported

log = logging.getLogger(__name__)


@ft.observable
class AppState:
    """One session: its page, what it shows, and what can be done.

    What every control depends on stands here and changes rarely: settings, language, layout.
    A component that takes an AppState as an argument follows those. The states of the screens
    are observed by the components that show them, so that a word of an answer moves one bubble.
    """

    settings: Settings
    strings: Strings
    layout: theme.Layout
    dark: bool
    connections: int
    """How often the browser has come back."""

    def __init__(self, page: ft.Page, services: Services, live: LiveAnswers) -> None:
        self.page = page
        self.services = services
        settings = services.settings.current
        self.settings = settings
        self.strings = strings_for(settings)
        self.layout = theme.layout_for(page.width or 0)
        self.dark = _is_dark(page, settings)
        self.connections = 0
        self.dialogs = DialogState()
        self._clipboard = ft.Clipboard()
        mailbox = self._mailbox = Mailbox()
        files = Files(page, services.paths.uploads)
        self.attaching = Attaching(services, files, self.report)
        self.chat = Chat(
            services,
            live,
            files,
            mailbox,
            self.report,
            mailbox.run,
            Consents(self.dialogs),
            self._ask_for_router,
        )
        self.knowledge = Knowledge(services, files, mailbox, self.report, mailbox.run, self.chat.refresh)
        self.collection_files = CollectionFiles(
            services, files, mailbox, self.report, self._collection_imported
        )
        self.models = ModelsOnScreen(services, files, mailbox, self.report, mailbox.run, self._ask_anyway)
        self.store = StoreOnScreen(
            services,
            mailbox,
            self.report,
            self._ask_licence,
            lambda arrived: mailbox.run(self._arrived, arrived),
        )
        self.details = ModelDetails(services, mailbox, self.report)
        self.find = FindOnScreen(services.store, self.store)
        self.readmes = ReadmesOnScreen(services.store)
        self.token = HubTokenOnScreen(services)
        self.others = OtherModelsOnScreen(services, self.report, self._model_linked)
        self.models_folder = ModelsFolderOnScreen(page, services, mailbox, self.report, self._models_moved)
        self.servers = ServersOnScreen(services, self.report, self.go, self._server_saved)
        self.options = OptionsOnScreen(
            services,
            files,
            mailbox,
            self.report,
            mailbox.run,
            lambda: self.chat.state.options,
            self.chat.set_options,
        )
        self.speed = SpeedOnScreen(services, files, self.report)
        self.compression = CompressionOnScreen(services, self.report)
        self.jobs = JobsOnScreen(
            services,
            mailbox,
            self.report,
            self._ask_to_measure,
            lambda model: mailbox.run(self._job_ended, model),
        )
        self.network = NetworkOnScreen(services, mailbox, self.report, self.tell_set_aside)
        self.ledger = LedgerOnScreen(services.network.ledger, self.report)
        self.working = WorkingOnScreen(page, services, mailbox, self.report)
        self._end = services.settings.subscribe(
            lambda settings: mailbox.post(lambda: self._settings_changed(settings))
        )

    @property
    def scale(self) -> float:
        """Factor for the size of text."""
        return self.settings.text_scale

    @property
    def rtl(self) -> bool:
        """Whether the app's own language runs right to left."""
        return self.strings.right_to_left

    @property
    def shows_list(self) -> bool:
        """Whether the list of conversations stands beside the open one."""
        return self.layout is theme.Layout.DESKTOP

    @reported
    async def start(self) -> None:
        """Fill the screens."""
        await self.chat.refresh()
        await self.models.refresh()
        await self.store.refresh()
        await self.knowledge.refresh()
        await self.working.start()
        self.tell_set_aside()

    def tell_set_aside(self) -> None:
        """Say once which files of the app were damaged."""
        found = take_untold(self.services.paths.data)
        if found:
            self.dialogs.show(SetAsideNotice(found))

    def close(self) -> None:
        """The session ends; answers being written go on."""
        self._end()
        self.chat.close()
        self._mailbox.run(self.attaching.close)
        self.knowledge.close()
        self.collection_files.close()
        self.models.close()
        self.options.close()
        self.store.close()
        self.details.close()
        self.readmes.stop()
        self.servers.stop()
        self.others.close()
        self.jobs.close()
        self.network.close()
        self.working.close()
        self._mailbox.close()

    def resized(self, width: float) -> None:
        """The window has another width."""
        self.layout = theme.layout_for(width)

    def reconnected(self) -> None:
        """The browser is back: render everything again, for Flet drops what changes while it is away."""
        self.connections += 1

    def brightness_changed(self) -> None:
        """The system went dark or light."""
        self.dark = _is_dark(self.page, self.settings)

    async def change_settings(self, **values: object) -> bool:
        """Set and keep some settings; returns whether they can have these values."""
        try:
            await asyncio.to_thread(self.services.settings.change, **values)
        except msgspec.ValidationError:
            return False
        except OSError as error:
            self.report(error)
        return True

    async def embedders(self) -> tuple[EmbedderChoice, ...]:
        """What can turn documents into vectors here."""
        folder = self.services.models_folder.folder
        found = await asyncio.to_thread(available_embedders, folder)
        return tuple(choice for choice in found if choice.installed)

    def later(self, action: Callable[[], object]) -> None:
        """Do something when what is being done is done."""
        self._mailbox.post(action)

    @reported
    async def copy(self, text: str) -> None:
        """Put a text on the clipboard, and say so."""
        await self._clipboard.set(text)
        self.notify(self.strings("chat.copied"))

    @reported
    async def open_link(self, address: str) -> None:
        """Open a web address in the browser."""
        await ft.UrlLauncher().launch_url(address, web_only_window_name="_blank")

    def notify(self, text: str) -> None:
        """Say something in passing."""
        self.page.show_dialog(
            ft.SnackBar(
                ft.Row(
                    [ft.Semantics(content=ft.Text(text), identifier="notice", live_region=True, expand=True)],
                    rtl=self.rtl,
                )
            )
        )

    def report(self, error: Exception) -> None:
        """Say what went wrong, in the user's language."""
        expected = isinstance(error, AppError | EngineError | KnowledgeError | NetworkError | OSError)
        log.log(
            logging.INFO if expected else logging.ERROR,
            "told the user: %s",
            type(error).__name__,
            exc_info=None if expected else error,
        )
        self.notify(self.strings.error(error))

    def go(self, route: str) -> None:
        """Show another screen."""
        self.services.activity.seen()
        self.page.navigate(route)

    async def _arrived(self, model_ids: tuple[str, ...]) -> None:
        """Models were downloaded; the first one of this device is put into memory, ready to answer."""
        first = self.models.state.known and self.models.state.answering is None
        await self.models.refresh()
        model = next((row.model for row in self.models.state.rows if row.model.id in model_ids), None)
        if first and model is not None and model.has_chat_template:
            await self.models.load(model)

    def _settings_changed(self, settings: Settings) -> None:
        if settings.model_id != self.settings.model_id:
            self._mailbox.run(self.models.refresh)
        if (settings.language, settings.context_tokens) != (
            self.settings.language,
            self.settings.context_tokens,
        ):
            self._mailbox.run(self.store.weigh)
            self._mailbox.run(self.models.refresh)
        self.settings = settings
        self.strings = strings_for(settings)
        self.dark = _is_dark(self.page, settings)

    async def _collection_imported(self, imported: Imported) -> None:
        await self.knowledge.refresh()
        await self.knowledge.open(imported.collection_id)
        self.notify(self.strings("knowledge.imported", name=imported.name, count=len(imported.document_ids)))

    def _models_moved(self, folder: Path) -> None:
        self.notify(self.strings("folder.moved", folder=folder))

    def _model_linked(self, model: InstalledModel) -> None:
        self.notify(self.strings("found.used", name=model.name))

    def _server_saved(self, models: list[ServerModel]) -> None:
        names = self.strings("server.saved", count=len(models), name=models[0].name)
        self.notify(names)

    def _ask_licence(self, name: str, licence: Licence, accept: Callable[[], Awaitable[None]]) -> None:
        self.dialogs.show(
            Confirmation(
                self.strings("catalogue.licence_title"),
                self.strings("catalogue.licence_text", name=name, licence=licence.name, address=licence.url),
                self.strings("catalogue.licence_accept"),
                accept,
                destructive=False,
                address=licence.url,
            )
        )

    def _ask_for_router(self) -> None:
        async def go() -> None:
            self.go(NETWORK)

        strings = self.strings
        self.dialogs.show(
            Confirmation(
                strings("level.no_router_title"),
                strings("errors.NoRouter"),
                strings("level.open_network"),
                go,
                destructive=False,
            )
        )

    async def _job_ended(self, model: InstalledModel) -> None:
        await self.speed.refresh()
        await self.compression.refresh(model)
        await self.models.refresh()

    def _ask_to_measure(self, disturbance: Disturbance, begin: Begin) -> None:
        strings, loaded = self.strings, self.services.models.loaded
        self.dialogs.show(
            Confirmation(
                strings(f"measure.{disturbance}_title"),
                strings(f"measure.{disturbance}_text", name=loaded.name if loaded else ""),
                strings("measure.go_on"),
                begin,
                destructive=disturbance is Disturbance.ANSWER,
            )
        )

    def _ask_anyway(self, model: InstalledModel, error: DoubtfulModel) -> None:
        async def load() -> None:
            await self.models.load(model, anyway=True)

        strings = self.strings
        title, text = strings("model.load_doubtful_title"), strings.error(error)
        if isinstance(error, NotEnoughMemory):
            title = strings("model.load_anyway_title")
            text = strings(
                "model.load_anyway_text",
                name=model.name,
                needed=strings.size(error.needed_bytes),
                available=strings.size(error.available_bytes),
            )
        self.dialogs.show(Confirmation(title, text, strings("model.load_anyway"), load))


def strings_for(settings: Settings) -> Strings:
    """The catalogue that the settings ask for."""
    return Strings(settings.language, persian_digits=settings.persian_digits)


def _is_dark(page: Any, settings: Settings) -> bool:
    if settings.theme == "system":
        return bool(page.platform_brightness is ft.Brightness.DARK)
    return settings.theme == "dark"
