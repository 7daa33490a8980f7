"""A runtime in a child process, whose death costs one answer and not the app.

`subprocess` and not `multiprocessing`: a spawned worker of the latter imports the app's main module again,
inherits its arguments, and brings a resource tracker along; this child starts empty and knows one pipe.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import IO, BinaryIO

from engines.llama_cpp.channel import Deliver
from engines.llama_cpp.messages import Ended, Request, read_events, write_frame

_SECONDS_TO_END = 2.0
_LAST_WORDS_BYTES = 4_000


def children_possible() -> bool:
    """Whether this program can start itself as a plain Python.

    Not on phones, and not inside a packaged app: there `sys.executable` is the app, not an interpreter.
    """
    if sys.platform in ("android", "ios", "emscripten", "wasi") or hasattr(sys, "getandroidapilevel"):
        return False
    if getattr(sys, "frozen", False) or not sys.executable:
        return False
    return Path(sys.executable).name.lower().startswith(("python", "pypy"))


def child_environment() -> dict[str, str]:
    """The environment of a child that imports from where this program does, and nothing else."""
    return (
        _short_spinning()
        | os.environ
        | {
            "PYTHONPATH": os.pathsep.join(str(Path(path).absolute()) for path in sys.path),
            "PYTHONSAFEPATH": "1",
            "PYTHONUTF8": "1",
            "GGML_NO_BACKTRACE": "1",  # ggml would start a debugger when it fails
        }
    )


def _short_spinning() -> dict[str, str]:
    """Lets llama.cpp's threads sleep soon when they wait for each other, unless the user has chosen.

    They meet several hundred times per token. GCC's OpenMP spins for milliseconds there; where another
    program has the core of the thread that is late, spinning takes turns from it, too, and a short prompt
    takes seconds. A tenth of a millisecond is enough where all run: see
    docs/decisions/0016-waiting-threads-sleep-soon.md. Must be set before the library is loaded.
    """
    chosen = {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & os.environ.keys()
    return {} if chosen else {"GOMP_SPINCOUNT": "4000"}


class ProcessChannel:
    """Owns a child process and two threads that write to it and read from it.

    Args:
        deliver: called for every event.
        program: the module that the child runs.
    """

    def __init__(self, deliver: Deliver, program: str = "engines.llama_cpp.child") -> None:
        self._deliver = deliver
        self._program = program
        self._closed = self._ended = False
        self._requests: SimpleQueue[Request | None] = SimpleQueue()
        self._last_words: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by _read
        try:
            self._process = self._start()
        except OSError:
            self._last_words.close()
            raise
        self._threads = [
            threading.Thread(target=self._write, name="engine requests", daemon=True),
            threading.Thread(target=self._read, name="engine events", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        """See `Channel`. Asks the system, since the pipe may tell a moment later."""
        # In this order: while the reading thread waits for the process, which it does once `_ended` is set,
        # `poll` cannot ask and says None.
        return self._process.poll() is None and not self._ended

    def send(self, request: Request) -> None:
        """See `Channel`. A thread writes, since a frozen child would leave the pipe full."""
        self._requests.put(request)

    def close(self) -> None:
        """See `Channel`. One that has ended by itself tells so first."""
        self._closed = self._process.poll() is None
        self._requests.put(None)
        try:
            self._process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
        for thread in self._threads:
            thread.join(_SECONDS_TO_END)

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - a module of this house
            [sys.executable, "-m", self._program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._last_words,
            env=child_environment(),
            start_new_session=True,  # Ctrl+C in a terminal stops an answer, not the engine
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )

    def _write(self) -> None:
        pipe = _pipe(self._process.stdin)
        try:
            while (request := self._requests.get()) is not None:
                write_frame(pipe, request)
        except OSError:
            pass  # the child is gone; the reading thread tells
        finally:
            _close(pipe)

    def _read(self) -> None:
        pipe = _pipe(self._process.stdout)
        try:
            for event in read_events(pipe):
                self._deliver(event)
        except (OSError, ValueError, RecursionError):  # no frames of ours
            self._process.kill()
        finally:
            self._ended = True
            _close(pipe)
        status = self._process.wait()
        self._requests.put(None)
        with self._last_words as file:
            ended = Ended(_tail(file), -status if status < 0 else None)
        if not self._closed:
            self._deliver(ended)


def _pipe(stream: IO[bytes] | None) -> BinaryIO:
    if stream is None:
        raise OSError("no pipe")
    return stream  # type: ignore[return-value]


def _close(pipe: BinaryIO) -> None:
    with suppress(OSError):  # what was still to be written has no reader
        pipe.close()


def _tail(file: IO[bytes]) -> str:
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - _LAST_WORDS_BYTES))
    return file.read().decode("utf-8", "replace").strip()
