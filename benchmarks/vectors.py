"""Vector indexes side by side: ours, a bare table of sqlite-vec, and ObjectBox where it is installed.

    hatch run dev:python benchmarks/vectors.py
    hatch run dev:python benchmarks/vectors.py --sizes 1000000 --engines dai

Made-up vectors of 384 components around 200 centres, in a narrow cone as E5 makes them; ten nearest of fifty
questions. Each engine and size has a process of its own, which may use one thread; times are of the
processor, not of the clock. Prints a Markdown table. ObjectBox is no dependency of ours: install it beside.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import numpy.typing as npt

from engines.benchmark.process_memory import peak_memory
from rag.database import open_database, transaction
from rag.schema import MIGRATIONS
from rag.vectors import VectorRow, open_vector_index
from rag.vectors.stored import StoredVectors

DIMENSION = 384
NEAREST = 10
QUERIES = 50
BATCH = 1000
Array = npt.NDArray[np.float32]


class Figures(NamedTuple):
    """What was measured of one engine with one size."""

    milliseconds: float
    """Of the processor, for a query."""
    recall: float
    inserted: float
    """Vectors for each second of the processor."""
    megabytes: float
    """On disk."""
    memory: float
    """MB that the process grew by, until it has answered all queries."""
    first: float
    """Milliseconds of the first query, which may have to load something."""


def made_up(count: int, seed: int) -> Array:
    """Unit vectors: 64 hidden components around 200 centres, noise, and one direction shared by all."""
    shared, own = np.random.default_rng(0), np.random.default_rng(seed)
    centres = shared.standard_normal((200, 64), np.float32)
    base = shared.standard_normal((64, DIMENSION), np.float32)
    cone = 20 * shared.standard_normal(DIMENSION, np.float32)
    hidden = centres[own.integers(0, 200, count)] + 0.8 * own.standard_normal((count, 64), np.float32)
    vectors = hidden @ base
    vectors += 0.5 * own.standard_normal((count, DIMENSION), np.float32) + cone
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def batches(count: int) -> Iterator[tuple[int, Array]]:
    """All vectors, with the number of the first of each batch."""
    for start in range(0, count, BATCH):
        yield start, made_up(min(BATCH, count - start), seed=start + 1)


def exact(count: int, queries: Array) -> list[set[int]]:
    """The numbers, from 1, of the nearest vectors of each query."""
    best = [(np.empty(0, np.float32), np.empty(0, np.int64)) for _ in queries]
    for start, vectors in batches(count):
        for number, similarities in enumerate(queries @ vectors.T):
            values = np.concatenate([best[number][0], similarities])
            ids = np.concatenate([best[number][1], np.arange(start + 1, start + 1 + len(vectors))])
            keep = np.argsort(-values)[:NEAREST]
            best[number] = values[keep], ids[keep]
    return [set(ids.tolist()) for _, ids in best]


Insert = Callable[[int, Array], None]
Nearest = Callable[[Array], set[int]]


def dai(folder: Path, kind: Any) -> tuple[Insert, Nearest]:
    """The table of vectors and its index, as the knowledge base writes and reads them."""
    index = open_vector_index(kind)
    connection = open_database(folder / "vectors.db", MIGRATIONS, extensions=index.extensions)
    connection.pragma("foreign_keys", "off")  # there are no passages to these vectors
    stored = StoredVectors(index)
    with transaction(connection):
        stored.begin(connection, "made up", DIMENSION)

    def insert(first: int, vectors: Array) -> None:
        with transaction(connection):
            rows = (VectorRow(first + n, 1, vector.tobytes()) for n, vector in enumerate(vectors))
            stored.add(connection, rows)

    def nearest(query: Array) -> set[int]:
        with transaction(connection, "DEFERRED"):
            return {each.passage_id for each in index.nearest(connection, query, [1], NEAREST)}

    return insert, nearest


def sqlite_vec(folder: Path) -> tuple[Insert, Nearest]:
    """A table of the extension alone, with the collection as a column."""
    import sqlite_vec as extension

    connection = open_database(folder / "vectors.db", (), extensions=[extension.loadable_path()])
    connection.execute(
        f"CREATE VIRTUAL TABLE t USING vec0(id INTEGER PRIMARY KEY, v float[{DIMENSION}], c INTEGER)"
    )

    def insert(first: int, vectors: Array) -> None:
        with transaction(connection):
            rows = ((first + n, 1, vector.tobytes()) for n, vector in enumerate(vectors))
            connection.executemany("INSERT INTO t(id, c, v) VALUES (?, ?, ?)", rows)

    def nearest(query: Array) -> set[int]:
        statement = "SELECT id FROM t WHERE v MATCH ? AND k = ? AND c = 1"
        found = connection.execute(statement, (query.tobytes(), NEAREST)).fetchall()
        return {number for (number,) in found}

    return insert, nearest


def objectbox(folder: Path) -> tuple[Insert, Nearest]:
    """Its HNSW graph; 64 neighbours are asked for, because with 10 it finds only .89 to .99 of them."""
    import objectbox as database

    @database.Entity()
    class Item:
        id = database.Id()
        vector = database.Float32Vector(index=database.HnswIndex(dimensions=DIMENSION))

    store = database.Store(directory=str(folder / "objectbox"), max_db_size_in_kb=64 << 20)
    box = store.box(Item)

    def insert(first: int, vectors: Array) -> None:
        box.put([Item(id=0, vector=vector) for vector in vectors])

    def nearest(query: Array) -> set[int]:
        found = box.query(Item.vector.nearest_neighbor(query, 64)).build().find_ids_with_scores()
        return {number for number, _ in found[:NEAREST]}

    return insert, nearest


ENGINES: dict[str, Callable[[Path], tuple[Insert, Nearest]]] = {
    "dai": lambda folder: dai(folder, "auto"),
    "dai-numpy": lambda folder: dai(folder, "numpy"),
    "sqlite-vec": sqlite_vec,
    "objectbox": objectbox,
}


def measure(engine: str, count: int) -> Figures:
    """Insert, ask, look at the size; in this process."""
    queries = made_up(QUERIES, seed=0)
    right = exact(count, queries)
    before = peak_memory([os.getpid()]) or 0
    with tempfile.TemporaryDirectory() as name:
        insert, nearest = ENGINES[engine](Path(name))
        spent = 0.0
        for start, vectors in batches(count):
            began = time.process_time()
            insert(start + 1, vectors)
            spent += time.process_time() - began
        began = time.process_time()
        nearest(queries[0])
        first = time.process_time() - began
        began = time.process_time()
        found = [nearest(query) for query in queries]
        asked = time.process_time() - began
        size = sum(file.stat().st_size for file in Path(name).rglob("*") if file.is_file())
        wal = sum(file.stat().st_size for file in Path(name).rglob("*-wal"))
        shared = sum(len(one & other) for one, other in zip(found, right, strict=True))
        return Figures(
            asked / QUERIES * 1e3,
            shared / (QUERIES * NEAREST),
            count / spent,
            (size - wal) / 1e6,
            ((peak_memory([os.getpid()]) or 0) - before) / 1e6,
            first * 1e3,
        )


def main() -> None:
    """Read the arguments and measure, each engine and size in a process of its own."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    arguments.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    options = arguments.parse_args()
    if len(options.sizes) == len(options.engines) == 1:
        print(row(options.engines[0], options.sizes[0], measure(options.engines[0], options.sizes[0])))
        return
    print(
        "| vectors | engine | CPU ms a query | the first | recall@10 | inserts/CPU s | MB on disk"
        " | MB of memory |\n|---|---|---|---|---|---|---|---|",
        flush=True,
    )
    for size in options.sizes:
        for engine in options.engines:
            command = [sys.executable, __file__, "--sizes", str(size), "--engines", engine]
            one_thread = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
            done = subprocess.run(command, capture_output=True, text=True, check=False, env=one_thread)
            reason = done.stderr.strip().splitlines()[-1:] if done.returncode else []
            print(done.stdout.strip() or f"| {size:,} | {engine} | not measured: {reason} |", flush=True)


def row(engine: str, size: int, figures: Figures) -> str:
    """A line of the table."""
    return (
        f"| {size:,} | {engine} | {figures.milliseconds:.2f} | {figures.first:.0f} | {figures.recall:.3f}"
        f" | {figures.inserted:,.0f} | {figures.megabytes:.0f} | {figures.memory:.0f} |"
    )


if __name__ == "__main__":
    main()
