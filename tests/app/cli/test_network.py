"""`dai network` as a person or a script uses it."""

from __future__ import annotations

import asyncio
import threading

import pytest

from app.core.network import vault
from app.core.network.facade import open_network
from app.core.network.ledger import Ledger, Purpose
from app.core.network.offline import OfflineSwitch
from app.core.network.outgoing import Outgoing
from app.core.paths import Paths
from app.core.settings import SettingsStore
from network.cards import Offer
from network.protocol.routers import Pool
from tests.app.ui.router import answering_as_a_router

POOL = Pool(workers=3, paused=0, free=2, running=1, waiting=0)


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch):
    monkeypatch.setattr(vault, "system_keyring", lambda: None)


@pytest.fixture
def router():
    """A router in a thread of its own: commands have the event loop of this one."""
    started, ready = threading.Event(), []

    async def serve() -> None:
        async with answering_as_a_router(POOL) as address:
            ended = asyncio.Event()
            ready.extend([address, asyncio.get_running_loop(), ended])
            started.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    started.wait()
    address, loop, ended = ready
    yield address
    loop.call_soon_threadsafe(ended.set)
    thread.join()


def network_of(folder):
    paths = Paths(folder).create()
    settings = SettingsStore(paths.settings)
    return open_network(paths, settings, Outgoing(Ledger(paths.ledger), OfflineSwitch(settings)))


@pytest.fixture
def friend(tmp_path, home):
    """Another device, which this one has seen."""
    other, here = network_of(tmp_path / "friend"), network_of(home.data)
    here.devices.see(other.identity.card(Offer(name="Reza")))
    here.close()
    yield other
    other.close()


def test_a_router_is_added_checked_and_removed(dai, router):
    assert dai("network", "add", router, "--name", "Home").out == "Connected to Home.\n"
    [listed] = dai("network", "routers", "--json").json
    assert (listed["name"], listed["address"], listed["answers"]) == ("Home", router, None)
    [checked] = dai("network", "routers", "--check", "--json").json
    assert (checked["answers"], checked["workers"], checked["free"]) == (True, 3, 2)
    assert "Devices: 3" in dai("network", "routers", "--check").out
    again = dai("network", "add", router)
    assert (again.status, again.err) == (1, "This router is there already, as “Home”.\n")
    assert dai("network", "remove", "home").status == 0
    assert dai("network", "routers", "--json").json == []


def test_an_invitation_comes_through_a_pipe_and_is_in_no_readable_file(dai, home, router):
    dai("network", "add", router, "--invite", stdin="open-sesame\n")
    here = network_of(home.data)
    assert here.routers.all()[0].invite == "open-sesame"
    here.close()
    files = [path for path in home.data.rglob("*") if path.is_file() and path.name != "sealing.key"]
    assert not [path for path in files if b"open-sesame" in path.read_bytes()]


def test_groups_are_begun_shown_joined_on_another_device_and_left(dai, monkeypatch, tmp_path):
    created = dai("network", "create", "Friends", "--json").json
    assert created["kind"] == "circle"
    code = dai("network", "code", "friends")
    assert code.out.startswith("DAIG1:")
    assert "belongs to the group" in code.err
    [listed] = dai("network", "groups", "--json").json
    assert listed == created, "and no secret in it"
    monkeypatch.setenv("DAI_HOME", str(tmp_path / "second"))
    joined = dai("network", "join", "The friends", stdin=code.out)
    assert (joined.status, joined.out) == (0, "This device is now in “The friends”.\n")
    assert "DAIG1:" in dai("network", "code", "The friends").out
    assert dai("network", "leave", "The friends").status == 0
    assert "in no group" in dai("network", "groups").out
    assert "mistake" in dai("network", "join", "None", stdin="DAIG1:ABC").err


def test_a_device_is_verified_by_number_or_by_code_and_forgotten(dai, friend):
    shown = dai("network", "verify", "reza").out.splitlines()[0]
    assert len(shown.replace(" ", "")) == 60
    assert dai("network", "devices", "--json").json[0]["verified"] is False
    assert dai("network", "verify", "reza", "--same").out == "Reza is verified.\n"
    assert dai("network", "devices", "--json").json[0]["verified"] is True
    assert dai("network", "verify", friend.identity.code()).out == "Reza is verified.\n"
    assert "Reza · Verified" in dai("network", "devices").out
    assert "is blocked" in dai("network", "block", "reza").out
    assert dai("network", "devices", "--json").json[0]["blocked"] is True
    assert "not blocked any more" in dai("network", "block", "reza", "--undo").out
    assert dai("network", "devices", "--json").json[0]["blocked"] is False
    assert dai("network", "forget", friend.identity.node[:8]).out == "Reza is forgotten.\n"
    assert dai("network", "forget", "reza").status == 1


def test_this_device_shows_its_code_and_status_makes_no_keys(dai):
    before = dai("network", "status", "--json").json
    assert before["node"] is None
    assert dai("network", "whoami").out.startswith("DAI1:")
    after = dai("network", "status", "--json").json
    assert len(after["node"]) == 32
    assert after["keys_in"] == "file"
    assert "as safe as the device itself" in dai("network", "status").out


def test_this_device_gets_a_name_and_loses_it(dai):
    assert dai("network", "name", "  Kitchen   tablet ").out == "This device is called Kitchen tablet now.\n"
    assert dai("network", "status", "--json").json["name"] == "Kitchen tablet"
    assert dai("network", "name", "a\u202eb").status == 1
    assert dai("network", "name", "").out == "This device has no name now.\n"


def test_offline_refuses_what_would_leave_and_the_ledger_tells(dai):
    assert dai("network", "offline", "on", "--json").json == {"offline": True}
    refused = dai("network", "add", "router.example")
    assert refused.status == 1
    assert "offline switch is on" in refused.err
    assert dai("models", "search", "qwen").status == 1
    entries = dai("network", "ledger", "--json").json
    assert {(entry["purpose"], entry["refused"]) for entry in entries} == {("router", True), ("hub", True)}
    assert "Refused" in dai("network", "ledger").out
    assert "Not offline" in dai("network", "offline", "off").out


def test_the_ledger_is_summed_up_filtered_and_cleared(dai, home):
    here = network_of(home.data)
    for purpose in (Purpose.HUB, Purpose.HUB, Purpose.WEB_PAGE):
        exchange = here.ledger.begin(purpose, "host.example")
        exchange.count(sent=100, received=2_500_000)
        exchange.end()
    here.close()
    assert len(dai("network", "ledger", "--purpose", "hub", "--json").json) == 2
    sums = dai("network", "ledger", "--sums", "--json").json
    assert {one["purpose"]: one["received_bytes"] for one in sums} == {
        "hub": 5_000_000,
        "web_page": 2_500_000,
    }
    assert "2 connections" in dai("network", "ledger", "--sums").out
    assert "Nothing has left" in dai("network", "ledger", "--clear").out


def test_all_of_it_speaks_persian(dai, persian):
    assert "آفلاین نیست" in dai("network", "status").out
    assert "هیچ گروهی" in dai("network", "groups").out
