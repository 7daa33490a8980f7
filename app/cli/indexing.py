"""Documents on their way into the knowledge base, told in the terminal."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable

from app.cli.session import on_interrupt
from app.cli.text import print_json, show_progress
from app.core.strings import Strings
from app.services import Services
from rag.model import Document, DocumentState, IndexingProgress

_LOOK_SECONDS = 0.3


def show_indexing(opened: Services, strings: Strings) -> None:
    """Show from now on how far the reading of documents is."""

    def show(progress: IndexingProgress) -> None:
        counts = strings("knowledge.progress", done=progress.done_passages, count=progress.total_passages)
        show_progress(f"{strings.isolate(progress.title)} · {counts}")

    opened.knowledge.subscribe(show)


async def finish(opened: Services, ids: Iterable[int], strings: Strings, *, as_json: bool) -> int:
    """Wait until documents are read, and print them; returns how many could not be read."""
    waited = await _wait_until_idle(opened)
    show_progress("")
    if not waited:
        print(strings("cli.indexing_goes_on_later"), file=sys.stderr)
        raise KeyboardInterrupt
    documents = [opened.knowledge.document(document_id) for document_id in ids]
    if as_json:
        print_json(documents)
    else:
        for document in documents:
            print(document_line(document, strings))
    return sum(document.state is DocumentState.FAILED for document in documents)


async def _wait_until_idle(opened: Services) -> bool:
    """Wait until all documents are read; False where the user pressed Ctrl-C."""
    stopped = asyncio.Event()
    with on_interrupt(stopped.set):
        while not stopped.is_set():
            opened.take_over()  # if another process was reading them and has ended
            if await asyncio.to_thread(opened.knowledge.wait_until_idle, _LOOK_SECONDS):
                return True
    return False


def document_line(document: Document, strings: Strings) -> str:
    """A document with its number, and how it is."""
    if document.state is DocumentState.READY:
        detail = strings("knowledge.passages", count=document.passages)
    elif document.state is DocumentState.FAILED:
        detail = strings.error_named(document.error or "DocumentError")
    else:
        detail = strings(f"document.state.{document.state}")
    # The number is typed again in `dai kb remove`: as it is, in whichever digits.
    parts = [strings.isolate(document.title), detail]
    if document.address:
        parts.append(strings.isolate(document.address))
    return f"{document.id}  {' · '.join(parts)}"
