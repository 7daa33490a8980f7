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
from rag.vectors.by_size import BySize
from rag.vectors.numpy_matrix import NumpyMatrix
from rag.vectors.sqlite_vec_table import SqliteVecTable
from rag.vectors.stored import StoredVectors

DIMENSION = 16
Kind = Literal["auto", "sqlite-vec", "numpy"]
KINDS = ["numpy", pytest.param("sqlite-vec", marks=pytest.mark.desktop("sqlite-vec"))]
ALWAYS_LARGE = -1


def unit_vectors(count: int, seed: int = 1) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((count, DIMENSION)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def narrow_cone(count: int, seed: int = 1) -> np.ndarray:
    """Vectors as E5 makes them: all near one direction, in clusters."""
    random = np.random.default_rng(seed)
    shared = np.random.default_rng(0)
    centres, base = shared.standard_normal((50, 24)), shared.standard_normal((24, 96))
    latent = centres[random.integers(0, 50, count)] + 0.7 * random.standard_normal((count, 24))
    vectors = (latent @ base + 15 * shared.standard_normal(96)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class Base:
    """A knowledge base with vectors only; passage n has vector n, or the vectors n."""

    def __init__(self, path: Path, kind: Kind, large: int | None = None) -> None:
        index = open_vector_index(kind)
        if large is not None:
            index = BySize(NumpyMatrix() if kind == "numpy" else SqliteVecTable(), large)
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


@pytest.fixture(params=[*KINDS, "codes"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Base]:
    if request.param == "codes":
        opened = Base(tmp_path / "vectors.db", "numpy", ALWAYS_LARGE)
    else:
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


def test_a_passage_is_as_near_as_the_nearest_of_its_parts(base: Base):
    parts = unit_vectors(60).reshape(20, 3, DIMENSION)
    base.begin()
    base.add(parts, collections=(1, 2))
    base.add(unit_vectors(4, seed=5), first_id=21)
    query = unit_vectors(1, seed=2)[0]
    expected = {n + 1: float((vectors @ query).max()) for n, vectors in enumerate(parts) if n % 2 == 0}
    expected |= {n + 21: float(vector @ query) for n, vector in enumerate(unit_vectors(4, seed=5))}
    order = sorted(expected, key=lambda passage: -expected[passage])
    for limit in (1, 5, 50):
        found = base.nearest(query, limit=limit)
        assert [each.passage_id for each in found] == order[:limit]
        assert [each.similarity for each in found] == pytest.approx(
            [expected[passage] for passage in order[:limit]], abs=1e-5
        )
    base.remove(*order[:3])
    assert base.ids(query, limit=50) == order[3:]


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


@pytest.mark.desktop("sqlite-vec")
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


@pytest.mark.desktop("sqlite-vec")
def test_what_a_build_without_the_index_writes_meanwhile_is_found_at_once_and_stays(tmp_path: Path):
    vectors = unit_vectors(12)
    base = Base(tmp_path / "two.db", "sqlite-vec")
    base.begin()
    base.add(vectors[:4])
    other = Base(tmp_path / "two.db", "numpy")
    other.add(vectors[4:8], first_id=5)
    assert base.ids(vectors[6], limit=1) == [7]
    base.add(vectors[8:], first_id=9)
    assert sorted(base.ids(vectors[0], limit=20)) == list(range(1, 13))
    other.remove(2)
    base.remove(3)
    assert sorted(base.ids(vectors[0], limit=20)) == [1, *range(4, 13)]
    other.database.close()
    base.database.close()


@pytest.mark.parametrize("kind", KINDS)
def test_growing_large_and_small_again_changes_no_neighbour(tmp_path: Path, kind):
    vectors = unit_vectors(90)
    query = unit_vectors(1, seed=3)[0]
    base = Base(tmp_path / "growing.db", kind, large=40)
    steady = Base(tmp_path / "steady.db", "numpy")
    for each in (base, steady):
        each.begin()

    def agree() -> bool:
        return base.ids(query, (1, 2), 50) == steady.ids(query, (1, 2), 50)

    for start in range(0, 90, 15):
        for each in (base, steady):
            each.add(vectors[start : start + 15], first_id=start + 1, collections=(1, 2, 3))
        assert agree()
    for start in range(1, 76, 15):
        for each in (base, steady):
            each.remove(*range(start, start + 15))
        assert agree()
    base.database.close()
    steady.database.close()


def test_codes_lose_next_to_none_of_the_nearest_among_many(tmp_path: Path):
    vectors = narrow_cone(20_000)
    base = Base(tmp_path / "many.db", "numpy", ALWAYS_LARGE)
    base.begin(dimension=vectors.shape[1])
    base.add(vectors, collections=(1, 2))
    queries = narrow_cone(40, seed=2)
    for asked, rows_asked in (((1, 2), slice(None)), ((2,), slice(1, None, 2))):
        ids = np.arange(1, len(vectors) + 1)[rows_asked]
        exact = [set(ids[np.argsort(-(vectors[rows_asked] @ query))[:10]].tolist()) for query in queries]
        found = [set(base.ids(query, asked)) for query in queries]
        shared = sum(len(one & other) for one, other in zip(exact, found, strict=True))
        assert shared / (10 * len(queries)) >= 0.98
    base.database.close()


@pytest.mark.desktop("sqlite-vec")
def test_compacting_gives_space_back_and_loses_nothing(tmp_path: Path):
    base = Base(tmp_path / "holes.db", "sqlite-vec", large=30_000)
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


@pytest.mark.desktop("sqlite-vec")
def test_auto_takes_sqlite_vec_where_it_loads():
    assert open_vector_index("auto").name == "sqlite-vec"
