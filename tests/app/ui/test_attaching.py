"""Files in the composer, as a person attaches them."""

from __future__ import annotations

import asyncio
import threading

import app.core.attachments as core
from tests.app.ui.conftest import services
from tests.app.ui.test_knowledge import picks, write_policy


async def test_a_file_goes_along_with_a_question_and_stays_with_it(open_app, model, tmp_path):
    model("At eight.", context=4096)
    async with open_app() as app:
        app.client.answers["pick_files"] = picks(write_policy(tmp_path))
        await app.tap("attach-file")
        await app.until(lambda: app.shows("waiting-file-1") and "read whole" in app.text("waiting-file-1"))
        await app.enter("composer", "When does the office open?")
        await app.tap("send")
        await app.until(lambda: app.shows("attached-1") and app.shows("regenerate"))
        assert "policy.md" in app.text("attached-1")
        assert "read whole" in app.text("attached-1")
        assert not app.shows("waiting-file-1")
        opened = await services()
        [texts] = opened.conversations.attached.texts(1).values()
        assert "The office opens at eight" in texts[0].text
    async with open_app() as app:
        await app.until(lambda: app.shows("conversation-1") or app.shows("composer"))
        [question, _] = (await services()).conversations.messages(1)
        assert question.attachments[0].name == "policy.md"


async def test_a_long_file_is_searched_and_the_chip_says_so(open_app, model, tmp_path):
    model("At eight.", context=1024)
    book = tmp_path / "book.txt"
    book.write_text("\n\n".join(f"Chapter {it}. Another quiet day at sea." for it in range(300)))
    async with open_app() as app:
        await (await services()).models.engine()
        app.client.answers["pick_files"] = picks(book)
        await app.tap("attach-file")
        await app.until(lambda: app.shows("waiting-file-1") and "searched" in app.text("waiting-file-1"))
        assert (await services()).knowledge.collections() == []


async def test_a_file_is_taken_back_before_its_question_is_sent(open_app, model, tmp_path):
    model("At eight.", context=4096)
    async with open_app() as app:
        app.client.answers["pick_files"] = picks(write_policy(tmp_path))
        await app.tap("attach-file")
        await app.until(lambda: "read whole" in app.text("waiting-file-1"))
        await app.tap("waiting-file-1")
        await app.until(lambda: not app.shows("waiting-file-1"))
        await app.enter("composer", "When does the office open?")
        await app.tap("send")
        await app.until(lambda: app.shows("regenerate"))
        assert not app.shows("attached-1")


async def test_a_question_waits_for_its_file(open_app, model, tmp_path, monkeypatch):
    model("At eight.", context=4096)
    may_go_on = threading.Event()
    real = core.read_document

    def slow(*args, **kwargs):
        assert may_go_on.wait(30)
        return real(*args, **kwargs)

    monkeypatch.setattr(core, "read_document", slow)
    async with open_app() as app:
        app.client.answers["pick_files"] = picks(write_policy(tmp_path))
        attaching = asyncio.create_task(app.tap("attach-file"))
        await app.until(lambda: app.shows("waiting-file-1"))
        await app.enter("composer", "When does the office open?")
        await app.tap("send")
        await app.until(lambda: "still being read" in app.text())
        assert not app.shows("message-user")
        may_go_on.set()
        await attaching
        await app.until(lambda: "read whole" in app.text("waiting-file-1"))
        await app.tap("send")
        await app.until(lambda: app.shows("attached-1"))


async def test_a_file_that_cannot_be_read_is_named_and_gone(open_app, model, tmp_path):
    model("At eight.", context=4096)
    empty = tmp_path / "empty.txt"
    empty.write_text("")
    async with open_app() as app:
        app.client.answers["pick_files"] = picks(empty)
        await app.tap("attach-file")
        await app.until(lambda: "holds no text" in app.text())
        assert not app.shows("waiting-file-1")


async def test_files_of_a_question_that_was_never_sent_are_not_kept(open_app, model, tmp_path):
    model("At eight.", context=1024)
    book = tmp_path / "book.txt"
    book.write_text("\n\n".join(f"Chapter {it}. Another quiet day at sea." for it in range(300)))
    async with open_app() as app:
        await (await services()).models.engine()
        app.client.answers["pick_files"] = picks(book)
        await app.tap("attach-file")
        await app.until(lambda: "searched" in app.text("waiting-file-1"))
        knowledge = (await services()).knowledge
        assert knowledge.hidden_collections()
    async with open_app() as app:
        await app.until(lambda: not knowledge.hidden_collections())
