"""Sessions outlive the connection of their browser."""

from __future__ import annotations

import asyncio

import pytest

from app.main import main
from app.ui import routes
from app.ui.state.models import ModelsOnScreen
from tests.app.ui.conftest import services
from tests.app.ui.driver import App


@pytest.fixture
async def opening(home):
    """A window whose browser loses the connection before the app is open; gives it and the connection."""
    lost, tasks = [], []

    async def interrupted(page):
        lost.append(page.session.connection)
        await page.session.disconnect(60)
        tasks.append(asyncio.create_task(main(page)))
        await asyncio.sleep(0)

    async with App(interrupted) as app:
        yield app, lost[0]
    await asyncio.wait_for(asyncio.gather(*tasks), 30)


async def test_a_browser_that_comes_back_while_the_app_opens_sees_it_and_can_go_on(opening):
    app, connection = opening
    await app.session.connect(connection)
    await app.until(lambda: app.shows("composer"))
    await app.go(2)
    await app.until(lambda: app.shows("speed-tests"))


async def test_an_address_that_a_browser_tells_only_when_it_comes_back_is_followed(opening):
    app, connection = opening
    app.session.apply_page_patch({"route": routes.SPEED})
    await app.session.connect(connection)
    await app.until(lambda: "No speed tests yet" in app.text())


async def test_a_browser_that_never_comes_back_keeps_nothing_waiting(opening):
    app, _ = opening
    app.session.close()
    await app.settle()


async def test_what_changed_while_the_browser_was_away_is_there_when_it_is_back(open_app, model, monkeypatch):
    known, refresh = asyncio.Event(), ModelsOnScreen.refresh

    async def refresh_and_tell(self):
        await refresh(self)
        known.set()

    async with open_app() as app:
        opened = await services()
        await app.go(2)
        await app.until(lambda: app.shows("add-first-model"))
        connection = app.session.connection
        await app.session.disconnect(60)
        model("Hello.")
        monkeypatch.setattr(ModelsOnScreen, "refresh", refresh_and_tell)
        opened.models.look_again()
        await asyncio.wait_for(known.wait(), 20)
        await app.settle()
        assert not app.shows("load")
        await app.session.connect(connection)
        await app.until(lambda: app.shows("load"))
