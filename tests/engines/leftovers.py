"""What engines may leave behind: processes, threads, open files, temporary files."""

from __future__ import annotations

import asyncio
import gc
import os
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.engines.child_processes import LLAMA_CPP, XLLAMACPP, children

_THREADS = ("engine", "chat template")
_DESCRIPTORS = Path("/proc/self/fd")


@dataclass(frozen=True)
class Leftovers:
    """How many there are at a time."""

    processes: int
    threads: int
    descriptors: int
    files: int


def leftovers(folder: Path) -> Leftovers:
    """Count them; `folder` is where temporary files go: see `own_temporary_folder`."""
    gc.collect()
    return Leftovers(
        processes=len(children(LLAMA_CPP)) + len(children(XLLAMACPP)),
        threads=sum(thread.name.startswith(_THREADS) for thread in threading.enumerate()),
        descriptors=len(os.listdir(_DESCRIPTORS)) if _DESCRIPTORS.is_dir() else 0,  # noqa: PTH208 - a count
        files=sum(1 for _ in folder.rglob("*")),
    )


async def settled(folder: Path, expected: Leftovers, seconds: float = 20.0) -> Leftovers:
    """What is left once nothing more than expected is, or after a while: threads take a moment to end."""
    async with asyncio.timeout(seconds + 10):
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            now = leftovers(folder)
            done = now.processes <= expected.processes and now.threads <= expected.threads
            if (done and now.descriptors <= expected.descriptors) or (
                asyncio.get_running_loop().time() > deadline
            ):
                return now
            await asyncio.to_thread(threading.Event().wait, 0.02)


def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in which all temporary files of this test are made."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder
