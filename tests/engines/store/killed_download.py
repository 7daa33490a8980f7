"""A download that kills its own process at a step: address of the hub, URL, target, number of the step.

Steps are the chunks that arrive, and whatever changes a file: opening it to write, renaming, removing.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from engines.store.connection import HubAccess, HubConnection
from engines.store.transfer import Source, Transfer

CHANGES = ("os.rename", "os.remove", "os.truncate", "open")
steps_left = int(sys.argv[4])
target = Path(sys.argv[3])


def step() -> None:
    global steps_left
    steps_left -= 1
    if steps_left == 0:
        os.kill(os.getpid(), signal.SIGKILL)


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in CHANGES or (event == "open" and "r" in str(arguments[1])):
        return
    if event == "os.truncate" or str(arguments[0]).startswith(str(target.parent)):
        step()


async def main() -> None:
    connection = HubConnection(HubAccess(sys.argv[1]))
    transfer = Transfer(
        connection, Source(sys.argv[2], "owner/name", target.name), target, progress=lambda *_: step()
    )
    await transfer.run()
    await connection.close()


sys.addaudithook(watch)
asyncio.run(main())
