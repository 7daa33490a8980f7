"""Documents, and answers that cite them, as a person uses them."""

from __future__ import annotations

import shutil
from urllib.parse import parse_qs, urlparse

import flet as ft

from app.core.instance import InstanceLock
from rag.model import DocumentState
from tests.app.ui.conftest import services

POLICY = """# Travel policy

Employees may claim up to 65 euros a day for meals on trips within Europe.

# Working hours

The office opens at eight and closes at six.
"""


def picks(*files):
    return [
        {"id": number, "name": file.name, "size": file.stat().st_size, "path": str(file)}
        for number, file in enumerate(files)
    ]


def write_policy(folder, name="policy.md"):
    file = folder / name
    file.write_text(POLICY, encoding="utf-8")
    return file


async def documents():
    knowledge = (await services()).knowledge
    return [
        document for collection in knowledge.collections() for document in knowledge.documents(collection.id)
    ]


async def add(app, *files):
    """Add files on the documents screen, and wait until they are read."""
    app.client.answers["pick_files"] = picks(*files)
    before = len(await documents())
    await app.go(1)
    await app.tap("add-files")
    knowledge = (await services()).knowledge
    await app.until(lambda: sum(c.documents for c in knowledge.collections()) == before + len(files))
    for document in await documents():
        await app.until(lambda document=document: state(app, document) not in ("Waiting", "Reading…"))
        await app.until(lambda document=document: " of " not in state(app, document))


def state(app, document):
    identifier = f"document-state-{document.id}"
    return app.text(identifier) if app.shows(identifier) else "Waiting"


async def test_the_first_file_makes_a_collection_and_is_read(open_app, tmp_path):
    async with open_app() as app:
        await app.go(1)
        assert "Ask your own documents" in app.text()
        await add(app, write_policy(tmp_path))
        [document] = await documents()
        assert document.state is DocumentState.READY
        assert "passage" in app.text(f"document-state-{document.id}")
        assert "My documents" in app.text()


async def test_documents_are_read_here_once_the_process_that_did_has_ended(open_app, home, tmp_path):
    other = InstanceLock(home.data / "instance.lock")
    async with open_app() as app:
        assert not (await services()).instance.held
        other.release()
        await add(app, write_policy(tmp_path))
        [document] = await documents()
        assert document.state is DocumentState.READY


async def test_an_answer_cites_the_passage_and_opens_it(open_app, model, tmp_path):
    model("Up to 65 euros a day [1].")
    async with open_app() as app:
        await add(app, write_policy(tmp_path))
        [collection] = (await services()).knowledge.collections()
        await app.go(0)
        await app.tap("sources")
        await app.tap(f"source-{collection.id}")
        await app.until(lambda: "My documents" in app.text("sources"))
        await app.dismiss()
        await app.enter("composer", "How many euros a day may employees claim for meals?")
        await app.tap("send")
        await app.until(lambda: app.shows("citation-1"))
        assert "relevant" in app.text("searched")
        assert "policy.md" in app.text("citation-1")
        await app.tap("citation-1")
        await app.until(lambda: app.shows("passage"))
        assert "65 euros a day for meals" in app.text("passage")
        await app.dismiss()
        assert not app.shows("passage")
        answer = app.all(ft.Markdown)[-1]
        assert "citation:1" in answer.value
        await app.fire(answer, "tap_link", "citation:1")
        assert app.shows("passage")


async def test_a_citation_outlives_its_document(open_app, model, tmp_path):
    model("Up to 65 euros a day [1].")
    async with open_app() as app:
        await add(app, write_policy(tmp_path))
        opened = await services()
        [collection] = opened.knowledge.collections()
        await app.go(0)
        await app.tap("sources")
        await app.tap(f"source-{collection.id}")
        await app.dismiss()
        await app.enter("composer", "How many euros a day may employees claim for meals?")
        await app.tap("send")
        await app.until(lambda: app.shows("citation-1"))
        opened.knowledge.delete_collection(collection.id)
        await app.tap("citation-1")
        await app.until(lambda: "no longer in the knowledge base" in app.text())
        assert "65 euros a day for meals" in app.text("passage")


