"""The app's server, with an answer that goes on for ever: `DAI_HOME=… python -m tests.app.web_with_a_model`.

Prints a line when the answer has begun.
"""

import asyncio

from app import main
from app.core.events import Token
from app.ui.process import process

begun: list[asyncio.Task[None]] = []


async def answer() -> None:
    shared = await process()
    conversation = shared.services.conversations.create()
    told = False
    async for event in shared.services.answering.ask(conversation.id, "Go on"):
        if isinstance(event, Token) and not told:
            told = True
            print("answering", flush=True)  # noqa: T201 - the test waits for it


main._run(main._serve_page(main.LOCALHOST, 0, on_start=lambda: begun.append(asyncio.ensure_future(answer()))))
