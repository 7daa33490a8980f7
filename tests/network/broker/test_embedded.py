"""The embedded broker: its file, and that a kill loses nothing that was acknowledged."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from pathlib import Path

import apsw
import pytest

from network.broker.embedded import open_embedded_broker
from network.broker.protocol import JobState
from network.errors import QueueDamaged
from tests.network.broker.conftest import job, node

ROOT = Path(__file__).resolve().parents[3]
A = node("a")


async def test_signs_of_life_that_come_fast_are_not_all_written(tmp_path):
    """Every part of an answer is one."""
    path, clock = tmp_path / "jobs.db", {"now": 0.0}
    broker = await open_embedded_broker(path, now=lambda: clock["now"], wall=lambda: 1_800_000_000.0)
    await broker.submit(job(nodes="a", workers=1))
    [handout] = await broker.lease(A, 1)
    log = path.with_name("jobs.db-wal")
    before = log.stat().st_size
    for _ in range(100):
        clock["now"] += 0.01
        assert await broker.renew(handout.claim)
    assert log.stat().st_size == before
    clock["now"] += 14
    assert await broker.renew(handout.claim)
    clock["now"] += 14
    assert await broker.sweep() == []
    await broker.finish(handout.claim)
    assert not await broker.renew(handout.claim)
    await broker.close()


async def test_nothing_sealed_is_kept_after_the_end(tmp_path):
    path = tmp_path / "jobs.db"
    broker = await open_embedded_broker(path, wall=lambda: 1_800_000_000.0)
    await broker.submit(job(body=b"SEALED BODY " * 100))
    await broker.cancel(job().job)
    await broker.close()
    connection = apsw.Connection(str(path))
    assert connection.execute("SELECT body, ticket FROM jobs").fetchall() == [(b"", None)]
    assert {row[0] for row in connection.execute("SELECT permit FROM tasks")} == {b""}
    connection.close()


@pytest.mark.parametrize(
    "content", [b"this is no database, but a text", b"SQLite format 3\0" + b"\xff" * 4_000]
)
async def test_a_damaged_file_is_told(tmp_path, content):
    path = tmp_path / "jobs.db"
    path.write_bytes(content * 3)
    with pytest.raises(QueueDamaged) as caught:
        await open_embedded_broker(path)
    assert caught.value.path == path


async def test_a_file_of_a_later_version_is_left_alone(tmp_path):
    path = tmp_path / "jobs.db"
    connection = apsw.Connection(str(path))
    connection.pragma("user_version", 99)
    connection.close()
    with pytest.raises(QueueDamaged, match="99"):
        await open_embedded_broker(path)


async def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(OSError, match=r"jobs\.db"):
        await open_embedded_broker(tmp_path / "missing" / "jobs.db")


def killed_at_random(path: Path, first: int, chance: random.Random) -> tuple[set[int], set[int]]:
    """Run a router in another process, kill it somewhere, and return what it had acknowledged."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.network.broker.endless_router", str(path), str(first)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = [process.stdout.readline()]
    killer = threading.Timer(chance.uniform(0.0, 0.3), process.kill)
    killer.start()
    lines += process.stdout.readlines()
    assert process.wait() != 0
    killer.join()
    process.stdout.close()
    words = [line.split() for line in lines if line.endswith("\n")]
    return (
        {int(number) for word, number in words if word == "kept"},
        {int(number) for word, number in words if word == "done"},
    )


@pytest.mark.desktop("child processes")
@pytest.mark.slow
async def test_a_kill_at_any_moment_loses_nothing_that_was_acknowledged(tmp_path):
    path, chance = tmp_path / "jobs.db", random.Random(15)
    kept: set[int] = set()
    done: set[int] = set()
    for round_ in range(4):
        more_kept, more_done = killed_at_random(path, round_ * 1_000_000, chance)
        kept |= more_kept
        done |= more_done
    assert kept
    assert done
    connection = apsw.Connection(str(path))
    assert connection.pragma("integrity_check") == "ok"
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()

    clock = {"now": 0.0}
    broker = await open_embedded_broker(path, now=lambda: clock["now"], wall=lambda: 1_800_000_000.0)
    for number in kept:
        state = await broker.state(job(number).job)
        assert state in ((JobState.DONE,) if number in done else (JobState.OPEN, JobState.DONE))
    clock["now"] += 60.0
    await broker.sweep()
    ended = []
    while handouts := await broker.lease(A, 100):
        for handout in handouts:
            number = int(handout.claim.job, 16)
            assert number not in done, "what was answered is not handed out again"
            assert await broker.finish(handout.claim) is JobState.DONE
            ended.append(number)
    assert len(ended) == len(set(ended))
    for number in kept:
        assert await broker.state(job(number).job) is JobState.DONE
    await broker.close()
