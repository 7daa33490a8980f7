"""The knowledge base: documents become passages that are found again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from rag.errors import CollectionExists, CollectionNameEmpty, DocumentDeleted, PassageMissing
from rag.knowledge import KnowledgeBase
from rag.model import DocumentState, IndexingProgress, SearchWay
from tests.app.ui.word_embedder import WordEmbedder

BOILER = "The boiler in the cellar must be vented every October. Open the red valve slowly.\n"
BIKE = "The bicycle chain needs oil after each ride in the rain. Code 4711 opens the lock.\n"
PERSIAN = "کتاب‌های کتابخانهٔ مرکزی در سال ۱۴۰۲ فهرست شدند. نشانی آن خیابان انقلاب است.\n"


class OtherEmbedder(WordEmbedder):
    """The same vectors under another name."""

    from engines.embedders.identity import EmbedderIdentity

    identity = EmbedderIdentity("other words", 256, "none")


@pytest.fixture(params=["numpy", pytest.param("sqlite-vec", marks=pytest.mark.desktop("needs sqlite-vec"))])
def knowledge(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[KnowledgeBase]:
    opened = KnowledgeBase(tmp_path / "knowledge.db", WordEmbedder, vectors=request.param)
    opened.start()
    yield opened
    opened.close()


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def indexed(knowledge: KnowledgeBase, *paths: Path) -> int:
    collection = knowledge.create_collection("House")
    for path in paths:
        knowledge.add(collection.id, path)
    assert knowledge.wait_until_idle(30)
    return collection.id


def test_a_question_finds_the_passage_that_answers_it(knowledge: KnowledgeBase, tmp_path: Path) -> None:
    house = indexed(
        knowledge, written(tmp_path, "boiler.txt", BOILER), written(tmp_path, "bike.md", "# Bike\n\n" + BIKE)
    )
    result = knowledge.search("When must the boiler in the cellar be vented?", [house])
    assert result.searched == 2
    assert result.passages[0].passage.document_title == "boiler.txt"
    assert "red valve" in result.passages[0].passage.text


def test_a_number_is_found_though_no_vector_knows_it(knowledge: KnowledgeBase, tmp_path: Path) -> None:
    house = indexed(knowledge, written(tmp_path, "boiler.txt", BOILER), written(tmp_path, "bike.txt", BIKE))
    found = knowledge.search("4711", [house]).passages
    assert [item.passage.document_title for item in found] == ["bike.txt"]


def test_persian_is_found_in_other_spellings(knowledge: KnowledgeBase, tmp_path: Path) -> None:
    library = indexed(knowledge, written(tmp_path, "کتابخانه 📚.txt", PERSIAN))
    for query in ("كتابهاي 1402", "کتاب ها", "کتاب‌های ۱۴۰۲"):
        assert knowledge.search(query, [library]).passages, query


def test_a_question_about_something_else_finds_nothing(knowledge: KnowledgeBase, tmp_path: Path) -> None:
    house = indexed(knowledge, written(tmp_path, "boiler.txt", BOILER))
    result = knowledge.search("Who composed the ninth symphony?", [house])
    assert result.searched == 1
    assert result.passages == ()


def test_only_the_collections_asked_are_searched(knowledge: KnowledgeBase, tmp_path: Path) -> None:
    indexed(knowledge, written(tmp_path, "boiler.txt", BOILER))
    other = knowledge.create_collection("Garage")
    assert knowledge.search("boiler cellar", [other.id]).searched == 0


def test_only_the_documents_asked_are_searched(knowledge: KnowledgeBase, tmp_path: Path) -> None:
    papers = [written(tmp_path, name, text) for name, text in (("boiler.txt", BOILER), ("bike.txt", BIKE))]
    house = indexed(knowledge, *papers)
    boiler, bike = (document.id for document in knowledge.documents(house))
    question = "When must the boiler in the cellar be vented?"
    result = knowledge.search(question, [], document_ids=[boiler])
    assert result.searched == 1
    assert [item.passage.document_id for item in result.passages] == [boiler]
    assert result.passages[0].similarity > 0
    elsewhere = knowledge.search(question, [], document_ids=[bike], refused=9)
    assert elsewhere.passages == ()
    assert [item.passage.document_id for item in elsewhere.refused] == [bike]


def test_documents_are_asked_beside_collections_and_deleted_ones_are_passed_over(
    knowledge: KnowledgeBase, tmp_path: Path
) -> None:
    house = indexed(knowledge, written(tmp_path, "boiler.txt", BOILER))
    garage = knowledge.create_collection("Garage").id
    bike = knowledge.add(garage, written(tmp_path, "bike.txt", BIKE)).id
    gone = knowledge.add(garage, written(tmp_path, "gone.txt", "The rake leans by the door.")).id
    assert knowledge.wait_until_idle(30)
    knowledge.delete_document(gone)
    assert knowledge.existing_documents([gone, bike]) == [bike]
    assert knowledge.search("4711", [house], document_ids=[gone, bike]).searched == 2
    assert knowledge.search("rake", [], document_ids=[gone]).searched == 0


def test_one_bad_file_does_not_stop_the_others(knowledge: KnowledgeBase, tmp_path: Path) -> None:
    empty = written(tmp_path, "empty.pdf", "")
    house = indexed(knowledge, empty, tmp_path / "vanished.txt", written(tmp_path, "boiler.txt", BOILER))
    states = {d.title: (d.state, d.error) for d in knowledge.documents(house)}
    assert states == {
        "empty.pdf": (DocumentState.FAILED, "EmptyDocument"),
        "vanished.txt": (DocumentState.FAILED, "DocumentMissing"),
        "boiler.txt": (DocumentState.READY, None),
    }


def test_a_failed_document_can_be_tried_again(knowledge: KnowledgeBase, tmp_path: Path) -> None:
    house = indexed(knowledge, tmp_path / "later.txt")
    written(tmp_path, "later.txt", BOILER)
    [document] = knowledge.documents(house)
    knowledge.retry(document.id)
    assert knowledge.wait_until_idle(30)
    assert knowledge.document(document.id).state is DocumentState.READY


def test_the_same_content_is_not_added_twice(knowledge: KnowledgeBase, tmp_path: Path) -> None:
    first = written(tmp_path, "boiler.txt", BOILER)
    house = indexed(knowledge, first, written(tmp_path, "copy.txt", BOILER))
    assert [document.title for document in knowledge.documents(house)] == ["boiler.txt"]


def test_an_upload_is_deleted_after_indexing_and_a_users_file_is_not(
    knowledge: KnowledgeBase, tmp_path: Path
) -> None:
    upload, mine = written(tmp_path, "upload.txt", BOILER), written(tmp_path, "mine.txt", BIKE)
    house = knowledge.create_collection("House")
    knowledge.add(house.id, upload, owned=True)
    knowledge.add(house.id, mine)
    assert knowledge.wait_until_idle(30)
    # The state turns ready before the file goes; closing waits for the indexer.
    knowledge.close()
    assert not upload.exists()
    assert mine.exists()


def test_a_deleted_document_leaves_nothing_behind(knowledge: KnowledgeBase, tmp_path: Path) -> None:
    house = indexed(knowledge, written(tmp_path, "boiler.txt", BOILER))
    [found] = knowledge.search("boiler cellar", [house]).passages
    knowledge.delete_document(found.passage.document_id)
    assert knowledge.search("boiler cellar", [house]).searched == 0
    with pytest.raises(PassageMissing):
        knowledge.passage(found.passage.id)
    with pytest.raises(DocumentDeleted):
        knowledge.document(found.passage.document_id)


def test_surroundings_come_in_reading_order(knowledge: KnowledgeBase, tmp_path: Path) -> None:
    text = "\n\n".join(f"Paragraph {n}. " + f"word{n} " * 120 for n in range(6))
    house = indexed(knowledge, written(tmp_path, "long.txt", text))
    middle = knowledge.search("word3", [house]).passages[0].passage
    positions = [passage.position for passage in knowledge.surroundings(middle.id)]
    assert positions == [middle.position - 1, middle.position, middle.position + 1]


def test_progress_is_told_from_queued_to_ready(knowledge: KnowledgeBase, tmp_path: Path) -> None:
    told: list[IndexingProgress] = []
    ready = threading.Event()

    def listen(progress: IndexingProgress) -> None:
        told.append(progress)
        if progress.state is DocumentState.READY:
            ready.set()

    knowledge.subscribe(listen)
    indexed(knowledge, written(tmp_path, "long.txt", "\n\n".join(f"Text {n} " * 90 for n in range(20))))
    assert ready.wait(10)
    done = [progress.done_passages for progress in told]
    assert done == sorted(done)
    assert told[-1].done_passages == told[-1].total_passages > 1


def test_cancelling_removes_the_document(tmp_path: Path) -> None:
    entered, release = threading.Event(), threading.Event()

    class Slow(WordEmbedder):
        def embed_passages(self, texts):
            entered.set()
            release.wait(10)
            return super().embed_passages(texts)

    knowledge = KnowledgeBase(tmp_path / "knowledge.db", Slow)
    knowledge.start()
    house = knowledge.create_collection("House")
    document = knowledge.add(house.id, written(tmp_path, "boiler.txt", BOILER))
    assert entered.wait(10)
    knowledge.cancel(document.id)
    release.set()
    knowledge.close()
    reopened = KnowledgeBase(tmp_path / "knowledge.db", WordEmbedder)
    assert reopened.documents(house.id) == []
    reopened.close()


def test_another_embedder_gets_its_own_vectors_and_words_serve_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "knowledge.db"
    first = KnowledgeBase(path, WordEmbedder)
    first.start()
    house = indexed(first, written(tmp_path, "boiler.txt", BOILER))
    first.close()

    second = KnowledgeBase(path, OtherEmbedder)
    assert second.search("boiler cellar", [house]).passages  # by its words: no vectors of this model yet
    ready = threading.Event()
    second.subscribe(lambda progress: ready.set() if progress.state is DocumentState.READY else None)
    second.start()
    assert ready.wait(30)
    [found] = second.search("boiler cellar", [house]).passages
    assert found.similarity > 0.25
    second.close()


def test_collection_names_are_unique_and_not_empty(knowledge: KnowledgeBase) -> None:
    knowledge.create_collection("  My   house ")
    assert [collection.name for collection in knowledge.collections()] == ["My house"]
    with pytest.raises(CollectionExists):
        knowledge.create_collection("MY HOUSE")
    with pytest.raises(CollectionNameEmpty):
        knowledge.create_collection(" \n")


def test_the_full_text_index_is_sound_after_changes(knowledge: KnowledgeBase, tmp_path: Path) -> None:
    house = indexed(knowledge, written(tmp_path, "boiler.txt", BOILER), written(tmp_path, "bike.txt", BIKE))
    knowledge.delete_document(knowledge.documents(house)[0].id)
    connection = apsw.Connection(str(tmp_path / "knowledge.db"))
    connection.execute("INSERT INTO passage_words(passage_words) VALUES ('integrity-check')")
    assert connection.pragma("integrity_check") == "ok"
    counts = [
        connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        for table in ("passages", "vectors", "passage_words")
    ]
    assert counts == [1, 1, 1]
    connection.close()


@pytest.mark.parametrize("ranked", [(4, 8), (400, 4000)])
def test_a_small_collection_is_found_beside_a_large_one_that_has_the_same_words(
    knowledge: KnowledgeBase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ranked: tuple[int, int]
) -> None:
    monkeypatch.setattr("rag.search._RANKED", ranked)  # as if the large one were larger still
    boilers = "\n\n".join(f"Boiler {n}, valve and cellar. " + f"pipe{n} " * 100 for n in range(12))
    bikes = "\n\n".join(f"Bicycle {n} has a chain. " + f"link{n} " * 100 for n in range(12))
    indexed(knowledge, written(tmp_path, "many.txt", boilers))
    few = knowledge.create_collection("Few").id
    for name, text in (("boiler.txt", BOILER), ("bikes.txt", bikes)):
        knowledge.add(few, written(tmp_path, name, text))
    assert knowledge.wait_until_idle(60)
    [found] = knowledge.search("boiler valve cellar", [few], way=SearchWay.WORDS).passages
    assert found.passage.document_title == "boiler.txt"
    assert set(found.rare_words) == {"boiler", "valve", "cellar"}  # rare here, though not elsewhere
