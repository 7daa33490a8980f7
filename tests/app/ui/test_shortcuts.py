"""The app by its keyboard."""

from __future__ import annotations

import flet as ft
import pytest

from app.core.conversations import Conversations

DESKTOP = 1280


def field(app, identifier):
    return app.all(ft.TextField, app.mark(identifier))[0]


@pytest.fixture
def conversations(home):
    """Two conversations."""
    store = Conversations(home.conversations)
    for question in ("How deep is the sea?", "عمق دریا چقدر است؟"):
        store.add(store.create().id, "user", question)
    store.close()


async def test_on_a_wide_window_one_can_write_at_once(open_app, conversations):
    async with open_app(width=DESKTOP) as app:
        assert field(app, "composer").autofocus
    async with open_app() as phone:
        assert not field(phone, "composer").autofocus, "a phone's keyboard would cover the screen"


@pytest.mark.parametrize(("key", "modifiers"), [("O", ("ctrl", "shift")), ("N", ("ctrl",)), ("د", ("ctrl",))])
async def test_a_new_conversation_begins_from_everywhere(open_app, conversations, key, modifiers):
    async with open_app(width=DESKTOP) as app:
        await app.tap("conversation-1")
        await app.until(lambda: "sea" in app.text("title"))
        await app.go(4)
        assert not app.shows("composer")
        await app.press(key, *modifiers)
        assert app.shows("composer")
        assert not app.shows("message-user")


async def test_the_search_gets_the_cursor_until_a_conversation_is_opened(open_app, conversations):
    async with open_app(width=DESKTOP) as app:
        await app.until(lambda: app.shows("conversation-1"))
        await app.press("K", "ctrl")
        assert field(app, "search-conversations").autofocus
        await app.enter("search-conversations", "sea")
        await app.until(lambda: not app.shows("conversation-2"))
        await app.tap("conversation-1")
        await app.until(lambda: app.shows("message-user"))
        assert not field(app, "search-conversations").autofocus
        assert field(app, "composer").autofocus


async def test_on_a_narrow_window_the_search_opens_the_list(open_app, conversations):
    async with open_app() as app:
        await app.press("K", "ctrl")
        assert field(app, "search-conversations").autofocus


async def test_other_keys_and_keys_under_a_dialog_do_nothing(open_app, conversations):
    async with open_app(width=DESKTOP) as app:
        for key, *modifiers in (("K",), (",",), ("K", "ctrl", "alt"), (",", "meta"), ("Escape",)):
            await app.press(key, *modifiers)
        assert app.shows("composer")
        await app.tap("sources")
        await app.press(",", "ctrl")
        assert app.shows("composer")
        await app.dismiss()
        await app.press(",", "ctrl")
        assert not app.shows("composer")
        assert "Ctrl+K" in app.text("shortcuts")


async def test_escape_stops_an_answer(open_app, model):
    model("again ", loop=True)
    async with open_app(width=DESKTOP) as app:
        await app.enter("composer", "Go on")
        await app.tap("send")
        await app.until(
            lambda: "again" in app.text("message-assistant") if app.shows("message-assistant") else 0
        )
        await app.press("Escape")
        await app.until(lambda: app.shows("regenerate"))
        assert "Stopped." in app.text()
