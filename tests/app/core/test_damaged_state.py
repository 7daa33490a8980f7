"""Every small file of the data folder, damaged in every way: the app starts, nothing is lost or overwritten,
and nobody is trusted more than before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.core.errors import RecordsLost
from app.core.model_options import ModelOptions
from app.core.network.facade import Network, open_network
from app.core.network.groups import GroupKind
from app.core.network.identity import Identity
from app.core.network.ledger import Ledger
from app.core.network.offline import OfflineSwitch
from app.core.network.outgoing import Outgoing
from app.core.network.vault import Vault
from app.core.network.work_policy import WorkPolicyStore
from app.core.option_store import OptionStore
from app.core.paths import Paths
from app.core.set_aside import all_set_aside, take_untold
from app.core.settings import SettingsStore
from app.core.state_file import StateFile
from app.core.strings import Strings
from network.cards import Offer
from network.errors import KeysDamaged

MODEL = "a model"
NOW = 1_800_000_000


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "inside").write_bytes(b"kept")


DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "truncated": _truncated,
    "garbage": lambda path: path.write_bytes(b"\xff\xfe no JSON"),
    "wrong types": lambda path: path.write_bytes(b'[7, {"id": []}]'),
    "binary zeros": lambda path: path.write_bytes(bytes(512)),
    "too deep": lambda path: path.write_bytes(b"[" * 100_000),
    "a folder": _folder,
}
FILES = (
    "settings.json",
    "model-options.json",
    "network/routers.json",
    "network/groups.json",
    "network/devices.json",
    "network/trust.json",
    "network/device.json",
    "network/working.json",
    "network/secrets.json",
)


class Home:
    """A data folder whose files all say something, opened as at a start."""

    def __init__(self, folder: Path) -> None:
        self.paths = Paths(folder).create()
        self.opened: list[Network] = []

    def start(self) -> Network:
        settings = SettingsStore(self.paths.settings)
        outgoing = Outgoing(Ledger(self.paths.ledger), OfflineSwitch(settings))
        vault = Vault(self.paths.network, {}, lambda: None)
        self.opened.append(open_network(self.paths, settings, outgoing, vault, lambda: NOW))
        return self.opened[-1]

    def fill(self) -> str:
        """Returns the number of a device that is blocked, and was caught."""
        network = self.start()
        network.settings.change(offline=True, language="fa", theme="dark")
        OptionStore(self.paths.model_options).change(MODEL, lambda _: ModelOptions(temperature=0.5))
        WorkPolicyStore(self.paths.network / "working.json").change(enabled=True, daily_questions=3)
        network.identity.rename("Kitchen")
        network.groups.create("Friends", GroupKind.CIRCLE)
        (self.paths.network / "routers.json").write_bytes(b"[]\n")
        network.routers.all()
        other = Identity(
            self.paths.uploads / "other.json", Vault(self.paths.uploads, {}, lambda: None), lambda: NOW
        )
        network.devices.see(other.card(Offer(name="Sara")))
        network.devices.block(other.node)
        for _ in range(20):
            network.trust.book.canary(other.node, "qwen", NOW, passed=False)
        network.trust.save()
        return other.node

    def close(self) -> None:
        for network in self.opened:
            network.close()


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path)
    yield home
    home.close()
    take_untold(tmp_path)


def _all_is_as_before(home: Home, node: str) -> None:
    network = home.start()
    settings = network.settings.current
    assert (settings.offline, settings.language, settings.theme) == (True, "fa", "dark")
    assert OptionStore(home.paths.model_options).get(MODEL).temperature == 0.5
    policy = WorkPolicyStore(home.paths.network / "working.json").current
    assert (policy.enabled, policy.daily_questions) == (True, 3)
    assert network.identity.name == "Kitchen"
    assert [group.name for group in network.groups.all()] == ["Friends"]
    assert network.devices.blocked(node)
    assert network.trust.book.quarantined(node, NOW)
    assert network.routers.all() == []


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_set_aside_and_its_copy_is_used(home, name, damage):
    node = home.fill()
    path = home.paths.data / name
    DAMAGES[damage](path)
    was_folder, content = path.is_dir(), b"" if path.is_dir() else path.read_bytes()

    _all_is_as_before(home, node)

    [found] = take_untold(home.paths.data)
    assert found.restored
    assert found.path.parent == path.parent
    assert found.path.name.startswith(f"{path.name}.damaged-20")
    if was_folder:
        assert (found.path / "inside").read_bytes() == b"kept"
    else:
        assert found.path.read_bytes() == content
    assert all_set_aside(home.paths.data) == [found.path]
    _all_is_as_before(home, node)
    assert take_untold(home.paths.data) == (), "told once"


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_nobody_may_read_is_set_aside_and_its_copy_is_used(home, name, monkeypatch):
    node = home.fill()
    path, opened = home.paths.data / name, Path.open
    forbidden = path.stat().st_ino

    def refuse(self, *arguments, **named):
        if self.exists() and self.stat().st_ino == forbidden:
            raise PermissionError(13, "Permission denied", str(self))
        return opened(self, *arguments, **named)

    monkeypatch.setattr(Path, "open", refuse)
    _all_is_as_before(home, node)
    assert [found.restored for found in take_untold(home.paths.data)] == [True]


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_gone_comes_back_from_its_copy(home, name):
    node = home.fill()
    (home.paths.data / name).unlink()
    _all_is_as_before(home, node)
    assert (home.paths.data / name).exists()


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_copy_harms_nobody_and_is_made_anew(home, name):
    node = home.fill()
    copy = home.paths.data / f"{name}.copy"
    copy.write_bytes(b"rubbish")
    _all_is_as_before(home, node)
    assert copy.read_bytes() == (home.paths.data / name).read_bytes()
    assert take_untold(home.paths.data) == ()


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["devices.json", "trust.json"])
def test_where_blocks_are_lost_nobody_is_trusted_until_the_user_says_so(home, name, damage):
    node = home.fill()
    path = home.paths.network / name
    DAMAGES[damage](path)
    (path.parent / f"{name}.copy").write_bytes(b"rubbish")
    for _ in range(2):  # another start is no reason to forget it
        network = home.start()
        with pytest.raises(RecordsLost, match=name):
            network.devices.blocked(node) and network.trust.book.quarantined(node, NOW)
        assert path.exists()
    assert take_untold(home.paths.data) == ()

    network.begin_anew()

    assert len(all_set_aside(home.paths.data)) == 2
    assert network.devices.blocked(node) == (name == "trust.json")
    assert network.trust.book.quarantined(node, NOW) == (name == "devices.json")
    assert {found.restored for found in take_untold(home.paths.data)} == {False}


def test_settings_that_are_lost_let_nothing_leave_the_device(home):
    home.fill()
    home.paths.settings.write_bytes(b"rubbish")
    (home.paths.data / "settings.json.copy").unlink()
    assert SettingsStore(home.paths.settings).current.offline
    [found] = take_untold(home.paths.data)
    for language in ("en", "fa"):
        strings = Strings(language)
        assert strings("set_aside.offline") in found.told(strings)


def test_one_value_that_cannot_be_used_costs_no_other(home):
    home.fill()
    text = home.paths.settings.read_text(encoding="utf-8")
    home.paths.settings.write_text(text.replace('"dark"', '"pink"').replace('"fa"', '"en"'), encoding="utf-8")
    current = SettingsStore(home.paths.settings).current
    assert (current.language, current.theme, current.offline) == ("en", "dark", True)


def test_where_the_keys_are_is_told_by_their_files(home):
    home.fill()
    node = home.start().identity.node
    for name in ("secrets.json", "secrets.json.copy"):
        (home.paths.network / name).write_bytes(b"{")
    assert home.start().identity.node == node


def test_keys_in_a_keyring_that_cannot_be_found_are_not_replaced_by_new_ones(home):
    for name in ("secrets.json", "secrets.json.copy"):
        (home.paths.network / name).write_bytes(b"{")
    with pytest.raises(KeysDamaged):
        home.start().identity.keys()
    assert (home.paths.network / "secrets.json").read_bytes() == b"{"


def test_a_device_that_does_not_read_is_no_damage(tmp_path, monkeypatch):
    file = StateFile(tmp_path / "state.json", bytes)
    file.write(b"state")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(Path, "open", refuse)
        with pytest.raises(OSError, match="Input"):
            file.read()
    assert file.read() == b"state"
    assert all_set_aside(tmp_path) == []


def test_a_read_only_folder_still_gives_what_its_copies_hold(home, monkeypatch):
    node = home.fill()
    (home.paths.network / "devices.json").write_bytes(b"{")

    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "rename", refuse)
    assert home.start().devices.blocked(node)
    assert (home.paths.network / "devices.json").read_bytes() == b"{"
