"""Every vector index finds the same neighbours, whoever has written the file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from rag.database import Database
from rag.errors import VectorSearchUnavailable
from rag.schema import MIGRATIONS
from rag.vectors import VectorRow, open_vector_index
from rag.vectors.stored import StoredVectors

DIMENSION = 16
KINDS = ["numpy", pytest.param("sqlite-vec", marks=pytest.mark.desktop)]


def unit_vectors(count: int, seed: int = 1) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((count, DIMENSION)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class Base:
    """A knowledge base with vectors only; passage n has vector n."""

    def __init__(self, path: Path, kind: Literal["auto", "sqlite-vec", "numpy"]) -> None:
        index = open_vector_index(kind)
        self.database = Database(path, MIGRATIONS, extensions=index.extensions)
        self.vectors = StoredVectors(index)
        with self.database.write() as connection:
            # No passages, only their vectors: let each transaction end without checking that.
            index.prepare(connection)
        self.database._writer.pragma("foreign_keys", "off")

    def begin(self, embedder: str = "test", dimension: int = DIMENSION) -> None:
        with self.database.write() as connection:
            self.vectors.begin(connection, embedder, dimension)

    def add(self, vectors: np.ndarray, first_id: int = 1, collections: tuple[int, ...] = (1,)) -> None:
        with self.database.write() as connection:
            self.vectors.add(
                connection,
                [
                    VectorRow(first_id + n, collections[n % len(collections)], vector.tobytes())
                    for n, vector in enumerate(vectors)
                ],
            )

    def remove(self, *ids: int) -> None:
        with self.database.write() as connection:
            self.vectors.remove(connection, ids)

    def nearest(self, query: np.ndarray, collections: tuple[int, ...] = (1,), limit: int = 10):
        with self.database.read() as connection:
            return self.vectors.index.nearest(connection, query, collections, limit)

    def ids(self, query: np.ndarray, collections: tuple[int, ...] = (1,), limit: int = 10) -> list[int]:
        return [neighbour.passage_id for neighbour in self.nearest(query, collections, limit)]


@pytest.fixture(params=KINDS)
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Base]:
    opened = Base(tmp_path / "vectors.db", request.param)
    yield opened
    opened.database.close()


def test_an_index_without_vectors_finds_nothing(base: Base):
    assert base.nearest(unit_vectors(1)[0]) == []


def test_neighbours_are_exact_best_first_with_their_cosine(base: Base):
    vectors = unit_vectors(300)
    query = unit_vectors(1, seed=2)[0]
    base.begin()
    base.add(vectors)
    found = base.nearest(query)
    exact = vectors @ query
    expected = np.argsort(-exact)[:10]
    assert [neighbour.passage_id for neighbour in found] == [int(n) + 1 for n in expected]
    assert [neighbour.similarity for neighbour in found] == pytest.approx(exact[expected].tolist(), abs=1e-5)


def test_only_the_collections_asked_are_searched(base: Base):
    base.begin()
    base.add(unit_vectors(30), collections=(1, 2, 3))
    query = unit_vectors(1, seed=2)[0]
    assert {passage % 3 for passage in base.ids(query, (1,), 100)} == {1}
    assert {passage % 3 for passage in base.ids(query, (1, 3), 100)} == {1, 0}
    assert len(base.ids(query, (1, 2, 3), 100)) == 30
    assert base.ids(query, (), 100) == []
    assert base.ids(query, (99,), 100) == []


def test_equally_near_passages_come_in_the_order_of_their_ids(base: Base):
    base.begin()
    base.add(np.repeat(unit_vectors(1), 5, axis=0))
    assert base.ids(unit_vectors(1)[0]) == [1, 2, 3, 4, 5]


def test_removed_vectors_are_not_found_and_new_ones_are(base: Base):
    vectors = unit_vectors(6)
    base.begin()
    base.add(vectors[:3])
    assert base.ids(vectors[0], limit=1) == [1]
    base.remove(1)
    assert 1 not in base.ids(vectors[0])
    base.add(vectors[3:], first_id=4)
    assert base.ids(vectors[4], limit=1) == [5]
    assert sorted(base.ids(vectors[0])) == [2, 3, 4, 5, 6]


def test_an_undone_transaction_leaves_no_trace(base: Base):
    vectors = unit_vectors(4)
    base.begin()
    base.add(vectors[:2])
    with pytest.raises(ZeroDivisionError), base.database.write() as connection:
        base.vectors.add(connection, [VectorRow(3, 1, vectors[2].tobytes())]) or 1 / 0
    assert sorted(base.ids(vectors[0])) == [1, 2]
    base.add(vectors[3:], first_id=3)
    assert base.ids(vectors[3], limit=1) == [3]


def test_replacing_all_vectors_changes_their_dimension_too(base: Base):
    base.begin()
    base.add(unit_vectors(5))
    assert len(base.ids(unit_vectors(1)[0])) == 5
    narrow = np.eye(4, dtype=np.float32)
    with base.database.write() as connection:
        base.vectors.replace_all(connection, "other", 4)
    base.add(narrow)
    assert base.ids(narrow[2], limit=1) == [3]
    assert len(base.ids(narrow[2])) == 4


def test_more_than_4096_neighbours_cannot_be_asked_for(base: Base):
    base.begin()
    base.add(unit_vectors(4200))
    assert len(base.ids(unit_vectors(1)[0], limit=10_000)) == 4096


@pytest.mark.desktop
@pytest.mark.parametrize(("first", "second"), [("numpy", "sqlite-vec"), ("sqlite-vec", "numpy")])
def test_a_file_made_with_one_index_opens_with_the_other(tmp_path: Path, first, second):
    vectors = unit_vectors(50)
    query = unit_vectors(1, seed=3)[0]
    results = []
    kinds = (first, second, first)
    for step, kind in enumerate(kinds):
        base = Base(tmp_path / "moving.db", kind)
        if step == 0:
            base.begin()
        base.add(vectors[step * 10 : step * 10 + 10], first_id=step * 10 + 1)
        base.remove(step * 10 + 1)
        results.append(base.nearest(query, limit=40))
        base.database.close()
        check = Base(tmp_path / "moving.db", kinds[(step + 1) % 2])
        assert check.ids(query, limit=40) == [neighbour.passage_id for neighbour in results[-1]]
        check.database.close()
    assert [len(found) for found in results] == [9, 18, 27]


@pytest.mark.desktop
def test_compacting_gives_space_back_and_loses_nothing(tmp_path: Path):
    base = Base(tmp_path / "holes.db", "sqlite-vec")
    vectors = unit_vectors(20_000)
    base.begin()
    base.add(vectors)
    base.remove(*(n for n in range(1, 20_001) if n % 10))
    before = base.ids(vectors[9], limit=20)
    pages = "SELECT page_count - freelist_count FROM pragma_page_count, pragma_freelist_count"
    with base.database.write() as connection:
        [(full,)] = connection.execute(pages).fetchall()
        base.vectors.index.compact(connection)
        [(compact,)] = connection.execute(pages).fetchall()
    assert compact < full * 0.7
    assert base.ids(vectors[9], limit=20) == before
    base.database.close()


def test_an_index_that_cannot_be_loaded_is_refused_by_name_and_replaced_by_auto(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sqlite_vec", None)
    with pytest.raises(VectorSearchUnavailable):
        open_vector_index("sqlite-vec")
    assert open_vector_index("auto").name == "numpy"


@pytest.mark.desktop
def test_auto_takes_sqlite_vec_where_it_loads():
    assert open_vector_index("auto").name == "sqlite-vec"
