"""A collection is shared, coloured, and kept as one file, as a person does it."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import flet as ft
import pytest

from app.ui.state.collection_files import file_name
from rag.model import CollectionColor, Sharing
from tests.app.ui.conftest import services
from tests.app.ui.test_knowledge import add, picks, write_policy


async def collections():
    return (await services()).knowledge.collections()


async def test_a_collection_is_shared_after_it_was_said_what_others_get(open_app, tmp_path):
    async with open_app() as app:
        await add(app, write_policy(tmp_path))
        assert "Private" in app.text("sharing")
        await app.tap("sharing")
        assert "No level gives anybody a file" in app.text()
        await app.tap("sharing-circle")
        await app.until(lambda: app.mark("sharing-circle").selected)
        await app.dismiss()
        assert "My circles" in app.text("sharing")
        [collection] = await collections()
        assert collection.sharing is Sharing.CIRCLE


async def test_a_collection_gets_another_colour(open_app, tmp_path):
    async with open_app() as app:
        await add(app, write_policy(tmp_path))
        await app.choose("collection-menu", "Colour")
        await app.tap("color-violet")
        await app.until(lambda: app.mark("color-violet").selected)
        [collection] = await collections()
        assert collection.color is CollectionColor.VIOLET


async def test_a_collection_travels_through_one_file(open_app, tmp_path):
    kept: list[bytes] = []

    def keep(arguments):
        kept.append(arguments["src_bytes"])
        return "kept"

    async with open_app() as app:
        await add(app, write_policy(tmp_path))
        app.client.answers["save_file"] = keep
        await app.choose("collection-menu", "Export")
        await app.until(lambda: "“My documents” is written to a file." in app.text())
        exported = tmp_path / "mine.daikb"
        exported.write_bytes(kept[0])
        await app.choose("collection-menu", "Delete")
        await app.tap("dialog-confirm")
        await app.until(lambda: not app.shows("collection-1"))
        app.client.answers["pick_files"] = picks(exported)
        await app.tap("import-collection")
        await app.until(lambda: "1 document imported" in app.text())
        await app.until(lambda: "policy.md" in app.text() and "1 passage" in app.text())
        assert not app.shows("transfer")
        assert not list((await services()).paths.uploads.iterdir())


async def test_on_a_computer_the_file_is_written_where_the_user_says(open_app, tmp_path):
    target = tmp_path / "there.daikb"
    async with open_app() as app:
        await add(app, write_policy(tmp_path))
        app.page.platform = ft.PagePlatform.LINUX
        app.client.answers["save_file"] = None
        await app.choose("collection-menu", "Export")
        assert not target.exists()
        app.client.answers["save_file"] = str(target)
        await app.choose("collection-menu", "Export")
        await app.until(target.exists)
        [asked] = {call[1]["file_name"] for call in app.client.calls if call[0] == "save_file"}
        assert asked == "My documents.daikb"


async def test_a_cancelled_export_leaves_nothing(open_app, tmp_path, monkeypatch):
    target = tmp_path / "there.daikb"
    going_on, may_go_on = threading.Event(), threading.Event()
    async with open_app() as app:
        await add(app, write_policy(tmp_path))
        knowledge = (await services()).knowledge
        real = knowledge.export_collection

        def slow(collection_id: int, path: Path, progress) -> None:
            def told(done: int, total: int) -> None:
                progress(done, total)
                going_on.set()
                assert may_go_on.wait(20)

            real(collection_id, path, told)

        monkeypatch.setattr(knowledge, "export_collection", slow)
        app.page.platform = ft.PagePlatform.LINUX
        app.client.answers["save_file"] = str(target)
        exporting = asyncio.create_task(app.choose("collection-menu", "Export"))
        await app.until(going_on.is_set)
        await app.until(lambda: app.shows("transfer"))
        assert "0 of 1 passage" in app.text("transfer")
        await app.tap("cancel-transfer")
        may_go_on.set()
        await app.until(lambda: not app.shows("transfer"))
        assert not list(tmp_path.glob("*.daikb*"))
        await exporting
        assert "is written" not in app.text()


async def test_a_file_that_is_no_collection_is_refused_in_plain_words(open_app, tmp_path):
    wrong = tmp_path / "wrong.daikb"
    wrong.write_bytes(b"no collection at all")
    async with open_app() as app:
        await app.go(1)
        app.client.answers["pick_files"] = picks(wrong)
        await app.tap("import-collection")
        await app.until(lambda: "This is no exported collection" in app.text())
        assert await collections() == []
        assert not app.shows("transfer")


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("My documents", "My documents.daikb"),
        ("قراردادها", "قراردادها.daikb"),
        ("a/b: c?", "a-b- c-.daikb"),
        ("...", "collection.daikb"),
    ],
)
def test_a_file_is_named_after_its_collection(name, file):
    assert file_name(name) == file


async def test_a_collection_follows_a_folder_and_tells_what_is_wrong_with_it(open_app, tmp_path):
    folder = tmp_path / "papers"
    folder.mkdir()
    os.utime(write_policy(folder), (1_000_000_000, 1_000_000_000))
    async with open_app() as app:
        app.page.platform = ft.PagePlatform.LINUX
        await app.go(1)
        await app.tap("new-collection")
        await app.enter("dialog-name", "Work")
        await app.tap("dialog-confirm")
        await app.until(lambda: app.shows("collection-1") and not app.open_dialogs())
        app.client.answers["get_directory_path"] = str(folder)
        await app.choose("collection-menu", "Follow a folder")
        await app.until(lambda: app.shows("folder-1"))
        knowledge = (await services()).knowledge
        await asyncio.to_thread(knowledge.look_at_folders)
        await app.until(lambda: "followed, 1 file" in app.text("folder-state-1"))
        await app.until(lambda: "policy.md" in app.text())
        folder.rename(tmp_path / "elsewhere")
        await asyncio.to_thread(knowledge.look_at_folders)
        await app.until(lambda: "is not there" in app.text("folder-state-1"))
        assert "policy.md" in app.text()
        await app.tap("unwatch-1")
        await app.until(lambda: not app.shows("folder-1"))
        assert "policy.md" in app.text()


async def test_folders_are_followed_only_where_they_can_be_chosen(open_app, tmp_path):
    async with open_app(web=True) as app:
        await app.go(1)
        await app.tap("new-collection")
        await app.enter("dialog-name", "Work")
        await app.tap("dialog-confirm")
        await app.until(lambda: app.shows("collection-1") and not app.open_dialogs())
        assert "Follow a folder" not in app.text("collection-menu")