async def test_nothing_relevant_is_said_plainly(open_app, model, tmp_path):
    model("I should not be asked.")
    async with open_app() as app:
        await add(app, write_policy(tmp_path))
        [collection] = (await services()).knowledge.collections()
        await app.go(0)
        await app.tap("sources")
        await app.tap(f"source-{collection.id}")
        await app.dismiss()
        await app.enter("composer", "Zebra quantum xylophone?")
        await app.tap("send")
        await app.until(lambda: app.shows("searched"))
        assert "0 relevant" in app.text("searched")
        assert "found nothing" in app.text("message-assistant")
        assert not app.shows("citation-1")


async def test_letters_typed_while_a_search_is_under_way_stay(open_app, tmp_path):
    async with open_app() as app:
        await add(app, write_policy(tmp_path))
        await app.enter("search-documents", "When does the office")
        [field] = app.all(ft.TextField, app.mark("search-documents"))
        app.session.apply_patch(field._i, {"value": "When does the office open"})  # told, not yet handled
        await app.until(lambda: app.shows("found-1"))
        [field] = app.all(ft.TextField, app.mark("search-documents"))
        assert field.value == "When does the office open"


async def test_a_search_shows_the_passages_and_opens_them(open_app, tmp_path):
    async with open_app() as app:
        await add(app, write_policy(tmp_path))
        await app.enter("search-documents", "When does the office open and close?")
        await app.until(lambda: app.shows("found-1"))
        assert "relevant" in app.text("found")
        await app.tap("found-1")
        await app.until(lambda: app.shows("passage"))
        await app.dismiss()
        await app.enter("search-documents", "")
        await app.until(lambda: not app.shows("found"))
        assert "policy.md" in app.text()


async def test_what_is_read_while_a_search_is_shown_is_found_by_it(open_app, tmp_path):
    other = tmp_path / "lamp.txt"
    other.write_text("The red lamp blinks while the battery is charging.")
    async with open_app() as app:
        await add(app, write_policy(tmp_path))
        await app.enter("search-documents", "lamp blinks battery charging")
        await app.until(lambda: app.shows("found") and not app.shows("found-1"))
        opened = await services()
        [collection] = opened.knowledge.collections()
        opened.knowledge.add(collection.id, other)
        await app.until(lambda: app.shows("found-1"))


async def test_a_search_says_why_each_passage_was_found_and_what_was_left_out(open_app, tmp_path):
    other = tmp_path / "lamp.txt"
    other.write_text("The red lamp blinks while the battery is charging. Code 4711 unlocks the door.")
    async with open_app() as app:
        await add(app, write_policy(tmp_path), other)
        await app.enter("search-documents", "When does the office open and close?")
        await app.until(lambda: app.shows("found-1"))
        assert app.text("why-1") == "Has the question’s words"
        assert not app.shows("figures-1")
        await app.tap("details-1")
        figures = app.text("figures-1")
        assert "Place 1" in figures
        assert "passes from 0.250 on" in figures
        assert "Words of the question in it: office, open, close" in figures
        assert " ms" in app.text("found")
        await app.tap("details-1")
        assert not app.shows("figures-1")
        await app.enter("search-documents", "4711")
        await app.until(lambda: app.shows("refused-2"))
        assert app.text("why-1") == "Close in meaning"
        assert app.text("why-2") == "Too far from the question"


async def test_what_decides_can_be_changed_and_the_search_is_done_again(open_app, tmp_path):
    other = tmp_path / "lamp.txt"
    other.write_text("The red lamp blinks while the battery is charging.")
    async with open_app() as app:
        await add(app, write_policy(tmp_path), other)
        await app.enter("search-documents", "office blinks nothing whatsoever")
        await app.until(lambda: app.shows("found"))
        await app.tap("search-by-words")
        await app.until(lambda: app.shows("found-2"))
        assert "showing 2" in app.text("found")
        assert app.shows("way-note")
        await app.tap("search-by-meaning")
        await app.until(lambda: "Would not be used in an answer" in app.text())
        await app.tap("search-by-both")
        await app.until(lambda: "relevant" in app.text("found"))
        assert not app.shows("way-note")


async def test_a_file_that_cannot_be_read_says_why_in_the_language_of_the_app(open_app, tmp_path):
    empty = tmp_path / "خالی 🙂.pdf"
    empty.write_bytes(b"")
    async with open_app() as app:
        await add(app, empty)
        [document] = await documents()
        assert "holds no text" in app.text(f"document-state-{document.id}")
        assert empty.name in app.text(f"document-{document.id}")
        await app.go(4)
        await app.tap("language-fa")
        await app.go(1)
        await app.until(lambda: "متنی ندارد" in app.text(f"document-state-{document.id}"))
        empty.write_bytes(b"")
        await app.tap(f"retry-{document.id}")
        await app.until(lambda: "متنی ندارد" in state(app, document))


