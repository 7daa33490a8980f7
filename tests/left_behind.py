"""Child processes and threads that a test has left behind."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from multiprocessing import resource_tracker
from pathlib import Path

SECONDS = 20.0
"""How long one may take to end that has been told to; nothing waits that long unless something is wrong."""
_SECONDS_BETWEEN_LOOKS = 0.02
_THREADS_OF_THIS_PROCESS = Path("/proc/self/task")


@dataclass(frozen=True)
class Alive:
    """The children of this process and its threads that would keep it from ending, at one moment."""

    children: frozenset[int]
    threads: frozenset[threading.Thread]

    @classmethod
    def now(cls) -> Alive:
        """Look; takes a fraction of a millisecond."""
        threads = (thread for thread in threading.enumerate() if not thread.daemon)
        return cls(frozenset(_children()), frozenset(threads))

    def added(self, later: Alive) -> list[str]:
        """What `later` has and this has not, in words."""
        return [
            *(f"the child process {_command(child)}" for child in sorted(later.children - self.children)),
            *(f"the thread {thread.name!r}" for thread in later.threads - self.threads),
        ]


def left_since(before: Alive) -> list[str]:
    """What was started since `before` and does not end, in words."""
    deadline = time.monotonic() + SECONDS
    while (left := before.added(Alive.now())) and time.monotonic() < deadline:
        threading.Event().wait(_SECONDS_BETWEEN_LOOKS)
    return left


def _children() -> set[int]:
    """The living children; none where the system does not list them (Linux does)."""
    if not (_THREADS_OF_THIS_PROCESS / str(os.getpid()) / "children").exists():
        return set()
    seen, again = _look_at_children(), None
    while seen is None or seen != again:  # children of a thread that ends just now go over to another
        seen, again = again, _look_at_children()
    tracker = getattr(resource_tracker._resource_tracker, "_pid", None)  # one for the whole program
    return {child for child in seen if child != tracker and not _has_ended(child)}


def _look_at_children() -> set[int] | None:
    """None where a thread ended meanwhile."""
    children: set[int] = set()
    try:
        for thread in _THREADS_OF_THIS_PROCESS.iterdir():
            children.update(map(int, (thread / "children").read_text().split()))
    except OSError:
        return None
    return children


def _has_ended(child: int) -> bool:
    """Whether it is only waited for."""
    try:
        state = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state in "ZX"


def _command(child: int) -> str:
    try:
        words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
    except OSError:
        words = []
    return f"{child}: {os.fsdecode(b' '.join(words)).strip()[:200]}"
