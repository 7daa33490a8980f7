"""A collection goes into one file and comes out of it whole, on any device; hostile files bring nothing."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from engines.embedders.identity import EmbedderIdentity
from rag.errors import CollectionFileDamaged, CollectionFileError, CollectionFileTooNew, CollectionFileUnsafe
from rag.knowledge import KnowledgeBase
from rag.model import DocumentState
from tests.app.ui.word_embedder import WordEmbedder

BOILER = "The boiler in the cellar must be vented every October. Open the red valve slowly.\n"
PERSIAN = "کتاب‌های کتابخانهٔ مرکزی در سال ۱۴۰۲ فهرست شدند. نشانی آن خیابان انقلاب است.\n"
QUESTION = "When must the boiler in the cellar be vented?"


class Counting(WordEmbedder):
    """Tells how many passages it was given."""

    def __init__(self) -> None:
        self.passages = 0

    def embed_passages(self, texts):
        self.passages += len(texts)
        return super().embed_passages(texts)


class Other(Counting):
    identity = EmbedderIdentity("other words", 256, "none")


def opened(path: Path, embedder: WordEmbedder) -> KnowledgeBase:
    knowledge = KnowledgeBase(path, lambda: embedder, vectors="numpy")
    knowledge.start()
    return knowledge


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    knowledge = opened(tmp_path / "first.db", Counting())
    house = knowledge.create_collection("House")
    for name, text in (("boiler.txt", BOILER), ("کتاب.txt", PERSIAN)):
        (tmp_path / name).write_text(text, encoding="utf-8")
        knowledge.add(house.id, tmp_path / name)
    assert knowledge.wait_until_idle(30)
    knowledge.export_collection(house.id, tmp_path / "house.daikb")
    knowledge.close()
    return tmp_path / "house.daikb"


@pytest.fixture
def embedder() -> Counting:
    return Counting()


@pytest.fixture
def second(tmp_path: Path, embedder: Counting) -> Iterator[KnowledgeBase]:
    knowledge = opened(tmp_path / "second.db", embedder)
    yield knowledge
    knowledge.close()


def rewritten(source: Path, target: Path, **members: bytes | None) -> Path:
    """The same archive with other members; None leaves one out."""
    names = {"header": "collection.json", "passages": "passages.jsonl", "vectors": "vectors.f32"}
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as changed:
        for key, name in names.items():
            content = members.get(key, archive.read(name))
            if content is not None:
                changed.writestr(name, content)
    return target


def header(source: Path, **values: object) -> bytes:
    with zipfile.ZipFile(source) as archive:
        return json.dumps(json.loads(archive.read("collection.json")) | values).encode()


def test_where_the_embedder_is_the_same_nothing_is_embedded_again(exported, second, embedder):
    imported = second.import_collection(exported)
    assert second.wait_until_idle(30)
    assert (imported.name, len(imported.document_ids), imported.known) == ("House", 2, 0)
    assert embedder.passages == 0
    documents = second.documents(imported.collection_id)
    assert [(it.title, it.state, it.passages) for it in documents] == [
        ("boiler.txt", DocumentState.READY, 1),
        ("کتاب.txt", DocumentState.READY, 1),
    ]
    [found] = second.search(QUESTION, [imported.collection_id]).passages
    assert found.passage.text == BOILER.strip()
    assert found.similarity > 0.25


def test_all_vectors_of_a_passage_of_several_parts_travel(second, embedder, tmp_path):
    first = opened(tmp_path / "long.db", Counting())
    house = first.create_collection("House")
    text = "".join(f"Boiler number {number} hums in cellar {number + 7}. " for number in range(17))
    (tmp_path / "long.txt").write_text(text, encoding="utf-8")
    first.add(house.id, tmp_path / "long.txt")
    assert first.wait_until_idle(30)
    first.export_collection(house.id, tmp_path / "long.daikb")
    expected = first.search(QUESTION, [house.id]).passages
    first.close()
    with zipfile.ZipFile(tmp_path / "long.daikb") as archive:
        vectors = archive.read("vectors.f32")
        counts = [json.loads(line)["vectors"] for line in archive.read("passages.jsonl").splitlines()]
    assert max(counts) > 1
    imported = second.import_collection(tmp_path / "long.daikb")
    assert second.wait_until_idle(30)
    assert embedder.passages == 0
    found = second.search(QUESTION, [imported.collection_id]).passages
    assert [(it.passage.text, it.similarity) for it in found] == [
        (it.passage.text, pytest.approx(it.similarity)) for it in expected
    ]
    more = rewritten(tmp_path / "long.daikb", tmp_path / "more.daikb", vectors=vectors + vectors)
    with pytest.raises(CollectionFileDamaged):
        second.import_collection(more, "More")


def test_a_file_of_version_1_has_a_vector_for_each_passage(exported, second, tmp_path):
    with zipfile.ZipFile(exported) as archive:
        lines = [json.loads(line) for line in archive.read("passages.jsonl").splitlines()]
    old = "".join(json.dumps({"text": line["text"]}) + "\n" for line in lines).encode()
    file = rewritten(exported, tmp_path / "old.daikb", passages=old, header=header(exported, version=1))
    imported = second.import_collection(file)
    assert second.wait_until_idle(30)
    assert second.search(QUESTION, [imported.collection_id]).passages


def test_another_embedder_makes_its_own_vectors(exported, tmp_path):
    other = Other()
    knowledge = opened(tmp_path / "other.db", other)
    try:
        imported = knowledge.import_collection(exported)
        assert knowledge.wait_until_idle(30)
        assert other.passages == 2
        assert knowledge.search(QUESTION, [imported.collection_id]).passages[0].similarity > 0.25
    finally:
        knowledge.close()


def test_documents_that_are_there_already_are_recognised(exported, second):
    first = second.import_collection(exported)
    again = second.import_collection(exported)
    assert (again.collection_id, again.document_ids, again.known) == (first.collection_id, (), 2)
    elsewhere = second.import_collection(exported, "Copy")
    assert (elsewhere.name, len(elsewhere.document_ids)) == ("Copy", 2)


def test_what_is_exported_again_is_the_same(exported, second, tmp_path):
    imported = second.import_collection(exported)
    assert second.wait_until_idle(30)
    second.export_collection(imported.collection_id, tmp_path / "again.daikb")
    with zipfile.ZipFile(exported) as one, zipfile.ZipFile(tmp_path / "again.daikb") as two:
        assert [one.read(name) for name in sorted(one.namelist())] == [
            two.read(name) for name in sorted(two.namelist())
        ]


def test_an_empty_collection_can_be_exported_and_imported(second, tmp_path):
    empty = second.create_collection("Empty")
    second.export_collection(empty.id, tmp_path / "empty.daikb")
    assert second.import_collection(tmp_path / "empty.daikb", "Other").document_ids == ()


def test_who_gives_up_leaves_nothing_behind(exported, second, tmp_path):
    def give_up(done: int, total: int) -> None:
        if done == total:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        second.import_collection(exported, progress=give_up)
    assert second.collections() == []
    imported = second.import_collection(exported)
    assert second.wait_until_idle(30)
    with pytest.raises(InterruptedError):
        second.export_collection(imported.collection_id, tmp_path / "new.daikb", give_up)
    assert not [file.name for file in tmp_path.iterdir() if "new.daikb" in file.name]


def test_an_export_that_fails_leaves_the_file_before_it(exported, second, tmp_path):
    target = tmp_path / "kept.daikb"
    target.write_bytes(b"before")

    def fail(done: int, total: int) -> None:
        raise InterruptedError

    imported = second.import_collection(exported)
    with pytest.raises(InterruptedError):
        second.export_collection(imported.collection_id, target, fail)
    assert target.read_bytes() == b"before"


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_off_brings_nothing(exported, second, tmp_path, share):
    content = exported.read_bytes()
    cut = tmp_path / "cut.daikb"
    cut.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(CollectionFileDamaged):
        second.import_collection(cut)
    assert second.collections() == []


def test_a_file_with_a_changed_byte_is_refused_or_brings_what_was_exported(exported, second, tmp_path):
    content = exported.read_bytes()
    changed = tmp_path / "changed.daikb"
    for place in range(0, len(content), 7):
        changed.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        try:
            imported = second.import_collection(changed)
        except CollectionFileError:
            continue
        assert imported.name == "House"
        second.delete_collection(imported.collection_id)


@pytest.mark.parametrize(
    "members",
    [
        {"header": b"[]"},
        {"header": b"not JSON"},
        {"header": b"[" * 100_000},
        {"header": None},
        {"passages": None},
        {"vectors": None},
        {"passages": b""},
        {"passages": b'{"text": "a"}\n'},
        {"passages": b'{"text": "a"}\n' * 3},
        {"passages": b'{"text": 1}\n' * 2},
        {"passages": b'{"text": " "}\n' * 2},
        {"passages": b'{"text": "a", "page": 99999999999999999999}\n' * 2},
        {"passages": b'{"text": "' + b"a" * 300_000 + b'"}\n' * 2},
        {"vectors": b"\x00" * 2048},
        {"vectors": b"\xff" * 2048},
        {"vectors": b"\x00" * 100},
    ],
    ids=range(16),
)
def test_wrong_contents_bring_nothing(exported, second, tmp_path, members):
    wrong = rewritten(exported, tmp_path / "wrong.daikb", **members)
    with pytest.raises(CollectionFileDamaged):
        second.import_collection(wrong)
    assert second.collections() == []


@pytest.mark.parametrize(
    "values",
    [
        {"documents": [{"title": "", "bytes": 1, "added_at": 1, "passages": 2}]},
        {"documents": [{"title": "a", "bytes": 1, "added_at": 1, "passages": -2}]},
        {"documents": [{"title": "a", "bytes": 10**30, "added_at": 1, "passages": 2}]},
        {"documents": [{"title": "a", "bytes": 1, "added_at": 1e300, "passages": 2}]},
        {"documents": [{"title": "a", "bytes": 1, "added_at": 1, "passages": 2, "source": "/etc/passwd"}]},
        {"embedder": "words none"},
        {"embedder": "words 99999999999 none"},
        {"embedder": None},
        {"version": "1"},
        {"format": "zip"},
        {"more": True},
    ],
    ids=range(11),
)
def test_a_header_that_cannot_be_brings_nothing(exported, second, tmp_path, values):
    wrong = rewritten(exported, tmp_path / "wrong.daikb", header=header(exported, **values))
    with pytest.raises(CollectionFileDamaged):
        second.import_collection(wrong)
    assert second.collections() == []


def test_an_address_that_is_no_page_is_refused(exported, second, tmp_path):
    documents = [{"title": "a", "bytes": 1, "added_at": 1, "passages": 2, "address": "file:///etc/passwd"}]
    wrong = rewritten(exported, tmp_path / "wrong.daikb", header=header(exported, documents=documents))
    with pytest.raises(CollectionFileUnsafe):
        second.import_collection(wrong)


@pytest.mark.parametrize("name", ["../../evil.txt", "/etc/passwd", "collection.json"])
def test_members_that_do_not_belong_there_are_refused(exported, second, tmp_path, name):
    twice = pytest.warns(UserWarning, match="Duplicate") if name == "collection.json" else nullcontext()
    with zipfile.ZipFile(exported, "a") as archive, twice:
        archive.writestr(name, b"x")
    with pytest.raises(CollectionFileUnsafe):
        second.import_collection(exported)
    assert second.collections() == []


def test_a_bomb_is_refused_before_it_unfolds(exported, second, tmp_path):
    bomb = rewritten(exported, tmp_path / "bomb.daikb", passages=b"\n" * (65 << 20))
    assert bomb.stat().st_size < 200_000
    with pytest.raises(CollectionFileUnsafe):
        second.import_collection(bomb)


def test_a_newer_version_is_named_as_such(exported, second, tmp_path):
    newer = rewritten(exported, tmp_path / "new.daikb", header=header(exported, version=3, colour="red"))
    with pytest.raises(CollectionFileTooNew):
        second.import_collection(newer)


def test_a_missing_file_is_an_error_of_the_system(second, tmp_path):
    with pytest.raises(FileNotFoundError):
        second.import_collection(tmp_path / "none.daikb")
