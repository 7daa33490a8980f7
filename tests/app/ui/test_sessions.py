"""Sessions outlive the connection of their browser."""

from __future__ import annotations

import asyncio

from app.main import main
from app.ui.state.models import ModelsOnScreen
from tests.app.ui.conftest import services
from tests.app.ui.driver import App


async def test_a_browser_that_reconnects_while_the_app_opens_sees_the_app(home):
    async def interrupted(page):
        connection = page.session.connection
        await page.session.disconnect(60)
        await main(page)
        page.session.attach_connection(connection)

    async with App(interrupted) as app:
        await app.until(lambda: app.shows("composer") or "No model yet" in app.text())


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
