"""The same questions through a server that its workers and askers poll: POST /query, GET /request, /response.

The server is a file named by its user, such as the Routing.py of the apps that DAI began with; it is not part
of this repository. It is started on the loopback.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from benchmarks.rounds import print_row

WORKERS = 20
POLL_WORKER_SECONDS = 3.0
POLL_ASKER_SECONDS = 2.0
"""As its apps do it."""


@contextmanager
def polling_server(path: Path, core: int | None) -> Iterator[tuple[str, psutil.Process]]:
    """The server in a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    child = subprocess.Popen(
        [
            *(sys.executable, "-m", "uvicorn", "--app-dir", str(path.parent), f"{path.stem}:app"),
            *("--host", "127.0.0.1", "--port", str(port), "--log-level", "warning", "--no-access-log"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                httpx.get(address, timeout=1)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        if core is not None:
            os.sched_setaffinity(child.pid, {core})
        yield address, psutil.Process(child.pid)
    finally:
        child.terminate()
        child.wait(30)


async def measure_polling_server(path: Path, questions: int, core: int | None) -> None:
    """Processor time of a question for three answers, the wait for the first, and who computes."""
    with polling_server(path, core) as (address, process):
        async with httpx.AsyncClient(base_url=address, timeout=30) as http:
            await _waiting(http)
            await _computations(http)
            await _cost(http, process, questions)


async def _work(http: httpx.AsyncClient, node: str, pause: float, takes: float, done: list[int]) -> None:
    while True:
        found = (await http.get("/request", headers={"x-node-id": node})).json()
        for query in found:
            await asyncio.sleep(takes)
            done.append(query["query_number"])
            answer = {"query_number": query["query_number"], "response": "word " * 60}
            await http.post("/response", json=answer, headers={"x-node-id": node})
        await asyncio.sleep(pause)


async def _ask(http: httpx.AsyncClient, node: str, pause: float, wanted: int) -> float:
    """Seconds until so many answers are there."""
    headers = {"x-node-id": node}
    began = time.perf_counter()
    sent = (await http.post("/query", json={"query": "x" * 2_000}, headers=headers)).json()
    while True:
        answers = (
            await http.get("/response", params={"query_number": sent["query_number"]}, headers=headers)
        ).json()
        if len(answers) >= wanted:
            return time.perf_counter() - began
        await asyncio.sleep(pause)


async def _waiting(http: httpx.AsyncClient) -> None:
    """Polling as its apps do, workers that need no time."""
    done: list[int] = []
    workers = []
    for number in range(WORKERS):
        workers.append(asyncio.create_task(_work(http, f"w{number}", POLL_WORKER_SECONDS, 0.0, done)))
        await asyncio.sleep(POLL_WORKER_SECONDS / WORKERS)
    waits = sorted([await _ask(http, "asker", POLL_ASKER_SECONDS, 1) for _ in range(10)])
    await _stopped(workers)
    print_row("first answer, polled as its apps do", f"p50 {waits[5]:.2f} s, most {waits[-1]:.2f} s")


async def _computations(http: httpx.AsyncClient) -> None:
    """Who works on a question that wants three answers, where an answer takes four seconds."""
    done: list[int] = []
    workers = [
        asyncio.create_task(_work(http, f"v{number}", POLL_WORKER_SECONDS, 4.0, done))
        for number in range(WORKERS)
    ]
    await asyncio.sleep(0.5)
    await _ask(http, "asker", POLL_ASKER_SECONDS, 3)
    await asyncio.sleep(5)
    await _stopped(workers)
    print_row("a question for three answers of 4 s each", f"{len(done)} of {WORKERS} devices computed")


async def _cost(http: httpx.AsyncClient, process: psutil.Process, questions: int) -> None:
    """Workers and asker that poll without a pause: as few polls as possible."""
    done: list[int] = []
    workers = [asyncio.create_task(_work(http, f"u{number}", 0.005, 0.0, done)) for number in range(3)]
    before = sum(process.cpu_times()[:2])
    for _ in range(questions):
        await _ask(http, "asker", 0.005, 3)
    cpu = (sum(process.cpu_times()[:2]) - before) / questions
    await _stopped(workers)
    print_row("processor time for three answers, polled each 5 ms", f"{cpu * 1e3:.2f} ms")


async def _stopped(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
