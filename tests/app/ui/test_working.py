"""Answering others' questions, as the owner of the device sees it."""

from __future__ import annotations

import asyncio
import time

import flet as ft
import pytest

from app.core.network.groups import GroupKind
from app.core.network.work_policy import WorkPolicyStore
from app.core.network.work_records import Outcome, WorkEntry, WorkRecords
from app.core.provenance import PrivacyLevel
from app.ui.components.worker_section import WorkerSection
from app.ui.process import process
from app.ui.state.app import AppState
from network.broker.embedded import open_embedded_broker
from tests.app.ui.conftest import services
from tests.app.ui.driver import App
from tests.network.worker.link_server import LinkServer


async def only_the_section(page: ft.Page) -> None:
    """The part of the network screen that is tested here, and the dialogs above it."""
    shared = await process()
    app = AppState(page, shared.services, shared.live)
    page.on_close = lambda event: app.close()
    page.render(WorkerSection, app, app.working.state)
    await app.start()


@pytest.fixture
def section(home):
    return lambda **client: App(only_the_section, **client)


@pytest.fixture
async def router():
    broker = await open_embedded_broker(None)
    async with LinkServer(broker).running() as server:
        yield server
    await broker.close()


async def ready(home, model, router) -> None:
    """Everything that work for others needs, and a power supply."""
    model("Hello")
    opened = await services()
    await opened.network.routers.add(router.address)
    opened.working.conditions.report(charging=True, metered=False)
    opened.working.change(hottest_celsius=0)  # of the machine that runs the tests


async def test_it_is_off_until_the_owner_turns_it_on_and_tells_what_is_missing(section, model):
    model("Hello")
    async with section() as app:
        await app.until(lambda: app.shows("worker-section"))
        assert not app.shows("work-state")
        await app.enter("work-enabled", value=True)
        await app.until(lambda: "Add a router first" in app.text(app.mark("work-state")))
        await app.enter("work-enabled", value=False)
        await app.until(lambda: not app.shows("work-state"))


async def test_it_connects_pauses_and_goes_on(section, home, model, router):
    await ready(home, model, router)
    async with section() as app:
        await app.enter("work-enabled", value=True)
        await app.until(lambda: "Nobody to answer yet" in app.text(app.mark("work-state")))
        await app.tap("work-rules")
        await app.enter("work-public", value=True)
        await app.until(lambda: "Ready, connected to 1 router." in app.text(app.mark("work-state")))
        await app.tap("work-pause")
        await app.until(lambda: "Paused by you." in app.text(app.mark("work-state")))
        assert app.mark("work-pause").content.content == "Go on"
        await app.tap("work-pause")
        await app.until(lambda: "Ready" in app.text(app.mark("work-state")))
        assert "0 answers today" in app.text(app.mark("work-today"))


async def test_a_phone_is_asked_for_its_power_and_its_connection(section, home, model, router):
    await ready(home, model, router)
    (await services()).working.change(public=True)
    async with section() as app:
        app.client.answers |= {"get_battery_state": "discharging", "get_connectivity": ["mobile"]}
        await app.enter("work-enabled", value=True)
        await app.until(lambda: "until the device is plugged in" in app.text(app.mark("work-state")))
        await app.tap("work-rules")
        await app.enter("work-charging", value=False)
        await app.until(lambda: "not paid by the byte" in app.text(app.mark("work-state")))


async def test_rules_hold_when_they_are_chosen_and_are_kept(section, home, model):
    model("Hello")
    async with section() as app:
        await app.tap("work-rules")
        await app.tap("work-hours-22:00-07:00")
        await app.tap("work-daily_questions-20")
        await app.tap("work-idle_minutes-15")
        await app.enter("work-charging", value=False)
        await app.until(lambda: not (opened_policy(home).only_charging))
        assert app.mark("work-hours-22:00-07:00").selected
    policy = opened_policy(home)
    assert (policy.hours.start, policy.daily_questions, policy.idle_minutes) == (22 * 60, 20, 15)


def opened_policy(home):
    return WorkPolicyStore(home.network / "working.json").current


async def test_groups_can_be_left_out(section, home, model):
    opened = await services()
    mine = opened.network.groups.create("Mine", GroupKind.MINE)
    circle = opened.network.groups.create("Friends", GroupKind.CIRCLE)
    async with section() as app:
        await app.tap("work-rules")
        await app.until(lambda: app.shows(f"work-group-{circle.id}"))
        await app.tap(f"work-group-{circle.id}")
        await app.until(lambda: opened.working.policy.groups == (mine.id,))
        await app.tap(f"work-group-{circle.id}")
        await app.until(lambda: opened.working.policy.groups is None)


async def test_the_log_tells_what_was_done_without_its_words_and_can_be_cleared(section, home, model):
    records = WorkRecords(home.network / "work.db")
    records.add(WorkEntry(time.time(), 3.2, PrivacyLevel.CIRCLE, "tiny", 40, 2, Outcome.ANSWERED))
    records.close()
    async with section() as app:
        await app.tap("work-log")
        await app.until(lambda: app.shows("work-entry-1"))
        told = app.text(app.mark("work-entry-1"))
        for part in ("A circle", "answered", "tiny", "40 tokens", "3.2 s", "2 passages"):
            assert part in told
        opened = await services()
        await asyncio.to_thread(opened.working.records.forget)
        await app.tap("work-log")
    async with section() as app:
        await app.tap("work-log")
        await app.until(lambda: app.shows("work-log-empty"))


async def test_persian_is_whole(section, home, model, router):
    await ready(home, model, router)
    (await services()).settings.change(language="fa")
    async with section() as app:
        await app.enter("work-enabled", value=True)
        await app.tap("work-rules")
        await app.enter("work-public", value=True)
        await app.until(lambda: "آماده، متصل به" in app.text(app.mark("work-state")))
        assert "۲۲:۰۰ تا ۰۷:۰۰" in app.text(app.mark("work-hours-22:00-07:00"))
