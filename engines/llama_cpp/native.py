"""The door to llama.cpp's library: loads it once, catches its log, and lends its calls an abort switch."""

from __future__ import annotations

import ctypes
import logging
import re
import sys
import threading
from collections import deque
from types import ModuleType
from typing import Any

from engines.errors import EngineUnavailable, NotEnoughMemory
from engines.memory import available_memory

PACKAGE = "llama-cpp-python"

_WARNING, _ERROR, _CONTINUED = 3, 4, 5  # enum ggml_log_level in ggml.h

_loading = threading.Lock()
_library: ModuleType | None = None
_callback: Any = None


class LibraryLog:
    """The last lines of llama.cpp's log, where alone it tells why a file cannot be loaded."""

    def __init__(self) -> None:
        self._lines: deque[tuple[int, str]] = deque(maxlen=400)

    def write(self, level: int, text: bytes | None, _: object = None) -> None:
        """Called by llama.cpp, in whatever thread it works."""
        line = (text or b"").decode("utf-8", "replace")
        if level == _CONTINUED and self._lines:
            level, begun = self._lines.pop()
            line = begun + line
        self._lines.append((level, line))

    def clear(self) -> None:
        """Forget what was logged so far."""
        self._lines.clear()

    def problems(self) -> str:
        """Warnings and errors since `clear`, one per line."""
        lines = [text.strip() for level, text in list(self._lines) if level in (_WARNING, _ERROR)]
        return "\n".join(line for line in lines if line)


log = LibraryLog()
"""llama.cpp has one log for the whole process."""


def load_library() -> ModuleType:
    """Import llama-cpp-python, silence it, and start its backend; the first call takes about 0.2 s.

    Raises:
        EngineUnavailable: it is not installed, or its library does not load on this machine.
        NotEnoughMemory: not even the library fits.
    """
    global _library
    with _loading:
        library = _library or _import()
        _library = library
        return library


def _import() -> ModuleType:
    try:
        import llama_cpp
    except (ImportError, OSError, RuntimeError) as error:
        if re.search("failed to map|cannot allocate", str(error), re.IGNORECASE):
            raise NotEnoughMemory(0, available_memory(), str(error)) from error
        raise EngineUnavailable(PACKAGE, str(error)) from error
    # The package prints warnings to stderr through a logger of its own; it must not even while we import it.
    logging.getLogger("llama-cpp-python").setLevel(logging.CRITICAL + 1)
    global _callback
    _callback = llama_cpp.llama_log_callback(log.write)  # llama.cpp keeps only its address
    restore_log(llama_cpp)
    llama_cpp.llama_backend_init()
    library: ModuleType = llama_cpp
    return library


def restore_log(library: ModuleType) -> None:
    """Let llama.cpp write to `log` again, after somebody else has listened."""
    library.llama_log_set(_callback, ctypes.c_void_p(0))


class AbortSwitch:
    """Stops llama.cpp in the middle of its work, from any thread.

    llama.cpp asks a callback some hundred times per token whether to go on. A Python callback would need the
    interpreter's lock each time and slow everything down, so libc's `strlen` is the callback and a buffer its
    argument: an empty string is 0 and means "go on", one byte means "stop". (It returns size_t where a bool
    is expected; the calling conventions of x86-64 and arm64 read the low byte of the same register.)
    """

    def __init__(self) -> None:
        self._flag = ctypes.create_string_buffer(2)

    def press(self) -> None:
        """Stop the running call, and every one after it until `release`."""
        self._flag[0] = b"\x01"

    def release(self) -> None:
        """Let calls run again."""
        self._flag[0] = b"\x00"

    @property
    def pressed(self) -> bool:
        """Whether calls stop at once."""
        return self._flag[0] != b"\x00"

    def connect(self, library: ModuleType, context: Any) -> None:
        """Make a llama.cpp context obey this switch."""
        libc = ctypes.CDLL("msvcrt") if sys.platform == "win32" else ctypes.CDLL(None)
        strlen = ctypes.cast(libc.strlen, library.ggml_abort_callback)
        library.llama_set_abort_callback(context, strlen, ctypes.cast(self._flag, ctypes.c_void_p))
