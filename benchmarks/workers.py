"""Four jobs at once: our engines against xllamacpp's own server with four clients, alternately.

    hatch run dev:python benchmarks/workers.py

All count on from different numbers and write equally many tokens, with the same file, window, batch, cache
and threads. The server is asked over HTTP, streaming, as its clients do. Tokens per second are those of all
jobs together, from the first request to the last token, prompts included.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.rounds import alternate, print_head, print_load, print_row, ratio, spread
from engines.library import find_starter
from engines.llama_cpp import cores
from engines.opening import open_engine
from engines.protocol import Done, Engine, LoadOptions, Priority, Prompt, Sampling

JOBS = 4
CONTEXT = 4096
OPTIONS = LoadOptions(context_tokens=CONTEXT)
TEXTS = [", ".join(map(str, range(start, start + 20))) + "," for start in range(1, 200 * JOBS, 200)]


def serve(path: str) -> None:
    """The plain server: says its address, and ends when standard input is closed."""
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = path
    parameters.n_ctx, parameters.n_parallel, parameters.kv_unified = CONTEXT, JOBS, True
    parameters.n_batch = parameters.n_ubatch = OPTIONS.batch_tokens
    parameters.cpuparams.n_threads = cores.generation_threads(cores.physical_cores())
    parameters.cpuparams_batch.n_threads = cores.physical_cores()
    parameters.fit_params = parameters.warmup = parameters.ui = False
    parameters.verbosity = 0
    server = xllamacpp.Server(parameters)
    print(server.listening_address, flush=True)
    sys.stdin.buffer.read()
    os._exit(0)


def ask_server(address: str, tokens: int, text: str) -> int:
    """One client; returns how many tokens came."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=600)
    body = {"prompt": text, "max_tokens": tokens, "temperature": 0, "stream": True}
    body |= {"stream_options": {"include_usage": True}}
    connection.request("POST", "/v1/completions", json.dumps(body), {"Content-Type": "application/json"})
    written = 0
    for line in connection.getresponse():
        if line.startswith(b"data: {"):
            usage = json.loads(line[6:]).get("usage") or {}
            written = usage.get("completion_tokens", written)
    connection.close()
    return written


def server_speed(address: str, tokens: int) -> float:
    """Tokens per second of four clients."""
    began = time.perf_counter()
    with ThreadPoolExecutor(JOBS) as clients:
        written = sum(clients.map(partial(ask_server, address, tokens), TEXTS))
    return _checked(written, tokens) / (time.perf_counter() - began)


async def our_speed(engine: Engine, tokens: int) -> float:
    """Tokens per second of four streams."""
    sampling = Sampling(temperature=0.0, repeat_penalty=1.0, max_tokens=tokens)

    async def job(text: str) -> int:
        prompt = Prompt((), sampling, completion=text, priority=Priority.BACKGROUND)
        async with aclosing(engine.stream(prompt)) as deltas:
            [written] = [delta.usage.answer_tokens async for delta in deltas if isinstance(delta, Done)]
        return written

    began = time.perf_counter()
    written = sum(await asyncio.gather(*map(job, TEXTS)))
    return _checked(written, tokens) / (time.perf_counter() - began)


def _checked(written: int, tokens: int) -> int:
    if written != JOBS * tokens:
        raise RuntimeError(f"{written} tokens were written instead of {JOBS * tokens}")
    return written


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=64)
    options = parser.parse_args()
    path = options.model or find_starter()
    command = [sys.executable, __file__, "serve", str(path)]
    server = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,  # as our engines have one: a busy machine shares its time between sessions
    )
    print_load("before")
    with asyncio.Runner() as runner:

        def run(work: Coroutine[object, object, float]) -> float:
            return runner.run(work)

        several = runner.run(open_engine(path, OPTIONS, engine="xllamacpp"))
        one = runner.run(open_engine(path, OPTIONS, engine="llama.cpp"))
        try:
            address = server.stdout.readline().strip() if server.stdout else ""
            figures = alternate(
                {
                    "xllamacpp's server, four clients": lambda: server_speed(address, options.tokens),
                    "our engine xllamacpp": lambda: run(our_speed(several, options.tokens)),
                    "our engine llama.cpp, one after the other": lambda: run(our_speed(one, options.tokens)),
                },
                options.rounds,
            )
        finally:
            runner.run(several.close())
            runner.run(one.close())
            server.communicate()
    print_head(f"{JOBS} jobs of {options.tokens} tokens", "tokens/s in total", "against the server")
    [theirs, *_] = figures.values()
    for name, speeds in figures.items():
        print_row(name, spread(speeds), f"{ratio(speeds, theirs):.2f}")
    print_load("after")


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[2])
    else:
        main()
