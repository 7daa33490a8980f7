"""Asks, waits until words are in the store, says so, and then neither goes on nor ends until it is killed.

python -m tests.app.core.answer_for_ever FOLDER
"""

import asyncio
import sys
from pathlib import Path

from tests.app.core.conftest import Desk


async def main() -> None:
    desk = Desk(Path(sys.argv[1]))
    conversation = desk.new()
    async for _ in desk.answering.ask(conversation, "Count"):
        if desk.last(conversation).text:
            print(conversation, flush=True)  # noqa: T201 - the test waits for it
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
