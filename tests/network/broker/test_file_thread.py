"""The thread of the embedded broker's file: much at once is one commit, and each is answered for itself."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import apsw
import pytest

from network.broker.embedded import open_embedded_broker
from network.broker.file_thread import FileThread
from network.broker.job_table import JobTable, Limits
from network.broker.protocol import JobState
from network.errors import QueueFull
from tests.network.broker.conftest import job, node

WALL = 1_800_000_000.0


def commits(path) -> int:
    """Transactions in the log of the file, by its frames that end one."""
    log = path.with_name("jobs.db-wal").read_bytes()
    page = int.from_bytes(log[8:12], "big")
    salt, count = log[16:24], 0
    for at in range(32, len(log), 24 + page):
        if log[at + 8 : at + 16] == salt and any(log[at + 4 : at + 8]):
            count += 1
    return count


async def test_what_comes_at_once_is_one_commit(tmp_path):
    path = tmp_path / "jobs.db"
    broker = await open_embedded_broker(path, wall=lambda: WALL)
    before = commits(path)
    positions = await asyncio.gather(
        *(broker.submit(job(number, nodes="a", workers=1)) for number in range(20))
    )
    assert commits(path) == before + 1
    assert positions == list(range(20))
    await broker.close()


async def test_one_that_is_refused_does_not_take_the_others_with_it(tmp_path):
    broker = await open_embedded_broker(tmp_path / "jobs.db", Limits(jobs=2), wall=lambda: WALL)
    kept = await asyncio.gather(*(broker.submit(job(number)) for number in range(4)), return_exceptions=True)
    assert [type(each) for each in kept] == [int, int, QueueFull, QueueFull]
    assert [await broker.state(job(number).job) for number in range(4)] == [JobState.OPEN] * 2 + [None] * 2
    await broker.close()


async def test_nothing_is_acknowledged_where_the_commit_fails(tmp_path, monkeypatch):
    broker = await open_embedded_broker(tmp_path / "jobs.db", Limits(jobs=3), wall=lambda: WALL)
    run = JobTable.together

    @contextmanager
    def failing(table):
        with run(table) as alive:
            yield alive
            raise apsw.FullError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(JobTable, "together", failing)
        kept = await asyncio.gather(
            *(broker.submit(job(number)) for number in range(3)), return_exceptions=True
        )
    assert [type(each) for each in kept] == [apsw.FullError] * 3
    assert [await broker.state(job(number).job) for number in range(3)] == [None] * 3
    assert [await broker.submit(job(number)) for number in range(3)] == [0, 1, 2], "they take no room"
    await broker.close()


async def test_a_transaction_that_is_lost_in_the_middle_fails_as_a_whole(tmp_path):
    """SQLite gives it up by itself where the disk fails; what came before must not count as kept."""
    thread = ThreadPoolExecutor(1)
    loop = asyncio.get_running_loop()
    table = await loop.run_in_executor(thread, JobTable, tmp_path / "jobs.db", Limits(), 0.0)
    file = FileThread(table, thread)

    def lose():
        table._file._sql.execute("ROLLBACK")
        raise apsw.FullError("database or disk is full")

    outcomes = await asyncio.gather(
        file.do(table.submit, job(1), 0.0, WALL, then=lambda result, heard: result),
        file.do(lose, then=lambda result, heard: result),
        file.do(table.submit, job(2), 0.0, WALL, then=lambda result, heard: result),
        return_exceptions=True,
    )
    assert [type(each) for each in outcomes] == [apsw.FullError] * 3
    for number in (1, 2):
        assert await file.do(table.state, job(number).job, then=lambda state, heard: state) is None
    await file.close()


async def test_what_nobody_waits_for_any_more_is_given_back(tmp_path):
    """A worker leaves while its question is being taken from the file."""
    broker = await open_embedded_broker(tmp_path / "jobs.db", wall=lambda: WALL)
    await broker.submit(job(nodes="a", workers=1))
    goes_on, began, lease = threading.Event(), threading.Event(), JobTable.lease

    def slow(table, *arguments):
        began.set()
        goes_on.wait()
        return lease(table, *arguments)

    broker._table.lease = slow.__get__(broker._table)  # type: ignore[method-assign]
    leaving = asyncio.create_task(broker.lease(node("a"), 1))
    await asyncio.to_thread(began.wait)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    goes_on.set()
    del broker._table.lease
    [handout] = await broker.lease(node("a"), 1, wait_seconds=60)
    assert handout.claim.attempt == 2
    await broker.close()


async def test_what_comes_in_the_very_moment_of_leaving_is_given_back(tmp_path):
    broker = await open_embedded_broker(tmp_path / "jobs.db", wall=lambda: WALL)
    await broker.submit(job(nodes="a", workers=1))
    note = broker._note_lease

    def leave(*arguments):
        asyncio.get_running_loop().call_soon(leaving.cancel)  # before whoever waits is woken
        return note(*arguments)

    broker._note_lease = leave  # type: ignore[method-assign]
    leaving = asyncio.create_task(broker.lease(node("a"), 1))
    with pytest.raises(asyncio.CancelledError):
        await leaving
    del broker._note_lease
    [handout] = await broker.lease(node("a"), 1)
    assert handout.claim.attempt == 2
    await broker.close()


async def test_after_the_end_nothing_is_taken(tmp_path):
    broker = await open_embedded_broker(tmp_path / "jobs.db", wall=lambda: WALL)
    kept = asyncio.ensure_future(broker.submit(job()))
    await asyncio.sleep(0)
    await broker.close()
    assert await kept == 0, "what was asked before is done"
    with pytest.raises(RuntimeError, match="closed"):
        await broker.submit(job(2))