async def test_a_document_is_deleted_only_after_a_question(open_app, tmp_path):
    file = write_policy(tmp_path)
    async with open_app() as app:
        await add(app, file)
        [document] = await documents()
        await app.choose(f"document-menu-{document.id}", "Delete")
        assert "policy.md" in app.text(app.open_dialogs()[0])
        await app.tap("dialog-cancel")
        assert app.shows(f"document-{document.id}")
        await app.choose(f"document-menu-{document.id}", "Delete")
        await app.tap("dialog-confirm")
        await app.until(lambda: not app.shows(f"document-{document.id}"))
        assert await documents() == []
        assert file.exists()


async def test_collections_are_made_renamed_and_deleted(open_app):
    async with open_app() as app:
        await app.go(1)
        await app.tap("new-collection")
        await app.enter("dialog-name", "Work")
        await app.tap("dialog-confirm")
        await app.until(lambda: "Work" in app.text() and not app.open_dialogs())
        await app.tap("new-collection")
        await app.enter("dialog-name", "Work")
        await app.tap("dialog-confirm")
        await app.until(lambda: "already a collection named “Work”" in app.text())
        await app.enter("dialog-name", "Home")
        await app.tap("dialog-confirm")
        await app.until(lambda: not app.open_dialogs())
        assert "Home" in app.text()
        await app.choose("collection-menu", "Rename")
        await app.enter("dialog-name", "Family")
        await app.tap("dialog-confirm")
        await app.until(lambda: "Family" in app.text() and not app.open_dialogs())
        await app.choose("collection-menu", "Delete")
        await app.tap("dialog-confirm")
        await app.until(lambda: "Family" not in app.text())
        assert [c.name for c in (await services()).knowledge.collections()] == ["Work"]


async def test_a_document_is_moved_to_another_collection_and_to_a_new_one(open_app, tmp_path):
    async with open_app() as app:
        await app.go(1)
        await app.tap("new-collection")
        await app.enter("dialog-name", "Work")
        await app.tap("dialog-confirm")
        await app.until(lambda: app.shows("collection-1") and not app.open_dialogs())
        await add(app, write_policy(tmp_path))
        await app.until(lambda: "1 document · 1 passage · 155 bytes" in app.text("collection-amounts"))
        await app.tap("new-collection")
        await app.enter("dialog-name", "Home")
        await app.tap("dialog-confirm")
        await app.until(lambda: not app.open_dialogs())
        assert not app.shows("collection-amounts")
        await app.tap("collection-1")
        await app.until(lambda: app.shows("document-1"))
        await app.choose("document-menu-1", "Move")
        assert not app.shows("move-to-1")
        await app.tap("move-to-2")
        await app.until(lambda: "policy.md” is in “Home" in app.text())
        assert not app.shows("document-1")
        await app.tap("collection-2")
        await app.until(lambda: app.shows("document-1"))
        await app.choose("document-menu-1", "Move")
        await app.tap("move-to-new")
        await app.enter("dialog-name", "Work")
        await app.tap("dialog-confirm")
        await app.until(lambda: "already a collection named “Work”" in app.text())
        await app.enter("dialog-name", "Trips")
        await app.tap("dialog-confirm")
        await app.until(lambda: "Trips" in app.text() and not app.shows("dialog-name"))
        await app.until(lambda: app.shows("document-1"))
        [document] = await documents()
        assert (document.collection_id, document.state) == (3, DocumentState.READY)


async def test_a_conversation_goes_on_when_the_collection_it_asks_was_renamed_or_deleted(
    open_app, model, tmp_path
):
    model("The office opens at eight.")
    async with open_app() as app:
        await add(app, write_policy(tmp_path))
        await app.go(0)
        await app.tap("sources")
        await app.tap("source-1")
        await app.dismiss()
        await app.go(1)
        await app.choose("collection-menu", "Rename")
        await app.enter("dialog-name", "Rules")
        await app.tap("dialog-confirm")
        await app.until(lambda: not app.open_dialogs())
        await app.go(0)
        await app.until(lambda: "Rules" in app.text("sources"))
        await app.go(1)
        await app.choose("collection-menu", "Delete")
        await app.tap("dialog-confirm")
        await app.until(lambda: not app.shows("collection-1"))
        await app.go(0)
        await app.until(lambda: "No documents" in app.text("sources"))
        await app.enter("composer", "When does the office open?")
        await app.tap("send")
        await app.until(lambda: app.shows("regenerate"))
        assert "opens at eight" in app.text("message-assistant")
        assert "found nothing" not in app.text("message-assistant")


