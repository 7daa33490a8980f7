"""A document goes into another collection as it is: nothing is read or embedded again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.errors import CollectionMissing, DocumentDeleted, DocumentThereAlready
from rag.knowledge import KnowledgeBase
from rag.model import DocumentState
from tests.app.ui.word_embedder import WordEmbedder

BOILER = "The boiler in the cellar must be vented every October. Open the red valve slowly.\n"
QUESTION = "When must the boiler in the cellar be vented?"


@pytest.fixture(params=["numpy", pytest.param("sqlite-vec", marks=pytest.mark.desktop("needs sqlite-vec"))])
def knowledge(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[KnowledgeBase]:
    opened = KnowledgeBase(tmp_path / "knowledge.db", WordEmbedder, vectors=request.param)
    opened.start()
    yield opened
    opened.close()


def written(folder: Path, name: str = "boiler.txt") -> Path:
    path = folder / name
    path.write_text(BOILER, encoding="utf-8")
    return path


def similarities(knowledge: KnowledgeBase, collection: int) -> list[float]:
    return [round(found.similarity, 5) for found in knowledge.search(QUESTION, [collection]).passages]


def test_a_moved_document_is_found_in_its_new_collection_only(knowledge, tmp_path):
    house, work = knowledge.create_collection("House"), knowledge.create_collection("Work")
    document = knowledge.add(house.id, written(tmp_path))
    assert knowledge.wait_until_idle(30)
    before = similarities(knowledge, house.id)
    assert before[0] > 0.25
    knowledge.move_document(document.id, work.id)
    assert similarities(knowledge, house.id) == []
    assert similarities(knowledge, work.id) == before
    assert knowledge.document(document.id).collection_id == work.id
    sizes = {it.name: (it.documents, it.passages, it.bytes) for it in knowledge.collections()}
    assert sizes == {"House": (0, 0, 0), "Work": (1, 1, len(BOILER))}
    knowledge.move_document(document.id, house.id)
    assert similarities(knowledge, house.id) == before


def test_a_passage_keeps_its_number_so_that_old_citations_open_it(knowledge, tmp_path):
    house, work = knowledge.create_collection("House"), knowledge.create_collection("Work")
    document = knowledge.add(house.id, written(tmp_path))
    assert knowledge.wait_until_idle(30)
    passages = knowledge.passages(document.id)
    knowledge.move_document(document.id, work.id)
    assert knowledge.passages(document.id) == passages


def test_a_document_that_is_moved_while_it_is_read_arrives_in_the_new_collection(tmp_path):
    begun, go_on = threading.Event(), threading.Event()

    class Waiting(WordEmbedder):
        def embed_passages(self, texts):
            begun.set()
            assert go_on.wait(30)
            return super().embed_passages(texts)

    knowledge = KnowledgeBase(tmp_path / "knowledge.db", Waiting, vectors="numpy")
    try:
        knowledge.start()
        house, work = knowledge.create_collection("House"), knowledge.create_collection("Work")
        document = knowledge.add(house.id, written(tmp_path))
        assert begun.wait(30)
        knowledge.move_document(document.id, work.id)
        go_on.set()
        assert knowledge.wait_until_idle(30)
        assert knowledge.document(document.id).state is DocumentState.READY
        assert similarities(knowledge, house.id) == []
        assert similarities(knowledge, work.id) != []
    finally:
        go_on.set()
        knowledge.close()


def test_a_document_that_is_there_already_is_not_doubled(knowledge, tmp_path):
    house, work = knowledge.create_collection("House"), knowledge.create_collection("Work")
    document = knowledge.add(house.id, written(tmp_path))
    knowledge.add(work.id, written(tmp_path, "copy.txt"))
    with pytest.raises(DocumentThereAlready) as refused:
        knowledge.move_document(document.id, work.id)
    assert (refused.value.name, refused.value.collection) == ("boiler.txt", "Work")
    assert knowledge.document(document.id).collection_id == house.id
    knowledge.move_document(document.id, house.id)  # where it is: nothing happens


def test_what_was_deleted_meanwhile_is_named(knowledge, tmp_path):
    house, work = knowledge.create_collection("House"), knowledge.create_collection("Work")
    document = knowledge.add(house.id, written(tmp_path))
    knowledge.delete_collection(work.id)
    with pytest.raises(CollectionMissing):
        knowledge.move_document(document.id, work.id)
    knowledge.delete_document(document.id)
    with pytest.raises(DocumentDeleted):
        knowledge.move_document(document.id, house.id)
