"""A document that has changed is indexed anew, and can be found all the while."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from rag.database import open_database
from rag.errors import DocumentDeleted
from rag.knowledge import KnowledgeBase
from rag.model import Document, DocumentState
from rag.schema import MIGRATIONS
from tests.rag.test_indexing import Counting, base, house, only_document

OLD = "The boiler must be vented every October. Open the red valve slowly.\n"
NEW = "The boiler must be vented every March. Open the blue valve slowly.\n"
ADDRESS = "https://example.org/boiler"


def upload(folder: Path, text: str, name: str = "upload.html") -> Path:
    path = folder / name
    path.write_text(f"<html><body><p>{text}</p></body></html>", encoding="utf-8")
    return path


def fetched(knowledge: KnowledgeBase, folder: Path) -> Document:
    document = knowledge.add(
        house(knowledge), upload(folder, OLD), name="Boilers", owned=True, address=ADDRESS
    )
    assert knowledge.wait_until_idle(30)
    return knowledge.document(document.id)


def found(knowledge: KnowledgeBase, question: str) -> list[str]:
    return [item.passage.text for item in knowledge.search(question, [house(knowledge)]).passages]


def test_a_page_keeps_where_and_when_it_was_fetched(tmp_path: Path) -> None:
    knowledge = base(tmp_path)
    knowledge.start()
    document = fetched(knowledge, tmp_path)
    assert (document.title, document.address, document.state) == ("Boilers", ADDRESS, DocumentState.READY)
    assert document.fetched_at is not None
    assert not (tmp_path / "upload.html").exists()
    knowledge.close()


def test_a_title_that_looks_like_a_file_name_does_not_decide_how_a_page_is_read(tmp_path: Path) -> None:
    knowledge = base(tmp_path)
    knowledge.start()
    path = upload(tmp_path, OLD)
    knowledge.add(house(knowledge), path, name="How to write main.py", owned=True, address=ADDRESS)
    assert knowledge.wait_until_idle(30)
    assert found(knowledge, "boiler") == [OLD.strip()]
    knowledge.close()


def test_new_content_takes_the_place_of_the_old(tmp_path: Path) -> None:
    knowledge = base(tmp_path)
    knowledge.start()
    document = fetched(knowledge, tmp_path)
    knowledge.replace(document.id, upload(tmp_path, NEW), "Boilers today")
    assert knowledge.wait_until_idle(30)
    assert found(knowledge, "When is the boiler vented?") == [NEW.strip()]
    replaced = only_document(knowledge)
    assert (replaced.id, replaced.title, replaced.passages) == (document.id, "Boilers today", 1)
    assert replaced.fetched_at is not None
    assert document.fetched_at is not None
    assert replaced.fetched_at > document.fetched_at
    knowledge.close()


def test_the_same_content_is_not_indexed_again(tmp_path: Path) -> None:
    embedder = Counting()
    knowledge = base(tmp_path, lambda: embedder)
    knowledge.start()
    document = fetched(knowledge, tmp_path)
    again = knowledge.replace(document.id, upload(tmp_path, OLD, "again.html"), "Boilers")
    assert again.state is DocumentState.READY
    assert len(embedder.texts) == 1
    assert not (tmp_path / "again.html").exists()
    knowledge.close()


def test_the_old_passages_are_found_until_the_new_ones_are_ready(tmp_path: Path) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def pause(batch: int) -> None:
        if batch == 2:
            reached.set()
            assert go_on.wait(30)

    knowledge = base(tmp_path, lambda: Counting(pause))
    knowledge.start()
    document = fetched(knowledge, tmp_path)
    knowledge.replace(document.id, upload(tmp_path, NEW), "Boilers")
    assert reached.wait(30)
    assert found(knowledge, "boiler vented") == [OLD.strip()]
    go_on.set()
    assert knowledge.wait_until_idle(30)
    assert found(knowledge, "boiler vented") == [NEW.strip()]
    knowledge.close()


def test_a_cancelled_replacement_leaves_the_document_as_it_was(tmp_path: Path) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def pause(batch: int) -> None:
        if batch == 2:
            reached.set()
            assert go_on.wait(30)

    knowledge = base(tmp_path, lambda: Counting(pause))
    knowledge.start()
    document = fetched(knowledge, tmp_path)
    knowledge.replace(document.id, upload(tmp_path, NEW), "Boilers")
    assert reached.wait(30)
    knowledge.cancel(document.id)
    go_on.set()
    assert knowledge.wait_until_idle(30)
    assert only_document(knowledge).state is DocumentState.READY
    assert found(knowledge, "boiler vented") == [OLD.strip()]
    assert not (tmp_path / "upload.html").exists()
    knowledge.close()


def test_a_replacement_that_is_replaced_meanwhile_gives_way(tmp_path: Path) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def pause(batch: int) -> None:
        if batch == 2:
            reached.set()
            assert go_on.wait(30)

    knowledge = base(tmp_path, lambda: Counting(pause))
    knowledge.start()
    document = fetched(knowledge, tmp_path)
    knowledge.replace(document.id, upload(tmp_path, "Nobody should see this.", "second.html"), "Boilers")
    assert reached.wait(30)
    knowledge.replace(document.id, upload(tmp_path, NEW, "third.html"), "Boilers")
    go_on.set()
    assert knowledge.wait_until_idle(30)
    assert found(knowledge, "boiler vented") == [NEW.strip()]
    assert only_document(knowledge).state is DocumentState.READY
    knowledge.close()


def test_a_deleted_document_is_not_replaced(tmp_path: Path) -> None:
    knowledge = base(tmp_path)
    with pytest.raises(DocumentDeleted):
        knowledge.replace(7, upload(tmp_path, NEW), "Boilers")
    knowledge.close()


def test_documents_of_the_version_before_are_kept(tmp_path: Path) -> None:
    connection = open_database(tmp_path / "knowledge.db", MIGRATIONS[:1])
    connection.execute("INSERT INTO collections(name, folded_name) VALUES ('House', 'house')")
    connection.execute(
        """INSERT INTO documents(collection_id, title, source, owned, bytes, state, added_at)
        VALUES (1, 'a.txt', 'a.txt', 0, 7, 'ready', 0)"""
    )
    connection.close()
    knowledge = base(tmp_path)
    document = only_document(knowledge)
    assert (document.title, document.address, document.fetched_at) == ("a.txt", None, None)
    knowledge.close()