async def test_a_browser_sends_the_file_first(open_app, home, tmp_path):
    source = write_policy(tmp_path, "سیاست سفر.md")

    async with open_app(web=True) as app:

        def receive(args):
            [file] = args["files"]
            target = parse_qs(urlparse(file.upload_url).query)["f"][0]
            shutil.copy(source, home.uploads / target)
            picker = app.service(ft.FilePicker)
            for progress in (0.0, 0.5, 1.0):
                app.client.loop.create_task(
                    app.fire(picker, "upload", {"file_name": file.name, "progress": progress, "error": None})
                )

        app.client.answers["upload"] = receive
        app.client.answers["pick_files"] = [{"id": 0, "name": source.name, "size": 9, "path": None}]
        await app.go(1)
        await app.tap("add-files")
        await app.until(lambda: app.shows("document-state-1") and "1 passage" in app.text("document-state-1"))
        [document] = await documents()
        assert document.title == source.name
        assert document.state is DocumentState.READY
        await app.until(lambda: list(home.uploads.iterdir()) == [])  # the copy is deleted once it is read


async def test_a_failed_upload_is_told(open_app, home, tmp_path):
    async with open_app(web=True) as app:

        def fail(args):
            picker = app.service(ft.FilePicker)
            event = {"file_name": "a.md", "progress": None, "error": "connection lost"}
            app.client.loop.create_task(app.fire(picker, "upload", event))

        app.client.answers["upload"] = fail
        app.client.answers["pick_files"] = [{"id": 0, "name": "a.md", "size": 9, "path": None}]
        await app.go(1)
        await app.tap("add-files")
        await app.until(lambda: app.shows("notice"))
        assert "“a.md” did not arrive completely" in app.text("notice")
        assert await documents() == []


async def test_single_documents_of_a_collection_can_be_asked(open_app, model, tmp_path):
    model("Up to 65 euros a day [1].")
    menu = tmp_path / "menu.md"
    menu.write_text("Soup is served at noon on Mondays.")
    async with open_app() as app:
        await add(app, write_policy(tmp_path))
        await add(app, menu)
        await app.go(0)
        await app.tap("sources")
        await app.tap("source-1")
        await app.tap("open-source-1")
        await app.until(lambda: app.shows("source-document-2"))
        await app.tap("source-document-1")
        await app.until(lambda: "1 of 2 documents" in app.text("source-1"))
        await app.dismiss()
        assert "menu.md" in app.text("sources")
        notes = tmp_path / "notes.md"
        notes.write_text("The printer stands on the second floor.")
        await add(app, notes)
        await app.go(0)
        await app.tap("sources")
        await app.until(lambda: app.shows("source-document-3"))
        assert "1 of 3 documents" in app.text("source-1")
        await app.dismiss()
        await app.enter("composer", "How many euros a day may employees claim for meals?")
        await app.tap("send")
        await app.until(lambda: app.shows("searched"))
        assert "0 relevant" in app.text("searched")
        await app.until(lambda: app.shows("regenerate"))
        (await services()).knowledge.delete_document(2)
        await app.enter("composer", "And now?")
        await app.tap("send")
        await app.until(lambda: "1 document that you had chosen was deleted" in app.text("documents-gone"))
        assert "No documents" in app.text("sources")
        await app.until(lambda: "Up to 65 euros" in app.text())


async def test_the_search_of_the_documents_screen_can_look_in_one_document(open_app, tmp_path):
    menu = tmp_path / "menu.md"
    menu.write_text("Soup is served at noon on Mondays.")
    async with open_app() as app:
        await add(app, write_policy(tmp_path))
        await add(app, menu)
        await app.choose("document-menu-2", "Search only here")
        await app.until(lambda: "menu.md" in app.text("searched-document"))
        await app.enter("search-documents", "euros a day for meals")
        await app.until(lambda: app.shows("found"))
        assert "0 relevant" in app.text("found")
        await app.fire(app.all(ft.Chip, app.mark("searched-document"))[0], "delete")
        await app.until(lambda: "1 relevant" in app.text("found"))
        assert not app.shows("searched-document")
