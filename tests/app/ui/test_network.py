"""The Network screen as a person uses it: on a real router, with real keys and groups."""

from __future__ import annotations

import time

import flet as ft
import pytest

from app.core.network import vault
from app.core.network.facade import open_network
from app.core.network.groups import GroupKind
from app.core.network.ledger import Ledger, Purpose
from app.core.network.offline import OfflineSwitch
from app.core.network.outgoing import Outgoing
from app.core.paths import Paths
from app.core.settings import SettingsStore
from network.cards import Offer
from network.groups import group_code, new_group
from network.protocol.receipts import Receipt
from network.protocol.routers import ModelCount, Pool
from network.receipts import countersign
from network.signatures import sign
from tests.app.ui.conftest import services
from tests.app.ui.router import answering_as_a_router

NETWORK = 3


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault, "system_keyring", lambda: None)


@pytest.fixture
async def app(open_app):
    """The app with the Network screen open."""
    async with open_app() as opened:
        await opened.go(NETWORK)
        await opened.until(lambda: opened.shows("offline"))
        yield opened


@pytest.fixture
def friend(tmp_path):
    """Another device, with a name."""
    paths = Paths(tmp_path / "friend").create()
    settings = SettingsStore(paths.settings)
    network = open_network(paths, settings, Outgoing(Ledger(paths.ledger), OfflineSwitch(settings)))
    yield network
    network.close()


async def test_at_first_it_says_what_this_is_what_leaves_and_how_to_begin(app):
    words = app.text("network-start")
    assert "What leaves this device" in words
    assert "router" in words
    assert "My own devices" in words
    assert "A circle" in words
    opened = await services()
    assert not opened.network.identity.exists, "looking makes no keys"
    assert opened.network.ledger.entries() == [], "and asks nobody"


async def test_the_first_device_of_a_group_gets_a_code_for_the_others(app):
    await app.tap("begin-mine")
    await app.tap("dialog-confirm")
    await app.until(lambda: app.shows("group-code"))
    assert "DAIG1:" in app.text("group-code")
    assert app.all(ft.Image, app.mark("group-code-picture"))
    assert "no router yet" in app.text("code-without-router")
    await app.dismiss()
    [group] = (await services()).network.groups.all()
    assert group.kind is GroupKind.MINE
    assert app.shows(f"group-{group.id}")


async def test_another_device_joins_with_the_code_and_is_told_the_router(app):
    await app.tap("begin-circle")
    await app.enter("group-name", "Friends")
    await app.enter("group-code-entry", group_code(new_group(), "https://router.example"))
    await app.tap("dialog-confirm")
    await app.until(lambda: app.shows("router-address"))
    assert "https://router.example" in app.text("router-address")
    assert [group.name for group in (await services()).network.groups.all()] == ["Friends"]


async def test_a_code_with_a_mistake_is_told_in_its_place(app):
    await app.tap("begin-circle")
    await app.enter("group-name", "Friends")
    await app.enter("group-code-entry", group_code(new_group())[:-1])
    await app.tap("dialog-confirm")
    await app.until(lambda: app.shows("group-problem"))
    assert "mistake" in app.text("group-problem")


async def test_a_group_is_renamed_and_left_after_a_question(app):
    await app.tap("begin-mine")
    await app.tap("dialog-confirm")
    await app.until(lambda: app.shows("group-code"))
    await app.dismiss()
    [group] = (await services()).network.groups.all()
    await app.choose(f"group-menu-{group.id}", "Rename")
    await app.enter("dialog-name", "Ours")
    await app.tap("dialog-confirm")
    await app.until(lambda: "Ours" in app.text(f"group-{group.id}"))
    await app.choose(f"group-menu-{group.id}", "Leave")
    assert "the code still works" in app.text()
    await app.tap("dialog-confirm")
    await app.until(lambda: app.shows("network-start"))


async def test_a_router_is_tested_connected_and_shows_who_is_there(app):
    pool = Pool(
        workers=3,
        paused=0,
        free=4,
        running=2,
        waiting=1,
        models=(ModelCount(model="qwen3-1.7b", workers=3, free=4),),
    )
    async with answering_as_a_router(pool) as address:
        await app.tap("begin-router")
        await app.enter("router-address", address)
        await app.tap("router-test")
        await app.until(lambda: app.shows("router-works"))
        assert "This is Test" in app.text("router-works")
        assert (await services()).network.routers.all() == [], "a test adds nothing"
        await app.tap("dialog-confirm")
        await app.until(lambda: app.shows("pool-picture"))
        [router] = (await services()).network.routers.all()
        card = app.text(f"router-{router.id}")
        assert "connected" in card
        assert "2 at work" in card
        assert "qwen3-1.7b" in card
        assert len(app.all(ft.Container, app.mark("pool-picture"), width=14)) == 7, "a dot for each place"
        await app.choose(f"router-menu-{router.id}", "Pause")
        await app.until(lambda: "paused" in app.text(f"router-{router.id}"))
        assert not app.shows("pool-picture")


async def test_a_router_that_does_not_answer_says_so_and_is_not_added(app):
    await app.tap("begin-router")
    await app.enter("router-address", "ftp://nowhere")
    assert app.all(ft.FilledButton, app.mark("dialog-confirm"))[0].disabled
    await app.enter("router-address", "127.0.0.1:9")
    await app.tap("dialog-confirm")
    await app.until(lambda: app.shows("router-problem"), seconds=60)
    assert "does not answer" in app.text("router-problem")
    assert (await services()).network.routers.all() == []


async def test_another_router_at_the_same_address_is_noticed_and_can_be_accepted(app):
    async with answering_as_a_router(public=b"\1" * 32) as address:
        await app.tap("begin-router")
        await app.enter("router-address", address)
        await app.tap("dialog-confirm")
        await app.until(lambda: "connected" in app.text())
        [router] = (await services()).network.routers.all()
        port = int(address.rpartition(":")[2])
    async with answering_as_a_router(public=b"\2" * 32, port=port):
        await app.choose(f"router-menu-{router.id}", "Look again")
        await app.until(lambda: "has another key" in app.text())
        await app.choose(f"router-menu-{router.id}", "Accept the new key")
        await app.tap("dialog-confirm")
        await app.until(lambda: "connected" in app.text(f"router-{router.id}"))


async def test_a_device_is_verified_by_its_number_renamed_blocked_and_forgotten(app, friend):
    opened = await services()
    opened.network.devices.see(friend.identity.card(Offer(name="Reza")))
    await app.go(0)
    await app.go(NETWORK)
    node = friend.identity.node
    await app.until(lambda: app.shows(f"device-{node}"))
    await app.tap(f"device-{node}")
    number = opened.network.devices.safety_number(node, opened.network.identity.public)
    await app.until(lambda: number[:5] in app.text("safety-number"))
    assert " ".join(app.all(ft.Text, app.mark("safety-number"))[0].value.split()) == number
    await app.tap("device-verify")
    await app.until(lambda: "Verified" in app.text("device-standing"))
    await app.enter("device-block", value=True)
    await app.until(lambda: "Blocked" in app.text("device-standing"))
    device = opened.network.devices.get(node)
    assert (device.verified, device.blocked) == (True, True)
    await app.tap("device-forget")
    await app.tap("dialog-confirm")
    await app.until(lambda: not app.shows(f"device-{node}"))


async def test_a_friends_code_verifies_the_device_and_a_strangers_does_not(app, friend):
    opened = await services()
    opened.network.groups.create("Friends", GroupKind.CIRCLE)
    await app.go(0)
    await app.go(NETWORK)
    await app.until(lambda: app.shows("verify-code"))
    await app.tap("verify-code")
    await app.enter("device-code", friend.identity.code())
    await app.tap("dialog-confirm")
    await app.until(lambda: "has not been seen yet" in app.text("code-problem"))
    opened.network.devices.see(friend.identity.card(Offer(name="Reza")))
    await app.tap("dialog-confirm")
    await app.until(lambda: "Reza is verified" in app.text())
    assert opened.network.devices.get(friend.identity.node).verified


def answered(here, friend, job: str, *, canary: bool = False) -> None:
    """A friend has answered, and both have signed for it."""
    now = int(time.time())
    receipt = Receipt(
        job=job,
        node=friend.identity.node,
        asker=here.identity.node,
        attempt=1,
        model="qwen3-1.7b",
        finish="complete",
        tokens=120,
        milliseconds=4000,
        transcript=bytes(32),
        issued=now,
    )
    signed = sign(receipt, friend.identity.keys().identity)
    mine = here.identity.keys().identity
    here.receipts.add(countersign(signed, receipt, mine, "good", now=now, canary=canary), "router.example")


async def test_trust_and_what_others_have_answered_are_told(app, friend):
    network = (await services()).network
    network.devices.see(friend.identity.card(Offer(name="Reza")))
    node = friend.identity.node
    answered(network, friend, "a" * 32)
    answered(network, friend, "b" * 32, canary=True)
    now = int(time.time())
    network.trust.book.canary(node, "qwen3-1.7b", now, passed=True)
    await app.go(0)
    await app.go(NETWORK)
    await app.until(lambda: app.shows("asked-sums"))
    assert "Questions asked: 1. Answers: 1, with 120 tokens" in app.text("asked-sums")
    assert "Test question" in app.text()
    assert "Trust 75 %" in app.text(f"device-{node}")
    await app.tap(f"device-{node}")
    await app.until(lambda: app.shows("device-trust"))
    assert "qwen3-1.7b: trust 75 %. Answers: 1, of them to test questions: 1." in app.text("device-trust")
    for _ in range(12):
        network.trust.book.canary(node, "qwen3-1.7b", now, passed=False)
    await app.tap("dialog-close")
    await app.go(0)
    await app.go(NETWORK)
    await app.until(lambda: "Failed tests" in app.text(f"device-{node}"))
    await app.tap(f"device-{node}")
    await app.until(lambda: app.shows("quarantined"))


