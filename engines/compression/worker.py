"""Runs a job where it can be ended: in a child process; in a thread only where there are no processes."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import tempfile
from typing import IO, TypeVar

from engines.compression.jobs import Answer, Job, JobFailed, Progress, Result, Worked, decode_answer, encode
from engines.compression.work import do
from engines.llama_cpp.process_channel import child_environment
from engines.opening import Host, in_process

_LAST_WORDS_BYTES = 2_000

T = TypeVar("T")

log = logging.getLogger(__name__)


def can_be_cancelled(host: Host = "auto") -> bool:
    """Whether a running job can be ended. Not on phones: there it runs to its end, whoever waits for it."""
    return in_process(host)


async def run(job: Job, progress: Progress, host: Host = "auto") -> Result:
    """Do a job. When the task is cancelled, the job is ended, or, in a thread, waited for."""
    loop = asyncio.get_running_loop()

    def tell(share: float) -> None:
        loop.call_soon_threadsafe(progress, share)

    if not in_process(host):
        return await _to_its_end(asyncio.create_task(asyncio.to_thread(do, job, tell)))
    with tempfile.TemporaryFile() as last_words:
        process = _start(last_words)
        reading = asyncio.create_task(asyncio.to_thread(_ask, process, job, tell))
        try:
            result = await asyncio.shield(reading)
        finally:
            process.kill()
            await _to_its_end(reading)
            status = process.wait()
            _close(process)
        if result is not None:
            return result
        log.warning("the process of a job ended by itself, status %s", status)
        return JobFailed("", f"status {status}: {_tail(last_words)}")


async def _to_its_end(task: asyncio.Task[T]) -> T:
    """Wait for a task even when this one is cancelled, and be cancelled only then."""
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    return task.result()


def _start(last_words: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "engines.compression.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=last_words,
        env=child_environment(),
        start_new_session=True,  # Ctrl-C in a terminal is the app's to handle
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def _ask(process: subprocess.Popen[bytes], job: Job, tell: Progress) -> Result | None:
    """Hand the job over and wait for its result; None if the process ends without one."""
    try:
        if process.stdin is not None:
            process.stdin.write(encode(job) + b"\n")
            process.stdin.flush()
    except OSError:  # it ended before it could read
        return None
    for line in process.stdout or ():
        try:
            answer: Answer = decode_answer(line)
        except ValueError:  # cut off in the middle
            return None
        if not isinstance(answer, Worked):
            return answer
        tell(answer.share)
    return None


def _close(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except OSError:  # what was still to be written has no reader
                continue


def _tail(file: IO[bytes]) -> str:
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - _LAST_WORDS_BYTES))
    return file.read().decode("utf-8", "replace").strip()
