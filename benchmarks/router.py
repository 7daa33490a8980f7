"""What a router costs: waiting, processor time, memory, jobs per second, and what it does when it is full.

    python benchmarks/router.py [--nats] [--rates 50,100,200] [--seconds 10] [--other-server Routing.py]

The router runs in a process of its own and is measured from outside; the load (benchmarks/router_load.py)
runs in this one. Workers answer at once, so what an asker waits for the first part is the router's share, and
the share of the load. With --nats the router keeps its questions on a NATS server. The other server is
measured by benchmarks/polling_server.py, beside ours in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psutil

from benchmarks.polling_server import measure_polling_server
from benchmarks.rounds import print_head, print_load, print_row
from benchmarks.router_load import Asked, LoadAsker, LoadWorker
from network.cards import Offer, issue_card
from network.protocol.cards import NodeCard
from network.protocol.message import decode_canonical

ROOT = Path(__file__).resolve().parent.parent
IDLE_WORKERS = 1_000
MEGABYTE = 2**20


@dataclass
class Measured:
    """A server in another process."""

    address: str
    process: psutil.Process

    @property
    def cpu_seconds(self) -> float:
        """Processor time of the process so far."""
        times = self.process.cpu_times()
        return times.user + times.system

    @property
    def megabytes(self) -> float:
        """Resident memory."""
        return self.process.memory_info().rss / MEGABYTE


@contextmanager
def router(*arguments: str, core: int | None) -> Iterator[Measured]:
    """A router in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        kept = () if "--nats" in arguments else ("--file", f"{folder}/jobs.db")
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.network.router_process", f"{folder}/key", *kept, *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdin
        assert child.stdout
        try:
            address = child.stdout.readline().strip()
            if core is not None:
                os.sched_setaffinity(child.pid, {core})
            yield Measured(address, psutil.Process(child.pid))
        finally:
            child.stdin.close()
            child.wait(60)
            child.stdout.close()


@contextmanager
def nats_server() -> Iterator[str]:
    """A NATS server of its own."""
    from tests.network.broker.nats_server import NatsServer

    with tempfile.TemporaryDirectory() as folder:
        server = NatsServer(Path(folder))
        server.start()
        try:
            yield server.url
        finally:
            server.stop()


class Workers:
    """Many workers in this process."""

    def __init__(self, address: str, count: int, **options: float) -> None:
        self.all = [LoadWorker(address, **options) for _ in range(count)]  # type: ignore[arg-type]
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> list[LoadWorker]:
        for start in range(0, len(self.all), 50):
            registered = []
            for worker in self.all[start : start + 50]:
                registered.append(asyncio.Event())
                self._tasks.append(asyncio.create_task(worker.run(registered[-1])))
            await asyncio.gather(*(event.wait() for event in registered))
        return self.all

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def milliseconds(values: list[float], share: float) -> str:
    """The value below which this share of them lies."""
    ordered = sorted(values)
    return f"{ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1e3:.1f}"


async def measure_waiting(server: Measured, questions: int, parts: int) -> None:
    """Three answers a question, one asker after the other: what the router adds, and what it costs."""
    async with Workers(server.address, 12, parts=parts) as workers:
        asker = LoadAsker(server.address)
        await asker.ask(3, 2)
        waits, shares = [], []
        before, began = server.cpu_seconds, time.perf_counter()
        for _ in range(questions):
            asked = await asker.ask(3, 2)
            assert asked.whole == 3
            first = min(worker.began[asked.job] for worker in workers if asked.job in worker.began)
            waits.append(asked.first_part_at - asked.sent_at)
            shares.append(asked.first_part_at - first)
        cpu = (server.cpu_seconds - before) / questions
        computed = sum(worker.answered for worker in workers) / (questions + 1)
        asker.close()
        print_row(
            f"a question for three answers of {parts} parts, alone",
            f"first part p50 {milliseconds(waits, 0.5)} ms, p99 {milliseconds(waits, 0.99)} ms after sending;"
            f" of it on the way back p50 {milliseconds(shares, 0.5)} ms",
        )
        print_row("processor time for it", f"{cpu * 1e3:.2f} ms; {computed:.1f} computations")
        print_row("questions one after the other", f"{questions / (time.perf_counter() - began):.0f}/s")


