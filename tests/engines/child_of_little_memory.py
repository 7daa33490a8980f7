"""The engine's child process where memory is short, for one time: `VARIABLE` names a file that says when.

"at once", or with the first "answer". The file is deleted then, so that the next child has all it wants.
"""

from __future__ import annotations

import os
import resource
from pathlib import Path

from engines.llama_cpp.child import serve
from engines.llama_cpp.messages import Answer, Request
from engines.llama_cpp.runtime import Runtime

VARIABLE = "DAI_TEST_LITTLE_MEMORY"


def take_memory_away(spared: int) -> None:
    """From now on this process gets `spared` bytes more, and no others."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + spared
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


class ShortRuntime(Runtime):
    """Runs out of memory when the file says so."""

    def handle(self, request: Request) -> None:
        order = Path(os.environ[VARIABLE])
        if order.exists() and (order.read_text() == "at once" or isinstance(request, Answer)):
            order.unlink()
            take_memory_away(0)
        super().handle(request)


if __name__ == "__main__":
    serve(ShortRuntime)