async def test_this_devices_code_and_name_are_for_others_to_see(app):
    (await services()).network.groups.create("Friends", GroupKind.CIRCLE)
    await app.go(0)
    await app.go(NETWORK)
    await app.until(lambda: app.shows("kept-in"))
    assert "as safe as the device itself" in app.text("kept-in")
    await app.tap("own-show")
    await app.until(lambda: app.shows("own-code"))
    code = (await services()).network.identity.code()
    assert "".join(app.all(ft.Text, app.mark("own-code"))[0].value.split()) == code
    await app.dismiss()
    await app.tap("own-name")
    await app.enter("dialog-name", "a\u202eb")
    await app.tap("dialog-confirm")
    await app.until(lambda: "mislead" in app.text())
    await app.enter("dialog-name", "Sara's laptop")
    await app.tap("dialog-confirm")
    await app.until(lambda: "Sara's laptop" in app.text())


async def test_offline_is_one_switch_and_only_a_router_of_this_device_is_still_asked(app, monkeypatch):
    async with answering_as_a_router() as address:
        await app.tap("begin-router")
        await app.enter("router-address", address)
        await app.tap("dialog-confirm")
        await app.until(lambda: "connected" in app.text())
        await app.enter("offline", value=True)
        assert (await services()).network.offline.on
        await app.until(lambda: "Only programs on this very device" in app.text())
        assert "connected" in app.text()
        monkeypatch.setattr("app.core.network.offline.is_this_device", lambda host: False)
        await app.go(0)
        await app.go(NETWORK)
        await app.until(lambda: "not asked: you are offline" in app.text())
        asked = len((await services()).network.ledger.entries())
        await app.enter("offline", value=False)
        await app.until(lambda: "connected" in app.text())
        assert len((await services()).network.ledger.entries()) > asked


async def test_the_ledger_shows_sums_and_connections_by_purpose_and_is_cleared(app):
    ledger = (await services()).network.ledger
    for purpose, host in ((Purpose.HUB, "hub.example"), (Purpose.WEB_PAGE, "page.example")):
        exchange = ledger.begin(purpose, host)
        exchange.count(sent=1000, received=2_500_000)
        exchange.end()
    ledger.begin(Purpose.HUB, "hub.example", refused=True)
    await app.tap("open-ledger")
    await app.until(lambda: app.shows("total-hub-hub.example"))
    assert "2.5" in app.text("total-hub-hub.example")
    assert "Refused" in app.text("entry-3")
    await app.tap("purpose-web_page")
    await app.until(lambda: not app.shows("total-hub-hub.example"))
    assert app.shows("entry-2")
    assert not app.shows("entry-1")
    await app.tap("clear")
    await app.tap("dialog-confirm")
    await app.until(lambda: "Nothing has left this device" in app.text())


async def test_a_long_ledger_is_read_page_by_page(app):
    ledger = (await services()).network.ledger
    for _ in range(101):
        ledger.begin(Purpose.HUB, "hub.example").end()
    await app.tap("open-ledger")
    await app.until(lambda: app.shows("older"))
    assert not app.shows("entry-1")
    await app.tap("older")
    await app.until(lambda: app.shows("entry-1"))
    assert not app.shows("older")


async def test_damaged_files_are_told_and_a_locked_place_can_be_tried_again(home, open_app):
    (home.network / "groups.json").write_bytes(b"{")
    async with open_app() as app:
        await app.go(NETWORK)
        await app.until(lambda: app.shows("set-aside"))
        assert "groups.json.damaged-" in app.text("set-aside")
        await app.dismiss()
        network = (await services()).network
        network.groups.create("Friends", GroupKind.CIRCLE)
        (home.network / "secrets.sealed").rename(home.network / "away")
        (home.network / "secrets.sealed").write_bytes(b"rubbish")
        network.groups._secrets.clear()
        await app.go(0)
        await app.go(NETWORK)
        await app.until(lambda: app.shows("network-problem"))
        (home.network / "away").replace(home.network / "secrets.sealed")
        await app.tap("network-retry")
        await app.until(lambda: "Friends" in app.text())


async def test_persian_is_complete_and_runs_right_to_left(home, open_app):
    SettingsStore(home.settings).change(language="fa")
    async with open_app(width=1280) as app:
        await app.go(NETWORK)
        await app.until(lambda: app.shows("network-start"))
        assert "دستگاه‌های خودم" in app.text("network-start")
        assert all(row.rtl for row in app.all(ft.Row, app.mark("network-start")))
