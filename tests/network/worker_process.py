"""A worker in a process of its own, to be killed: says the first words of an answer and goes on for ever.

    python -m tests.network.worker_process ADDRESS [SEED KEYS]

With a seed it is a slow worker that comes to an end, as `SlowAnswerer`; its keys are in the file KEYS, so
that it is the same device when it is started again.

It ends with its input. Prints its number when it starts and a line when it is at a question.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from network.answered import AnsweredQuestions
from network.cards import issue_card
from network.keys import DeviceKeys
from network.protocol.content import Question
from network.worker.connection import Registration, RouterConnection
from tests.network.cluster import offer
from tests.network.slow_answerer import SlowAnswerer
from tests.network.small_world import now


class Endless:
    """Never comes to an end."""

    async def answer(self, question: Question, asker: bytes) -> AsyncIterator[str]:
        yield "Well"
        say("at it")
        await asyncio.Event().wait()


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def main(address: str, seed: str = "", kept: str = "") -> None:
    answerer = SlowAnswerer(random.Random(seed)) if seed else Endless()
    file = Path(kept) if kept else None
    if file and file.exists():
        keys = DeviceKeys.from_secret_bytes(file.read_bytes())
    else:
        keys = DeviceKeys.generate(now())
    keys, card = issue_card(keys, offer(slots=1), now())
    if file:
        file.write_bytes(keys.to_secret_bytes())

    async def register(_: object) -> Registration:
        return Registration(keys, card, public=True)

    asyncio.get_running_loop().add_reader(sys.stdin, lambda: sys.stdin.buffer.read1() or os._exit(0))
    say(keys.node)
    async with httpx.AsyncClient(trust_env=False) as http:
        await RouterConnection(address, http, register, answerer, AnsweredQuestions()).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
