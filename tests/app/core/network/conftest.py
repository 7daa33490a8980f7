"""The network of a device that has just been set up."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.core.answering import Answering
from app.core.network.facade import Network, open_network
from app.core.network.ledger import Ledger
from app.core.network.offline import OfflineSwitch
from app.core.network.outgoing import Outgoing
from app.core.network.vault import Vault
from app.core.network_answers import NetworkAnswers
from app.core.paths import Paths
from app.core.settings import SettingsStore
from tests.app.core.conftest import Desk
from tests.app.core.network.place import Place
from tests.app.ui.word_embedder import WordEmbedder
from tests.network.test_key_stores import MemoryKeyring


@dataclass
class Device:
    """A data folder, a keyring that may be missing, and an environment."""

    folder: Path
    keyring: MemoryKeyring | None = None
    environment: dict[str, str] = field(default_factory=dict)
    now: float = field(default_factory=time.time)
    opened: list[Network] = field(default_factory=list)

    @property
    def files(self) -> Path:
        return self.folder / "network"

    def start(self) -> Network:
        """The app's network, as after a start."""
        paths = Paths(self.folder).create()
        settings = SettingsStore(paths.settings)
        outgoing = Outgoing(Ledger(paths.ledger), OfflineSwitch(settings))
        self.opened.append(
            open_network(
                paths, settings, outgoing, self.vault(), lambda: self.now, meanings=WordEmbedder().meanings
            )
        )
        return self.opened[-1]

    def vault(self) -> Vault:
        return Vault(self.files, self.environment, lambda: self.keyring)

    def everything(self) -> bytes:
        """All that lies in the folder, but for the file that opens the others."""
        return b"\n".join(
            path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and path.name != "sealing.key"
        )


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    found = Device(tmp_path / "data")
    yield found
    for network in found.opened:
        network.close()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Device]:
    found = Device(tmp_path / "other")
    yield found
    for network in found.opened:
        network.close()


@pytest.fixture
def network(device: Device) -> Network:
    return device.start()


@pytest.fixture
def nothing_is_local(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """After the call, a server of this device counts as one far away."""

    def apply() -> None:
        monkeypatch.setattr("app.core.network.offline.is_this_device", lambda host: False)

    return apply


@pytest.fixture
async def place(folder: Path) -> AsyncIterator[Place]:
    from tests.network.http_router import whole_router

    desk = Desk(folder)
    network = Device(folder).start()
    network.asking.chance = lambda: 1.0  # no canaries but where a test wants one
    desk.settings.change(network_patience_seconds=30)
    network.settings.change(network_patience_seconds=30)
    desk.answering = Answering(
        desk.conversations,
        desk.knowledge,
        desk.models,
        desk.settings,
        desk.writers,
        elsewhere=NetworkAnswers(network.asking, desk.models),
    )
    async with AsyncExitStack() as stack:
        router = await stack.enter_async_context(whole_router(name="Home"))
        await network.routers.add(router.address)
        yield Place(desk, network, router, stack)
        await network.asking.close()
    network.close()
    await desk.close()
