"""Asks, waits until words are in the store, says so, and then neither goes on nor ends until it is killed.

python -m tests.app.core.answer_for_ever FOLDER
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

from app.core.events import Token
from tests.app.core.conftest import Desk


async def main() -> None:
    desk = Desk(Path(sys.argv[1]))
    stored = asyncio.Event()
    write = desk.conversations.write

    def write_and_tell(message_id: int, **changes: Any) -> None:
        write(message_id, **changes)
        stored.set()

    desk.conversations.write = write_and_tell  # type: ignore[method-assign]
    conversation = desk.new()
    text = ""
    async for event in desk.answering.ask(conversation, "Count"):
        text += event.text if isinstance(event, Token) else ""
        if "three" in text:
            stored.clear()
            await stored.wait()
            print(conversation, flush=True)  # noqa: T201 - the test waits for it
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
