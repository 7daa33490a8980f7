"""The app is opened while a terminal moves the models."""

from __future__ import annotations

import asyncio

from app.core import instance
from app.core.instance import WritersLock


async def test_the_app_waits_for_models_that_are_being_moved_and_then_opens(open_app, home, monkeypatch):
    monkeypatch.setattr(instance, "_WAIT_MILLISECONDS", 50)
    app = open_app()
    with WritersLock(home.data / "processes.lock").exclusive() as alone:
        assert alone
        opening = asyncio.create_task(app.__aenter__())
        await asyncio.sleep(0)
        await app.until(lambda: "The models are being moved" in app.text())
        assert not app.shows("composer")
    await opening
    await app.until(lambda: app.shows("add-model") or app.shows("open-models") or app.shows("composer"))
    await app.__aexit__()
