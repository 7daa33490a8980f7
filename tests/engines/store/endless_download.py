"""A program that downloads one file, for tests that kill it: address of the hub, URL, target."""

import asyncio
import sys
from pathlib import Path

from engines.store.connection import HubAccess, HubConnection
from engines.store.transfer import Source, Transfer


async def main(hub: str, url: str, target: str) -> None:
    connection = HubConnection(HubAccess(hub))
    source = Source(url, "owner/name", "model.gguf")
    await Transfer(connection, source, Path(target)).run()


asyncio.run(main(*sys.argv[1:]))
