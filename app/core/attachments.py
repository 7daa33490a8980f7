"""Files that go along with a question: whole where they fit the context window, else searched."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from contextvars import copy_context
from dataclasses import dataclass, field
from pathlib import Path

from app.core.conversations import Conversations
from app.core.errors import AppError, AttachmentFailed
from app.core.messages import Attachment
from app.core.models import Models
from app.core.settings import SettingsStore
from engines.errors import EngineError
from rag.documents import Section, read_document
from rag.errors import DocumentDeleted
from rag.knowledge import KnowledgeBase
from rag.model import DocumentState
from rag.recognition.finding import find_recogniser

WHOLE_SHARE = 0.5
"""Files that are given whole take at most this share of the context window; the rest is for talking."""
_CHARACTERS_PER_TOKEN = 2.5
"""A careful guess, where no model is loaded that could count."""
_LONGEST_TOKEN = 8
"""Characters; a text longer than that many times the room need not be counted."""
_LOOK_SECONDS = 0.2

Progress = Callable[[int, int], None]
"""Told how many passages of a file that is searched are ready, and of how many."""


@dataclass(slots=True)
class AttachmentDraft:
    """The files that wait for the question they belong to."""

    collection_id: int | None = None
    """The hidden collection for those of them that are searched."""
    files: list[Attachment] = field(default_factory=list)

    @property
    def tokens(self) -> int:
        """What the whole ones take."""
        return sum(file.tokens for file in self.files)


class Attachments:
    """Makes files ready to be asked about; those that are searched lie in hidden collections."""

    def __init__(
        self, conversations: Conversations, knowledge: KnowledgeBase, models: Models, settings: SettingsStore
    ) -> None:
        self._conversations = conversations
        self._knowledge = knowledge
        self._models = models
        self._settings = settings

    async def add(
        self,
        draft: AttachmentDraft,
        path: Path,
        name: str,
        *,
        owned: bool = False,
        progress: Progress = lambda done, total: None,
    ) -> Attachment:
        """Read a file, and decide whether it is given whole or searched; then it is ready to be searched.

        Cancel the task of the call to give it up; nothing of it stays.

        Args:
            draft: where it is put.
            path: the file.
            name: what the user calls it.
            owned: it is a copy of ours, and deleted when it is read.
            progress: see `Progress`.

        Raises:
            DocumentError: it cannot be read; leaves of it.
            AttachmentFailed: it could not be indexed.
        """
        room = await self._room(draft)
        size = await asyncio.to_thread(_size, path)
        given_up = threading.Event()
        try:
            text = await asyncio.to_thread(_read, path, name, room * _LONGEST_TOKEN, given_up)
        except asyncio.CancelledError:
            given_up.set()
            raise
        if text is not None:
            tokens = await self._count(text)
            if tokens <= room:
                if owned:
                    await asyncio.to_thread(path.unlink, missing_ok=True)
                whole = Attachment(name, size, tokens=tokens, text=text)
                draft.files.append(whole)
                return whole
        searched = await self._index(draft, path, name, size, owned=owned, progress=progress)
        draft.files.append(searched)
        return searched

    async def remove(self, draft: AttachmentDraft, file: Attachment) -> None:
        """Take a file back before its question is asked."""
        draft.files = [other for other in draft.files if other is not file]
        if file.document_id is not None:
            await asyncio.to_thread(self._knowledge.delete_document, file.document_id)

    async def discard(self, draft: AttachmentDraft) -> None:
        """Take back all files of a question that will not be asked."""
        draft.files = []
        if draft.collection_id is not None:
            await asyncio.to_thread(self._knowledge.delete_collection, draft.collection_id)
            draft.collection_id = None

    def forget(self, conversation_id: int) -> None:
        """The conversation is going to be deleted: delete what is searched for it alone."""
        for number in self._conversations.attached.collections_of_this_alone(conversation_id):
            self._knowledge.delete_collection(number)

    def tidy(self) -> None:
        """Delete what a kill has left of files that were never asked about; only where nobody else writes."""
        known = set(self._conversations.attached.collections())
        for number in self._knowledge.hidden_collections():
            if number not in known:
                self._knowledge.delete_collection(number)

    async def _room(self, draft: AttachmentDraft) -> int:
        """Tokens that one more whole file may take."""
        try:
            context = (await self._models.engine()).info.context_tokens
        except (AppError, EngineError):
            context = self._settings.current.context_tokens
        return max(0, int(context * WHOLE_SHARE) - draft.tokens)

    async def _count(self, text: str) -> int:
        try:
            [tokens] = await (await self._models.engine()).count_texts([text])
        except (AppError, EngineError):
            return int(len(text) / _CHARACTERS_PER_TOKEN) + 1
        return tokens

    async def _index(
        self, draft: AttachmentDraft, path: Path, name: str, size: int, *, owned: bool, progress: Progress
    ) -> Attachment:
        if draft.collection_id is None:
            draft.collection_id = await asyncio.to_thread(self._knowledge.create_hidden_collection)
        document = await asyncio.to_thread(
            self._knowledge.add, draft.collection_id, path, name=name, owned=owned
        )

        loop, context = asyncio.get_running_loop(), copy_context()  # the indexer's thread has none of either

        def tell(done: int, total: int) -> None:
            loop.call_soon_threadsafe(progress, done, total, context=context)

        end = self._knowledge.subscribe(
            lambda it: tell(it.done_passages, it.total_passages) if it.document_id == document.id else None
        )
        try:
            while True:
                now = await asyncio.to_thread(self._knowledge.document, document.id)
                if now.state is DocumentState.READY:
                    return Attachment(name, size, document_id=document.id)
                if now.state is DocumentState.FAILED:
                    raise AttachmentFailed(name, now.error or "DocumentError")
                await asyncio.sleep(_LOOK_SECONDS)
        except DocumentDeleted as error:
            raise AttachmentFailed(name, "DocumentDeleted") from error
        except BaseException:
            self._knowledge.cancel(document.id)
            raise
        finally:
            end()


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


class _GivenUp(Exception):
    """Nobody wants the text any more."""


def _read(path: Path, name: str, limit: int, given_up: threading.Event) -> str | None:
    """The text of a file; None where it has more than `limit` characters."""

    def going_on() -> None:
        if given_up.is_set():
            raise _GivenUp

    parsed = read_document(path, name, recogniser=find_recogniser(), going_on=going_on)
    return _joined(parsed.sections, limit, going_on)


def _joined(sections: Iterable[Section], limit: int, going_on: Callable[[], None]) -> str | None:
    parts: list[str] = []
    length = 0
    for section in sections:
        going_on()
        length += len(section.text) + 2
        if length > limit:
            return None
        parts.append(section.text)
    return "\n\n".join(parts)
