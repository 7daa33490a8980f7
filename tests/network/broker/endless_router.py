"""Takes questions, hands them out and ends them until it is killed; prints a line for all it acknowledges."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from network.broker.embedded import open_embedded_broker
from tests.network.broker.conftest import job, node


def acknowledge(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def main(path: Path, first: int) -> None:
    broker = await open_embedded_broker(path, wall=lambda: 1_800_000_000.0)
    number = first
    while True:
        await broker.submit(job(number, nodes="a", workers=1, body=b"x" * 500))
        acknowledge(f"kept {number}")
        number += 1
        for handout in await broker.lease(node("a"), number % 2):
            if int(handout.claim.job, 16) % 3:
                await broker.finish(handout.claim)
                acknowledge(f"done {int(handout.claim.job, 16)}")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
