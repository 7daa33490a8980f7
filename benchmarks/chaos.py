"""Random kills for some minutes: is every accepted question ended once, with a whole answer?

    python benchmarks/chaos.py --minutes 5 [--nats] [--seed 1]

One router with its file, or with --nats two routers and a NATS server. Every few moments something is killed
with kill -9 and started again, or stands still for three seconds, or all connections are cut, or a worker
leaves in the middle of its answers. Workers take a while for their words. Leases last two seconds. The same
seed makes the same choices; when they hit what, the machine decides.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.rounds import print_head, print_load, print_row
from network.protocol.content import Question
from network.worker.answerer import Written
from tests.network.cluster import Cluster, Outcome, cluster
from tests.network.small_world import MODEL

WORDS = ("One", " two", " three", " four", " five.")
WORKERS = 8
ASKERS = 6
FROZEN_SECONDS = 3.0
LAST_SECONDS = 120.0
"""For what is on its way when the killing ends."""


class SlowAnswerer:
    """Says its words one after the other."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    async def answer(self, question: Question, asker: bytes) -> AsyncIterator[str | Written]:
        """As `Answerer.answer`."""
        for word in WORDS:
            await asyncio.sleep(self._chance.uniform(0.0, 0.3))
            yield word
        yield Written("complete", MODEL, len(WORDS))


class Chaos:
    """Things that happen to a cluster."""

    def __init__(self, cluster: Cluster, chance: random.Random) -> None:
        self._cluster = cluster
        self._chance = chance
        self.happened: Counter[str] = Counter()

    async def go_on(self, until: float) -> None:
        """One thing after the other."""
        things: dict[str, Callable[[], Awaitable[None]]] = {
            "router killed": self._kill_router,
            "router frozen": self._freeze_router,
            "connections cut": self._cut,
            "worker left": self._leave,
        }
        if self._cluster.nats:
            things["NATS killed"] = self._kill_nats
        while time.monotonic() < until:
            await asyncio.sleep(self._chance.uniform(0.5, 4.0))
            name = self._chance.choice(list(things))
            await things[name]()
            self.happened[name] += 1

    async def _kill_router(self) -> None:
        router = self._chance.choice(self._cluster.routers)
        await router.kill()
        await asyncio.sleep(self._chance.uniform(0.0, 1.0))
        await router.start()
        self._chance.shuffle(self._cluster.front.ports)

    async def _freeze_router(self) -> None:
        program = self._chance.choice(self._cluster.routers).process
        assert program
        program.send_signal(signal.SIGSTOP)
        await asyncio.sleep(FROZEN_SECONDS)
        program.send_signal(signal.SIGCONT)

    async def _kill_nats(self) -> None:
        assert self._cluster.nats
        await asyncio.to_thread(self._cluster.nats.kill)
        await asyncio.sleep(self._chance.uniform(0.0, 1.0))
        await asyncio.to_thread(self._cluster.nats.start)

    async def _cut(self) -> None:
        self._cluster.front.cut()

    async def _leave(self) -> None:
        worker = self._chance.choice(self._cluster.workers)
        await worker.connection.wake()


class Asking:
    """Questions one after the other, and what came of them."""

    def __init__(self, cluster: Cluster, chance: random.Random) -> None:
        self._cluster = cluster
        self._chance = chance
        self.accepted: Counter[str] = Counter()
        self.outcomes: list[Outcome] = []
        self.seconds: list[float] = []

    async def go_on(self, until: float) -> None:
        """Until this moment, and until the last answer."""
        while time.monotonic() < until:
            began = time.monotonic()
            wanted = self._chance.choice([1, 1, 2, 3])
            outcome = await self._cluster.ask(wanted, 2, kept=self._accept)
            self.outcomes.append(outcome)
            self.seconds.append(time.monotonic() - began)

    def _accept(self, job: str) -> None:
        self.accepted[job] += 1


def report(asking: Asking, chaos: Chaos) -> bool:
    """Print what happened; whether nothing was lost and nothing answered twice."""
    ended = Counter(outcome.job for outcome in asking.outcomes)
    ends = Counter("+".join(outcome.ends) or "none" for outcome in asking.outcomes)
    empty = [outcome for outcome in asking.outcomes if not outcome.whole]
    text = "".join(WORDS)
    wrong = [
        outcome
        for outcome in asking.outcomes
        if len(outcome.whole) != len(set(outcome.whole))
        or any(outcome.texts[node] != text for node in outcome.whole)
    ]
    seconds = sorted(asking.seconds)
    print_head("what", "how many")
    for name, count in sorted(chaos.happened.items()):
        print_row(name, count)
    print_row("questions accepted", len(asking.accepted))
    print_row("ended, once each", sum(count == 1 for count in ended.values()))
    print_row("how they ended", ", ".join(f"{name}: {count}" for name, count in sorted(ends.items())))
    print_row("without a whole answer", len(empty))
    print_row("a wrong answer, or one twice from the same worker", len(wrong))
    print_row("seconds until the end, p50 and most", f"{seconds[len(seconds) // 2]:.1f}, {seconds[-1]:.1f}")
    lost = set(asking.accepted) - set(ended)
    print_row("lost", len(lost))
    return not (lost or wrong or empty) and set(ended.values()) == {1} and set(ends) == {"done"}


async def main(chosen: argparse.Namespace) -> bool:
    """Whether all was well."""
    chance = random.Random(chosen.seed)
    print_load("before")
    with tempfile.TemporaryDirectory() as folder:
        routers = 2 if chosen.nats else 1
        async with cluster(Path(folder), routers=routers, nats=chosen.nats, lease=2) as whole:
            for _ in range(WORKERS):
                await whole.join(SlowAnswerer(random.Random(chance.random())), slots=2)
            asking = Asking(whole, random.Random(chance.random()))
            chaos = Chaos(whole, random.Random(chance.random()))
            until = time.monotonic() + chosen.minutes * 60
            tasks = [asyncio.create_task(asking.go_on(until)) for _ in range(ASKERS)]
            await chaos.go_on(until)
            _, late = await asyncio.wait(tasks, timeout=LAST_SECONDS)
            for task in late:
                task.cancel()
            for task in tasks:
                if task not in late:
                    task.result()
    good = report(asking, chaos)
    print_load("after")
    return good


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--nats", action="store_true", help="two routers and a NATS server")
    parser.add_argument("--seed", type=int, default=1)
    sys.exit(0 if asyncio.run(main(parser.parse_args())) else 1)
