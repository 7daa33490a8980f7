"""A router in a process of its own, for benchmarks and for killing: says its address, ends with its input.

    python -m tests.network.router_process KEY_FILE (--file JOBS | --nats URL) [--origin ADDRESS] …

A line such as "clock 90" on its input sets its clock 90 seconds forward. Limits per address and per asker are
off, since all load comes from one machine.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from network.broker.embedded import open_embedded_broker
from network.broker.job_table import Limits
from network.broker.protocol import Broker
from network.router.desk import RouterTimes
from network.router.http.app import make_app
from network.router.http.server import listening_socket, make_server, run
from network.router.http.settings import RouterSettings

ENOUGH = 1_000_000


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "key", type=Path, help="32 bytes; made where it is missing. Routers that are one share it."
    )
    parser.add_argument("--origin", default="", help="the address that devices use, where it is another")
    parser.add_argument("--file", type=Path)
    parser.add_argument("--nats", default="")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=10_000, help="how many questions may be open")
    parser.add_argument("--lease", type=int, default=15, help="seconds")
    return parser.parse_args()


def read_key(path: Path) -> Ed25519PrivateKey:
    """The router's key, made at the first start."""
    if not path.exists():
        path.write_bytes(Ed25519PrivateKey.generate().private_bytes_raw())
    return Ed25519PrivateKey.from_private_bytes(path.read_bytes())


def settings_for(address: str, lease: int) -> RouterSettings:
    """Without limits that a single machine would run into."""
    return RouterSettings(
        origins=frozenset({address}),
        links_per_address=ENOUGH,
        streams_per_address=ENOUGH,
        requests_per_minute=ENOUGH,
        questions_per_minute=ENOUGH,
        questions_per_day=ENOUGH,
        drain_seconds=0.0,
        retry_seconds=1,
        times=RouterTimes(lease=lease, grace=max(1, lease // 2)),
    )


class Clock:
    """Seconds since 1970, and as many more as somebody has set it forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead

    def told(self, line: str) -> bool:
        """Follow a line of the input; False at its end."""
        if line.startswith("clock "):
            self.ahead = float(line.removeprefix("clock "))
        return bool(line)


async def serve(chosen: argparse.Namespace) -> None:
    """Until the input ends."""
    clock = Clock()
    limits = Limits(jobs=chosen.jobs, lease_seconds=chosen.lease, patience_seconds=2.0 * chosen.lease)

    async def open_broker() -> Broker:
        if chosen.nats:
            from network.broker.nats.broker import open_nats_broker
            from network.broker.nats.settings import NatsSettings

            return await open_nats_broker(NatsSettings(servers=(chosen.nats,)), limits, wall=clock)
        return await open_embedded_broker(chosen.file, limits, wall=clock)

    listening = listening_socket("127.0.0.1", chosen.port)
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    settings = settings_for(chosen.origin or address, chosen.lease)
    app = make_app(settings, read_key(chosen.key), open_broker, wall=clock)
    server = make_server(app, handles_signals=False)
    asyncio.get_running_loop().add_reader(
        sys.stdin, lambda: clock.told(sys.stdin.readline()) or server.stop()
    )
    serving = asyncio.create_task(server.serve([listening]))
    while not server.started and not serving.done():  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.005)
    if server.started:
        sys.stdout.write(address + "\n")
        sys.stdout.flush()
    await serving


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    run(serve(arguments()))
