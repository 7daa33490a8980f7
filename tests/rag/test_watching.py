"""Documents follow the files of a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.errors import CollectionMissing, WatchedFolderMissing
from rag.knowledge import KnowledgeBase
from rag.model import DocumentState, WatchedFolder
from rag.watching.scanning import Seen, compare, look
from tests.app.ui.word_embedder import WordEmbedder

LONG_AGO = 1_000_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "watched"
    path.mkdir()
    return path


@pytest.fixture
def knowledge(tmp_path: Path) -> Iterator[KnowledgeBase]:
    opened = KnowledgeBase(tmp_path / "knowledge.db", WordEmbedder, vectors="numpy")
    opened._indexer.start()  # the watcher's own thread would look at moments that no test can know
    opened.create_collection("House")
    yield opened
    opened.close()


def write(path: Path, text: str, when: int = LONG_AGO) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    os.utime(path, (when, when))
    return path


def watched(knowledge: KnowledgeBase, folder: Path) -> WatchedFolder:
    return knowledge.watch(knowledge.collections()[0].id, folder)


def after_a_look(knowledge: KnowledgeBase) -> dict[str, DocumentState]:
    knowledge.look_at_folders()
    assert knowledge.wait_until_idle(60)
    return {it.title: it.state for it in knowledge.documents(knowledge.collections()[0].id)}


def passages(knowledge: KnowledgeBase) -> list[str]:
    documents = knowledge.documents(knowledge.collections()[0].id)
    return [it.text for document in documents for it in knowledge.passages(document.id)]


def test_the_files_of_a_folder_become_documents(knowledge: KnowledgeBase, folder: Path) -> None:
    write(folder / "boiler.txt", "Vent it in October.")
    write(folder / "deep" / "er" / "بخاری.md", "بخاری را روشن کنید.")
    write(folder / ".hidden" / "secret.txt", "Secret.")
    write(folder / "song.mp3", "la la")
    watched(knowledge, folder)
    assert after_a_look(knowledge) == {
        "boiler.txt": DocumentState.READY,
        "بخاری.md": DocumentState.READY,
    }
    [found] = knowledge.watched()
    assert (found.files, found.error) == (2, None)


def test_a_new_file_is_added_and_nothing_else_is_read_again(knowledge: KnowledgeBase, folder: Path) -> None:
    write(folder / "a.txt", "First.")
    watched(knowledge, folder)
    after_a_look(knowledge)
    before = knowledge.documents(1)
    write(folder / "b.txt", "Second.")
    assert set(after_a_look(knowledge)) == {"a.txt", "b.txt"}
    assert knowledge.documents(1)[:1] == before


def test_a_changed_file_is_read_again_as_the_same_document(knowledge: KnowledgeBase, folder: Path) -> None:
    file = write(folder / "a.txt", "Old words.")
    watched(knowledge, folder)
    after_a_look(knowledge)
    [before] = knowledge.documents(1)
    write(file, "New words.", LONG_AGO + 5)
    after_a_look(knowledge)
    [after] = knowledge.documents(1)
    assert (after.id, after.fetched_at) == (before.id, None)
    assert passages(knowledge) == ["New words."]
    assert file.exists()


def test_a_renamed_file_keeps_its_document_and_its_passages(knowledge: KnowledgeBase, folder: Path) -> None:
    file = write(folder / "a.txt", "Words.")
    watched(knowledge, folder)
    after_a_look(knowledge)
    [found] = knowledge.search("words", [1]).passages
    file.rename(folder / "b.txt")
    assert list(after_a_look(knowledge)) == ["b.txt"]
    assert knowledge.passage(found.passage.id).document_title == "b.txt"


def test_a_renamed_folder_keeps_its_documents(knowledge: KnowledgeBase, folder: Path) -> None:
    write(folder / "old" / "a.txt", "Words.")
    watched(knowledge, folder)
    after_a_look(knowledge)
    [before] = knowledge.documents(1)
    (folder / "old").rename(folder / "new")
    after_a_look(knowledge)
    [after] = knowledge.documents(1)
    assert (after.id, after.source) == (before.id, str(folder / "new" / "a.txt"))


def test_the_document_of_a_deleted_file_goes(knowledge: KnowledgeBase, folder: Path) -> None:
    write(folder / "a.txt", "First.")
    gone = write(folder / "b.txt", "Second.")
    watched(knowledge, folder)
    after_a_look(knowledge)
    gone.unlink()
    assert list(after_a_look(knowledge)) == ["a.txt"]


def test_two_files_of_the_same_content_are_one_document_until_one_changes(
    knowledge: KnowledgeBase, folder: Path
) -> None:
    write(folder / "a.txt", "Same.")
    double = write(folder / "b.txt", "Same.")
    watched(knowledge, folder)
    assert list(after_a_look(knowledge)) == ["a.txt"]
    write(double, "Other.", LONG_AGO + 5)
    assert set(after_a_look(knowledge)) == {"a.txt", "b.txt"}
    double.unlink()
    assert list(after_a_look(knowledge)) == ["a.txt"]


def test_a_document_that_the_user_deletes_does_not_come_back(knowledge: KnowledgeBase, folder: Path) -> None:
    file = write(folder / "a.txt", "First.")
    watched(knowledge, folder)
    after_a_look(knowledge)
    knowledge.delete_document(1)
    assert after_a_look(knowledge) == {}
    write(file, "Changed.", LONG_AGO + 5)
    assert after_a_look(knowledge) == {}


def test_a_file_that_is_bad_does_not_stop_the_others(knowledge: KnowledgeBase, folder: Path) -> None:
    write(folder / "a.pdf", "no PDF at all")
    write(folder / "b.txt", "Words.")
    write(folder / "empty.txt", "")
    watched(knowledge, folder)
    states = after_a_look(knowledge)
    assert states["b.txt"] is DocumentState.READY
    assert states["empty.txt"] is DocumentState.FAILED


def test_documents_stay_when_the_disk_of_their_folder_is_gone(
    knowledge: KnowledgeBase, folder: Path, tmp_path: Path
) -> None:
    write(folder / "a.txt", "Words.")
    watched(knowledge, folder)
    after_a_look(knowledge)
    told: list[bool] = []
    end = knowledge.subscribe_folders(lambda: told.append(True))
    folder.rename(tmp_path / "elsewhere")
    assert list(after_a_look(knowledge)) == ["a.txt"]
    assert knowledge.watched()[0].error == "WatchedFolderMissing"
    folder.mkdir()  # the empty place where a disk is usually found
    assert list(after_a_look(knowledge)) == ["a.txt"]
    assert knowledge.watched()[0].error == "WatchedFolderEmpty"
    folder.rmdir()
    (tmp_path / "elsewhere").rename(folder)
    assert list(after_a_look(knowledge)) == ["a.txt"]
    assert knowledge.watched()[0].error is None
    assert len(told) == 3
    end()


def test_a_folder_that_is_not_followed_any_more_leaves_its_documents(
    knowledge: KnowledgeBase, folder: Path
) -> None:
    write(folder / "a.txt", "Words.")
    number = watched(knowledge, folder).id
    after_a_look(knowledge)
    knowledge.unwatch(number)
    write(folder / "b.txt", "More.")
    assert list(after_a_look(knowledge)) == ["a.txt"]


def test_a_folder_is_watched_once(knowledge: KnowledgeBase, folder: Path) -> None:
    assert watched(knowledge, folder) == watched(knowledge, folder)


def test_only_folders_and_collections_that_are_there_can_be_watched(
    knowledge: KnowledgeBase, folder: Path
) -> None:
    with pytest.raises(WatchedFolderMissing):
        watched(knowledge, folder / "nowhere")
    with pytest.raises(CollectionMissing):
        knowledge.watch(99, folder)


def test_a_deleted_collection_follows_nothing(knowledge: KnowledgeBase, folder: Path) -> None:
    write(folder / "a.txt", "Words.")
    watched(knowledge, folder)
    after_a_look(knowledge)
    knowledge.delete_collection(1)
    knowledge.look_at_folders()
    assert knowledge.watched() == []


def test_the_app_follows_folders_by_itself(tmp_path: Path, folder: Path) -> None:
    write(folder / "a.txt", "Words.")
    opened = KnowledgeBase(tmp_path / "other.db", WordEmbedder, vectors="numpy")
    try:
        watched_by = opened.create_collection("House")
        opened.watch(watched_by.id, folder)
        opened.look_at_folders()
        opened.start()
        assert opened.wait_until_idle(60)
        assert [it.title for it in opened.documents(watched_by.id)] == ["a.txt"]
    finally:
        opened.close()


def test_a_file_that_is_being_written_waits_for_the_next_look(folder: Path) -> None:
    file = write(folder / "a.txt", "Half a")
    seen = look(folder, {".txt"}, now=LONG_AGO + 1)
    assert (seen.files, seen.growing) == ({}, {str(file)})
    assert list(look(folder, {".txt"}, now=LONG_AGO + 3).files) == [str(file)]


def test_links_are_not_followed(folder: Path) -> None:
    write(folder / "a.txt", "Words.")
    try:
        (folder / "circle").symlink_to(folder, target_is_directory=True)
    except OSError:
        pytest.skip("no links here")
    assert list(look(folder, {".txt"}, now=0).files) == [str(folder / "a.txt")]


def test_nothing_is_gone_from_a_folder_that_cannot_be_read() -> None:
    inside = str(Path("disk") / "locked" / "a.txt")
    seen = Seen(files={}, unreadable=[str(Path("disk") / "locked")])
    assert compare({inside: "1.1.1"}, seen) == ((), (), (), ())
    assert compare({inside: "1.1.1"}, Seen()).gone == (inside,)


def test_nothing_is_gone_from_a_folder_too_large_to_be_read_to_its_end() -> None:
    assert compare({"a": "1.1.1"}, Seen(complete=False)).gone == ()


def test_systems_without_numbers_of_files_know_no_renaming() -> None:
    changes = compare({"a": "1.1.0"}, Seen(files={"b": "1.1.0"}))
    assert (changes.added, changes.renamed, changes.gone) == (("b",), (), ("a",))
