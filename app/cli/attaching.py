"""Files that go along with a question of the terminal."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from app.cli.session import on_interrupt, strings_of
from app.cli.text import show_progress
from app.core.attachments import AttachmentDraft
from app.services import Services


async def attach(opened: Services, files: Sequence[Path]) -> AttachmentDraft | None:
    """Read files, and say of each whether the model gets it whole; None where there are none.

    Raises:
        DocumentError: one of them cannot be read.
        AttachmentFailed: one of them cannot be searched.
        KeyboardInterrupt: the user pressed Ctrl-C; nothing of them stays.
    """
    if not files:
        return None
    strings = strings_of(opened)
    draft = AttachmentDraft()
    try:
        for path in files:

            def progress(done: int, total: int, name: str = path.name) -> None:
                counts = strings("knowledge.progress", done=done, count=total)
                show_progress(f"{strings.isolate(name)} · {counts}")

            opened.take_over()  # where no other process reads documents
            adding = asyncio.ensure_future(opened.attachments.add(draft, path, path.name, progress=progress))
            with on_interrupt(adding.cancel):
                try:
                    attached = await adding
                except asyncio.CancelledError:
                    raise KeyboardInterrupt from None
                finally:
                    show_progress("")
            way = "whole" if attached.whole else "searched"
            print(f"{strings.isolate(attached.name)} · {strings(f'attachment.{way}')}", file=sys.stderr)
    except BaseException:
        await opened.attachments.discard(draft)
        raise
    return draft
