"""Random kills for some minutes: is every accepted question ended once, with a whole answer?

    python benchmarks/chaos.py --minutes 5 [--nats] [--seed 1]

One router with its file, or with --nats two routers and a NATS server; everything goes through a proxy. Every
few moments a router, a worker or NATS is killed with kill -9 and started again, or a router stands still for
three seconds; all connections are cut, or nothing comes through them for a while, or they are dead without
anybody being told while new ones work, as when devices change their network, or everything is late; or the
clock of a router or a worker jumps by up to 100 seconds. Workers take a while for their words. Leases last
four seconds, and workers whose connection breaks may be away for two. The same seed makes the same choices;
when they hit what, the machine decides.
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
from collections.abc import Awaitable, Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.rounds import print_head, print_load, print_row
from tests.network.cluster import Cluster, Outcome, Program, cluster
from tests.network.slow_answerer import WORDS, SlowAnswerer

WORKERS = 8
KILLED_WORKERS = 2
"""More of them, each in a process of its own."""
LEASE_SECONDS = 4
MOST_CLOCK_SECONDS = 100.0
"""Cards and proofs bear 300 of difference; two clocks here differ by twice as much as one jumps."""
ASKERS = 6
FROZEN_SECONDS = 3.0
LAST_SECONDS = 120.0
"""For what is on its way when the killing ends."""


class Chaos:
    """Things that happen to a cluster."""

    def __init__(self, cluster: Cluster, chance: random.Random, folder: Path) -> None:
        self._cluster = cluster
        self._chance = chance
        self._folder = folder
        self.happened: Counter[str] = Counter()
        self.programs: dict[int, Program] = {}
        """Workers that are there to be killed."""

    async def go_on(self, until: float) -> None:
        """One thing after the other."""
        things: dict[str, Callable[[], Awaitable[None]]] = {
            "router killed": self._kill_router,
            "router frozen": self._freeze_router,
            "worker killed": self._kill_worker,
            "connections cut": self._cut,
            "connections black for a while": self._hold,
            "connections dead, new ones well": self._strand,
            "everything late for a while": self._delay,
            "clock of a router jumped": self._jump,
            "clock of a worker jumped": self._jump_worker,
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

    async def start_worker(self, place: int) -> None:
        """One in a process of its own; at the same place it is the same device again."""
        keys = str(self._folder / f"worker-{place}")
        seed = str(self._chance.random())
        self.programs[place] = program = Program("worker_process", self._cluster.front.address, seed, keys)
        await self._cluster.until_there(await program.line())

    async def close(self) -> None:
        """End what was started here."""
        self._cluster.front.release()
        for program in self.programs.values():
            await program.kill()

    async def _kill_worker(self) -> None:
        place = self._chance.randrange(len(self.programs))
        await self.programs[place].kill()
        await self.start_worker(place)

    async def _cut(self) -> None:
        self._cluster.front.cut()

    async def _hold(self) -> None:
        self._cluster.front.hold()
        await asyncio.sleep(self._chance.uniform(0.5, 6.0))
        self._cluster.front.release()

    async def _strand(self) -> None:
        end = self._cluster.front.strand()
        for worker in self._cluster.workers:
            await worker.connection.wake()  # devices notice that their network is another
        await asyncio.sleep(self._chance.uniform(0.5, 4.0))
        end()

    async def _delay(self) -> None:
        self._cluster.front.delay_seconds = self._chance.uniform(0.05, 0.5)
        await asyncio.sleep(3.0)
        self._cluster.front.delay_seconds = 0.0

    async def _jump(self) -> None:
        program = self._chance.choice(self._cluster.routers).process
        assert program
        program.say(f"clock {self._chance.uniform(-MOST_CLOCK_SECONDS, MOST_CLOCK_SECONDS):.0f}")

    async def _jump_worker(self) -> None:
        worker = self._chance.choice(self._cluster.workers)
        worker.ahead = self._chance.uniform(-MOST_CLOCK_SECONDS, MOST_CLOCK_SECONDS)


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
    again = sum(attempt > 1 for outcome in asking.outcomes for _, attempt in outcome.beginnings)
    refused = Counter(name for outcome in asking.outcomes for name in outcome.refused)
    print_row(
        "refused for the time of their ticket, and sent anew",
        sum(outcome.not_accepted for outcome in asking.outcomes),
    )
    print_row("answers begun", sum(len(outcome.beginnings) for outcome in asking.outcomes))
    print_row("of them as another attempt of the same worker", again)
    print_row("messages that askers refused", ", ".join(map(str, sorted(refused.items()))) or 0)
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
        async with cluster(Path(folder), routers=routers, nats=chosen.nats, lease=LEASE_SECONDS) as whole:
            for _ in range(WORKERS):
                await whole.join(SlowAnswerer(random.Random(chance.random())), slots=2)
            asking = Asking(whole, random.Random(chance.random()))
            chaos = Chaos(whole, random.Random(chance.random()), Path(folder))
            try:
                for place in range(KILLED_WORKERS):
                    await chaos.start_worker(place)
                until = time.monotonic() + chosen.minutes * 60
                tasks = [asyncio.create_task(asking.go_on(until)) for _ in range(ASKERS)]
                await chaos.go_on(until)
                _, late = await asyncio.wait(tasks, timeout=LAST_SECONDS)
                for task in late:
                    task.cancel()
                for task in tasks:
                    if task not in late:
                        task.result()
            finally:
                await chaos.close()
    good = report(asking, chaos)
    print_load("after")
    return good


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--nats", action="store_true", help="two routers and a NATS server")
    parser.add_argument("--seed", type=int, default=1)
    sys.exit(0 if asyncio.run(main(parser.parse_args())) else 1)
