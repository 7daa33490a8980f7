"""A kill -9 at any moment loses nothing that was acknowledged, and leaves a sound knowledge base."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rag.embedded_parts import MOST_PARTS
from rag.knowledge import KnowledgeBase
from rag.model import DocumentState
from tests.app.ui.word_embedder import WordEmbedder

ROOT = Path(__file__).resolve().parents[2]


def killed_at_random(folder: Path, chance: random.Random) -> set[int]:
    """Index in another process, kill it somewhere in a document, and return what it acknowledged."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.rag.endless_indexing", str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    acknowledged = {int(process.stdout.readline())}
    threading.Timer(chance.uniform(0.0, 0.6), process.kill).start()
    acknowledged |= {int(line) for line in process.stdout if line.endswith("\n")}
    assert process.wait() != 0
    process.stdout.close()
    return acknowledged


def assert_sound(folder: Path, acknowledged: set[int]) -> None:
    knowledge = KnowledgeBase(folder / "knowledge.db", WordEmbedder)
    [house] = knowledge.collections()
    documents = {document.id: document for document in knowledge.documents(house.id)}
    with knowledge._database.write() as connection:
        assert connection.pragma("integrity_check") == "ok"
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        connection.execute("INSERT INTO passage_words(passage_words) VALUES ('integrity-check')")
        ids = {
            table: [row[0] for row in connection.execute(f"SELECT {column} FROM {table} ORDER BY 1")]
            for table, column in (("passages", "id"), ("passage_words", "rowid"), ("vectors", "passage_id"))
        }
        # A large collection is searched without this table.
        if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'vector_index'").fetchall():
            statement = f"SELECT DISTINCT part_id / {MOST_PARTS} FROM vector_index ORDER BY 1"
            ids["vector_index"] = [row[0] for row in connection.execute(statement)]
    assert all(found == ids["passages"] for found in ids.values()), {k: len(v) for k, v in ids.items()}
    assert sum(document.passages for document in documents.values()) == len(ids["passages"])
    for number in acknowledged & documents.keys():
        assert documents[number].state is DocumentState.READY
    deleted = acknowledged - documents.keys()
    assert all(number < min(documents) for number in deleted)  # the oldest ones, on purpose

    knowledge.start()
    assert knowledge.wait_until_idle(60)
    for document in knowledge.documents(house.id):
        assert document.state is DocumentState.READY
        assert document.passages > 50
    with knowledge._database.read() as connection:
        assert connection.execute("SELECT count(*) FROM staged_passages").fetchall() == [(0,)]
    knowledge.close()


def kill_and_check(folder: Path, times: int) -> None:
    chance = random.Random(7)
    acknowledged: set[int] = set()
    for _ in range(times):
        acknowledged |= killed_at_random(folder, chance)
        assert_sound(folder, acknowledged)


@pytest.mark.desktop("child processes")
def test_three_kills_leave_a_sound_knowledge_base(tmp_path: Path):
    kill_and_check(tmp_path, 3)


@pytest.mark.slow
@pytest.mark.desktop("child processes")
def test_many_kills_leave_a_sound_knowledge_base(tmp_path: Path):
    kill_and_check(tmp_path, 50)
