"""A real server of another maker, llama.cpp's own, over HTTP: `python real_server.py MODEL CONTEXT KEY`.

It says its address on standard output and ends when standard input is closed.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path


@asynccontextmanager
async def llama_server(model: Path, *, context: int = 2048, key: str = "") -> AsyncIterator[str]:
    """A running server; yields its address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        __file__,
        str(model),
        str(context),
        key,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        address = (await process.stdout.readline()).decode().strip()
        assert address, "the server did not start"
        yield address
    finally:
        await process.communicate(b"")


def main() -> None:
    import xllamacpp

    model, context, key = sys.argv[1:]
    parameters = xllamacpp.CommonParams()
    parameters.model.path = model
    parameters.n_ctx = int(context)
    parameters.n_parallel = 4
    parameters.kv_unified = True
    parameters.fit_params = parameters.warmup = parameters.ui = False
    parameters.cpuparams.n_threads = 1
    parameters.verbosity = 0
    if key:
        parameters.api_keys = [key]
    server = xllamacpp.Server(parameters)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
