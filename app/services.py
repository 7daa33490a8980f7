"""The composition root: puts engines, knowledge base and stores together, once per process."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from app.core.answering import Answering
from app.core.attachments import Attachments
from app.core.benchmarking import Benchmarking, BenchmarkStore
from app.core.compression import Compression
from app.core.conversations import Conversations
from app.core.download_table import DownloadTable
from app.core.downloader import Downloader
from app.core.downloads import Downloads
from app.core.instance import InstanceLock, ProcessesLock, WritersLock
from app.core.logs import start_logging
from app.core.long_jobs import LongJobs
from app.core.models import Models
from app.core.models_folder import ModelsFolder, finish_move, located
from app.core.network.facade import Network, open_network
from app.core.network.ledger import Ledger, Purpose
from app.core.network.offline import OfflineSwitch
from app.core.network.outgoing import Outgoing
from app.core.network.working import Working
from app.core.network_answers import NetworkAnswers
from app.core.option_store import OptionStore
from app.core.other_models import OtherPrograms
from app.core.owner_activity import OwnerActivity
from app.core.paths import Paths
from app.core.secrets import Secrets
from app.core.server_keys import StoredKeys
from app.core.servers import Servers
from app.core.settings import Settings, SettingsStore
from app.core.store import Store
from app.core.trade_off_store import TradeOffStore
from app.core.trade_offs import TradeOffs
from app.core.tuning import Tuning
from app.core.web_pages import WebPages
from engines.embedders.opening import open_embedder, open_embedder_of
from engines.library import ModelLibrary
from engines.opening import graphics_cards
from engines.rerankers.opening import ChosenReranker
from rag.knowledge import KnowledgeBase


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a user interface needs; shared by all sessions of a process."""

    paths: Paths
    settings: SettingsStore
    conversations: Conversations
    knowledge: KnowledgeBase
    web_pages: WebPages
    models: Models
    answering: Answering
    attachments: Attachments
    compression: Compression
    benchmarking: Benchmarking
    trade_offs: TradeOffs
    trade_off_tables: TradeOffStore
    jobs: LongJobs
    secrets: Secrets
    store: Store
    downloads: Downloads
    programs: OtherPrograms
    models_folder: ModelsFolder
    network: Network
    activity: OwnerActivity
    working: Working
    instance: InstanceLock
    processes: ProcessesLock

    def take_over(self) -> None:
        """Do the indexing here, where no other process does any more."""
        if not self.instance.held and self.instance.acquire():
            self.knowledge.start()

    def start_downloads(self) -> None:
        """Do the list of downloads here, unless another process does; for the app, not for a command.

        May be called again and again: where the other process has ended, its work is taken over.
        """
        self.take_over()
        if self.instance.held:
            self.downloads.start()

    async def close(self) -> None:
        """Stop answers, measurements, downloads and the indexer, unload the model, close the databases."""
        await self.working.close()
        await self.jobs.close()
        await self.answering.close()
        await asyncio.to_thread(self.downloads.close)
        await self.models.unload()
        self.knowledge.close()
        self.conversations.close()
        await self.network.asking.close()
        self.network.close()
        self.instance.release()
        self.processes.release()


def open_services(paths: Paths | None = None) -> Services:
    """Open all stores, recover from a kill, and resume indexing where it stood.

    A second process beside the running app uses the same stores, but leaves the indexing to the
    first, and what looks half-written to whoever is writing it.

    Raises:
        DataFolderUnusable, DatabaseDamaged, DatabaseTooNew, ModelsMoving: it cannot be opened.
        OSError: the device is full, or refuses to read or write.
    """
    paths = (paths or Paths.default()).create()
    start_logging(paths.log)
    with ExitStack() as opened:  # closed where a later part cannot be opened, so that it can be tried again
        services = _opened(paths, opened)
        opened.pop_all()
    return services


def _opened(paths: Paths, opened: ExitStack) -> Services:
    settings = SettingsStore(paths.settings)
    processes = ProcessesLock(paths.data / "processes.lock")
    opened.callback(processes.release)
    instance = InstanceLock(paths.data / "instance.lock")
    opened.callback(instance.release)
    if instance.held:
        finish_move(paths, settings)
    paths = located(paths, settings)
    library = ModelLibrary(paths.models)
    conversations = Conversations(paths.conversations)
    opened.callback(conversations.close)
    knowledge = KnowledgeBase(
        paths.knowledge,
        lambda: open_embedder(settings.current.embedder, models_folder=library.folder),
        reranker=ChosenReranker(lambda: settings.current.reranker).get,
        open_model=lambda model: open_embedder_of(model, models_folder=library.folder),
    )
    opened.callback(knowledge.close)
    _follow_embedder(settings, knowledge)
    writers = WritersLock(paths.data / "writers.lock")
    writers.if_nobody_writes(conversations.recover)
    if instance.held:
        knowledge.start()
    secrets = Secrets()
    outgoing = Outgoing(Ledger(paths.ledger), OfflineSwitch(settings))
    network = open_network(paths, settings, outgoing, meanings=knowledge.meanings)
    opened.callback(network.close)
    store = Store(settings, secrets, outgoing.opener(Purpose.HUB))
    table = DownloadTable(paths.downloads)
    downloader = Downloader(table, paths.arriving, library, store.open_hub)
    downloads = Downloads(table, downloader)
    network.offline.subscribe(lambda on: None if on else downloads.try_again())
    models = Models(
        library,
        settings,
        servers=Servers(settings, StoredKeys(), open_client=outgoing.opener(Purpose.SERVER)),
        tuning=Tuning(library, settings, OptionStore(paths.model_options), graphics_cards),
    )
    activity = OwnerActivity()
    elsewhere = NetworkAnswers(network.asking, models)
    answering = Answering(conversations, knowledge, models, settings, writers, activity, elsewhere)
    working = Working(paths.network, network, models, knowledge, settings, activity, writers)
    attachments = Attachments(conversations, knowledge, models, settings)
    if instance.held:
        attachments.tidy()
    compression = Compression(models, paths.models)
    benchmarking = Benchmarking(models, BenchmarkStore(paths.benchmarks))
    tables = TradeOffStore(paths.trade_off_tables)
    trade_offs = TradeOffs(models, paths.trade_offs, tables)
    jobs = LongJobs(models, answering, benchmarking, compression, trade_offs, activity)

    def relocated(folder: Path) -> None:
        library.relocate(folder)
        downloader.relocate(replace(paths, models_folder=folder).arriving)
        compression.relocate(folder)

    folder = ModelsFolder(paths, settings, instance, processes, models, answering, jobs, downloads, relocated)
    return Services(
        paths,
        settings,
        conversations,
        knowledge,
        WebPages(knowledge, paths.uploads, settings, outgoing),
        models,
        answering,
        attachments,
        compression,
        benchmarking,
        trade_offs,
        tables,
        jobs,
        secrets,
        store,
        downloads,
        OtherPrograms(library, settings, models.free_memory),
        folder,
        network,
        activity,
        working,
        instance,
        processes,
    )


def _follow_embedder(settings: SettingsStore, knowledge: KnowledgeBase) -> None:
    """Another embedder in the settings takes effect at once."""
    chosen = settings.current.embedder

    def changed(now: Settings) -> None:
        nonlocal chosen
        if now.embedder != chosen:
            chosen = now.embedder
            knowledge.change_embedder()

    settings.subscribe(changed)
