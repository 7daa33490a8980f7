"""The thread of the indexer and of the watcher."""

from __future__ import annotations

import threading

from rag.background import BackgroundThread

_LONG = 1000.0


def test_it_works_at_once_and_again_when_it_is_woken():
    rounds = threading.Semaphore(0)

    def work() -> float:
        rounds.release()
        return _LONG

    thread = BackgroundThread("rounds", work)
    thread.start()
    assert rounds.acquire(timeout=30)
    thread.wake()
    assert rounds.acquire(timeout=30)
    thread.close()
    assert not rounds.acquire(blocking=False)


def test_closing_is_told_to_the_round_that_runs_and_waits_for_it():
    begun = threading.Event()
    done: list[bool] = []

    def work() -> float:
        begun.set()
        done.append(thread.closing.wait(30))
        return _LONG

    thread = BackgroundThread("rounds", work)
    thread.start()
    assert begun.wait(30)
    thread.close()
    assert done == [True]


def test_one_that_has_never_begun_can_be_closed():
    BackgroundThread("rounds", lambda: _LONG).close()
