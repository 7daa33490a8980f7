"""Whose questions a collection answers, and what tells it apart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.database import open_database
from rag.errors import CollectionMissing
from rag.knowledge import KnowledgeBase
from rag.model import Collection, CollectionColor, Sharing
from rag.schema import MIGRATIONS
from tests.app.ui.word_embedder import WordEmbedder

BEFORE_SHARING = 2
"""Migrations of the version that knew nothing of sharing."""


@pytest.fixture
def knowledge(tmp_path: Path) -> Iterator[KnowledgeBase]:
    opened = KnowledgeBase(tmp_path / "knowledge.db", WordEmbedder, vectors="numpy")
    yield opened
    opened.close()


def the_only(knowledge: KnowledgeBase) -> Collection:
    [collection] = knowledge.collections()
    return collection


def test_a_new_collection_is_private(knowledge: KnowledgeBase) -> None:
    assert knowledge.create_collection("House").sharing is Sharing.PRIVATE
    assert the_only(knowledge).sharing is Sharing.PRIVATE


def test_collections_of_an_earlier_version_are_private(tmp_path: Path) -> None:
    path = tmp_path / "knowledge.db"
    earlier = open_database(path, MIGRATIONS[:BEFORE_SHARING])
    earlier.execute("INSERT INTO collections(name, folded_name) VALUES ('House', 'house')")
    earlier.close()
    knowledge = KnowledgeBase(path, WordEmbedder, vectors="numpy")
    try:
        assert the_only(knowledge).sharing is Sharing.PRIVATE
        assert the_only(knowledge).color is CollectionColor.TEAL
    finally:
        knowledge.close()


@pytest.mark.parametrize("level", Sharing)
def test_a_sharing_level_is_kept(knowledge: KnowledgeBase, tmp_path: Path, level: Sharing) -> None:
    knowledge.set_sharing(knowledge.create_collection("House").id, level)
    assert the_only(knowledge).sharing is level
    again = KnowledgeBase(tmp_path / "knowledge.db", WordEmbedder, vectors="numpy")
    try:
        assert the_only(again).sharing is level
    finally:
        again.close()


def test_a_colour_is_kept_and_changes_nothing_else(knowledge: KnowledgeBase) -> None:
    house = knowledge.create_collection("House")
    knowledge.set_sharing(house.id, Sharing.CIRCLE)
    knowledge.set_color(house.id, CollectionColor.ROSE)
    assert the_only(knowledge) == Collection(
        house.id, "House", 0, 0, 0, sharing=Sharing.CIRCLE, color=CollectionColor.ROSE
    )


def test_a_deleted_collection_cannot_be_shared_or_coloured(knowledge: KnowledgeBase) -> None:
    house = knowledge.create_collection("House")
    knowledge.delete_collection(house.id)
    with pytest.raises(CollectionMissing):
        knowledge.set_sharing(house.id, Sharing.PUBLIC)
    with pytest.raises(CollectionMissing):
        knowledge.set_color(house.id, CollectionColor.BLUE)


@pytest.mark.parametrize(
    ("level", "answered"),
    [
        (Sharing.PRIVATE, {Sharing.PRIVATE}),
        (Sharing.MY_DEVICES, {Sharing.PRIVATE, Sharing.MY_DEVICES}),
        (Sharing.CIRCLE, {Sharing.PRIVATE, Sharing.MY_DEVICES, Sharing.CIRCLE}),
        (Sharing.PUBLIC, set(Sharing)),
    ],
)
def test_a_wider_level_holds_the_narrower_ones(level: Sharing, answered: set[Sharing]) -> None:
    assert {asker for asker in Sharing if level.allows(asker)} == answered


def test_a_collection_that_was_exported_shared_is_private_where_it_arrives(
    knowledge: KnowledgeBase, tmp_path: Path
) -> None:
    house = knowledge.create_collection("House")
    knowledge.set_sharing(house.id, Sharing.PUBLIC)
    knowledge.export_collection(house.id, tmp_path / "house.daikb")
    other = KnowledgeBase(tmp_path / "other.db", WordEmbedder, vectors="numpy")
    try:
        other.import_collection(tmp_path / "house.daikb")
        assert the_only(other).sharing is Sharing.PRIVATE
    finally:
        other.close()
