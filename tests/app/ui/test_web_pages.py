"""Pages of the web on the documents screen: who is asked is said before, and nothing happens by itself."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tests.app.ui.conftest import services
from tests.rag.web_server import serving_pages

POLICY = "<title>Travel policy</title><body><p>Employees may claim up to 65 euros a day for meals.</p></body>"


@pytest.fixture
def pages():
    with serving_pages() as served:
        yield served


async def documents():
    knowledge = (await services()).knowledge
    return [each for collection in knowledge.collections() for each in knowledge.documents(collection.id)]


async def add_page(app, address):
    await app.tap("add-page")
    await app.enter("page-address", address)
    await app.tap("dialog-confirm")


def noticed(app, text):
    return app.shows("notice") and text in app.text("notice")


async def added(app, pages, content=POLICY):
    address = pages.page("/policy", content)
    await app.go(1)
    await add_page(app, address)
    await app.until(lambda: any(mark.startswith("refresh-") for mark in app.identifiers()))
    [document] = await documents()
    await app.until(lambda: app.shows(f"refresh-{document.id}"))  # it is read, and the screen knows
    return document


async def test_who_is_asked_is_said_before_anybody_is(open_app, pages):
    async with open_app() as app:
        await app.go(1)
        await app.tap("add-page")
        assert "becomes a document" in app.text("page-note")
        await app.enter("page-address", "not an address.")
        assert "is not the address of a page" in app.text("page-note")
        await app.enter("page-address", pages.address + "/policy")
        assert "Only 127.0.0.1 is asked" in app.text("page-note")
        await app.tap("dialog-cancel")
        assert pages.asked == []
        assert await documents() == []


async def test_a_page_becomes_a_document_that_says_where_it_is_from(open_app, pages):
    async with open_app() as app:
        document = await added(app, pages)
        assert document.title == "Travel policy"
        assert "127.0.0.1" in app.text(f"document-state-{document.id}")
        assert "My documents" in app.text()
        assert pages.asked == ["/policy"]


async def test_a_refreshed_page_is_read_again_if_it_has_changed(open_app, pages):
    async with open_app() as app:
        document = await added(app, pages)
        await app.tap(f"refresh-{document.id}")
        await app.until(lambda: noticed(app, "has not changed"))
        pages.page("/policy", POLICY.replace("65 euros", "70 euros"))
        await app.tap(f"refresh-{document.id}")
        knowledge = (await services()).knowledge
        await app.until(
            lambda: any(
                "70 euros" in found.passage.text
                for found in knowledge.search("euros for meals", [document.collection_id]).passages
            )
        )
        assert [each.id for each in await documents()] == [document.id]


async def test_a_page_that_is_not_there_is_told(open_app, pages):
    async with open_app() as app:
        await app.go(1)
        await add_page(app, pages.status("/gone", 404))
        await app.until(lambda: noticed(app, "has no such page"))
        assert await documents() == []
        assert not app.shows("fetching")


async def test_fetching_can_be_stopped(open_app, pages):
    asked, ended = threading.Event(), threading.Event()

    def never(handler):
        asked.set()
        ended.wait(30)

    pages.answers["/slow"] = never
    async with open_app() as app:
        await app.go(1)
        await app.tap("add-page")
        await app.enter("page-address", pages.address + "/slow")
        tapping = asyncio.create_task(app.tap("dialog-confirm"))
        await app.until(lambda: app.shows("fetching") and asked.is_set())
        await app.tap("stop-fetching")
        await tapping
        ended.set()
        assert not app.shows("fetching")
        assert await documents() == []


async def test_a_found_passage_leads_to_its_page(open_app, pages):
    async with open_app() as app:
        await added(app, pages)
        await app.enter("search-documents", "euros for meals")
        await app.until(lambda: app.shows("found-1"))
        await app.tap("found-1")
        await app.until(lambda: app.shows("passage-origin"))
        await app.tap("passage-origin")
        assert pages.address + "/policy" in app.text()
        await app.tap("dialog-confirm")
        assert any(name == "launch_url" for name, _ in app.client.calls)