async def measure_idle(server: Measured) -> None:
    """A thousand workers that wait."""
    empty = server.megabytes
    async with Workers(server.address, IDLE_WORKERS, slots=1):
        await asyncio.sleep(2)
        before, began = server.cpu_seconds, time.perf_counter()
        await asyncio.sleep(10)
        share = (server.cpu_seconds - before) / (time.perf_counter() - began)
        each = (server.megabytes - empty) * 1024 / IDLE_WORKERS
        print_row(
            f"{IDLE_WORKERS} idle workers",
            f"{server.megabytes:.0f} MB ({empty:.0f} MB without, {each:.0f} kB each), {share:.1%} of a core",
        )
        asker = LoadAsker(server.address)
        await asker.ask(3, 2)
        before = server.cpu_seconds
        for _ in range(20):
            await asker.ask(3, 2)
        asker.close()
        cpu = (server.cpu_seconds - before) / 20
        print_row(f"a question for three answers among {IDLE_WORKERS} workers", f"{cpu * 1e3:.2f} ms")


async def measure_rate(server: Measured, rate: int, seconds: float) -> None:
    """Questions for one answer of eleven parts, at this rate, whether the router keeps up or not."""
    async with Workers(server.address, 40, slots=8, pause_seconds=0.02):
        asker = LoadAsker(server.address)
        await asker.ask(1, 1)
        asked: list[asyncio.Task[Asked]] = []
        before, own, began = server.cpu_seconds, time.process_time(), time.perf_counter()
        while (passed := time.perf_counter() - began) < seconds:
            while len(asked) < passed * rate:
                asked.append(asyncio.create_task(asker.ask(1, 1)))
            await asyncio.sleep(0.005)
        done = await asyncio.gather(*asked)
        took = time.perf_counter() - began
        asker.close()
        whole = [one for one in done if one.whole]
        waits = [one.first_part_at - one.sent_at for one in whole]
        cpu = (server.cpu_seconds - before) / len(done)
        print_row(
            f"{rate} questions/s offered for {seconds:.0f} s",
            f"{len(whole) / took:.0f}/s answered, {len(done) - len(whole)} refused;"
            f" first part p50 {milliseconds(waits, 0.5)} ms, p99 {milliseconds(waits, 0.99)} ms;"
            f" {cpu * 1e3:.2f} CPU-ms each; {server.megabytes:.0f} MB;"
            f" load {(time.process_time() - own) / took:.0%} of a core",
        )


async def measure_overload(server: Measured, capacity: int) -> None:
    """Five times as many questions as fit, for a worker that never answers."""
    async with Workers(server.address, 1, slots=0) as [worker]:
        _, card = issue_card(worker.keys, Offer(slots=1), int(time.time()))
        cards = [decode_canonical(card.statement, NodeCard)]
        asker = LoadAsker(server.address)
        kept = [await asker.submit_only(asker.request(cards, 1)) for _ in range(capacity)]
        full = server.megabytes
        refused = [await asker.submit_only(asker.request(cards, 1)) for _ in range(4 * capacity)]
        polite = sum(status == 429 and b"retry-after" in head.lower() for status, head, _ in refused)
        asker.close()
        print_row(
            f"{5 * capacity} questions where {capacity} fit",
            f"{sum(status == 202 for status, _, _ in kept)} kept, {polite} refused with 429 and Retry-After"
            f" in p50 {milliseconds([seconds for _, _, seconds in refused], 0.5)} ms;"
            f" {full:.0f} MB when full, {server.megabytes:.0f} MB after",
        )


async def main(chosen: argparse.Namespace) -> None:
    """All of it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 20_000), most))
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    core = None
    if len(cores) > 1:
        core = cores[0]
        os.sched_setaffinity(0, set(cores[1:]))  # the router has a core of its own, if others leave it that
    print_load("before")
    with nats_server() if chosen.nats else _nothing() as url:
        keeps = ("--nats", url) if url else ()
        print_head("what", "our router" + (" on NATS" if url else ""))
        with router(*keeps, core=core) as server:
            await measure_waiting(server, chosen.questions, 11)
        with router(*keeps, core=core) as server:
            await measure_waiting(server, chosen.questions, 1)
        with router(*keeps, core=core) as server:
            await measure_idle(server)
        for rate in chosen.rates:
            with router(*keeps, core=core) as server:
                await measure_rate(server, rate, chosen.seconds)
        with router(*keeps, "--jobs", "500", core=core) as server:
            await measure_overload(server, 500)
    if chosen.other_server:
        print_head("what", "the other server")
        await measure_polling_server(chosen.other_server, chosen.questions, core)
    print_load("after")


@contextmanager
def _nothing() -> Iterator[str]:
    yield ""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nats", action="store_true", help="keep questions on a NATS server")
    parser.add_argument("--questions", type=int, default=200, help="one after the other")
    parser.add_argument(
        "--rates", type=lambda text: [int(rate) for rate in text.split(",")], default=[50, 100, 200]
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="for each rate")
    parser.add_argument("--other-server", type=Path, help="a Routing.py to measure beside ours")
    asyncio.run(main(parser.parse_args()))
