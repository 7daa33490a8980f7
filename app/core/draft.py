"""An answer on its way into the store."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

from app.core.conversation_schema import MessageChanges
from app.core.conversations import Conversations
from app.core.errors import ConversationMissing
from app.core.messages import ChatMessage, Citation, MessageState
from app.core.provenance import Provenance
from engines.protocol import Usage
from rag.errors import KnowledgeError

PERSIST_SECONDS = 0.5
"""A kill loses at most this much of an answer."""

log = logging.getLogger(__name__)


class Draft:
    """An answer that is being written; its words are stored within `PERSIST_SECONDS`.

    An answer that is continued or replaced stays in the store as it was until the first new
    word: a failure or a stop before that costs nothing.
    """

    def __init__(
        self, conversations: Conversations, stored: ChatMessage, *, replace_it: bool = False
    ) -> None:
        """Write on where `stored` ends, or something else in its place."""
        self.state = MessageState.STOPPED
        """How the answer ends: stopped, unless the engine comes to say more."""
        beginning = _emptied(stored) if replace_it else stored
        self.beginning = replace(beginning, state=MessageState.STREAMING, error=None)
        """The answer as it is before the first new word."""
        self._conversations = conversations
        self._stored = stored
        self._replaces = replace_it and bool(stored.text or stored.thinking)
        self._text = [self.beginning.text]
        self._thinking = [self.beginning.thinking]
        self._has_new_words = False
        self._unsaved = MessageChanges(error=None)
        if replace_it:
            self._unsaved |= MessageChanges(
                model=None,
                usage=None,
                sources=(),
                searched=None,
                relevant=None,
                searched_for=None,
                provenance=None,
            )
        self._provenance: Provenance | None = None
        self._chosen: tuple[str | None, Sequence[Citation]] = (None, ())
        self._timer: asyncio.TimerHandle | None = None
        self._ended = False

    @property
    def text(self) -> str:
        """The answer so far."""
        self._text = ["".join(self._text)]
        return self._text[0]

    @property
    def thinking(self) -> str:
        """The thoughts so far."""
        self._thinking = ["".join(self._thinking)]
        return self._thinking[0]

    def retrieved(self, searched: int, relevant: int, searched_for: str | None = None) -> None:
        """The documents were searched, for something else than the question where `searched_for` says so."""
        self._unsaved |= MessageChanges(searched=searched, relevant=relevant, searched_for=searched_for)

    def begin(self, model: str | None, sources: Sequence[Citation] | None) -> None:
        """A model begins to answer, from these sources or, with None, from those it had.

        `model` is None while it is not known which of several others will.
        """
        self._unsaved["model"] = model
        self._chosen = model, self._chosen[1] if sources is None else sources
        if sources is not None:
            self._unsaved["sources"] = sources

    @property
    def chosen(self) -> tuple[str | None, Sequence[Citation]]:
        """Which model answers from which sources, as `begin` was told last."""
        return self._chosen

    def write(self, text: str) -> None:
        """More text of the answer."""
        self._text.append(text)
        self._persist_soon()

    def rewrite(self, text: str) -> None:
        """What this answer's run has written so far is void: this stands in its place."""
        self._text = [self.beginning.text, text]
        self._persist_soon()

    @property
    def provenance(self) -> Provenance | None:
        """Which other devices were asked, so far."""
        return self._provenance

    def comes_from(self, provenance: Provenance) -> None:
        """Other devices are asked: how that stands, stored with the next words."""
        self._unsaved["provenance"] = provenance
        self._provenance = provenance

    def think(self, text: str) -> None:
        """More of the thoughts."""
        self._thinking.append(text)
        self._persist_soon()

    def done(self, state: MessageState, usage: Usage | None = None) -> None:
        """Nothing more will come; a continued answer adds up what its parts cost."""
        self.state = state
        before = self.beginning.usage
        if usage is not None and before is not None:
            usage = replace(
                usage,
                answer_tokens=before.answer_tokens + usage.answer_tokens,
                generation_seconds=before.generation_seconds + usage.generation_seconds,
            )
        self._unsaved["usage"] = usage

    def finish(self) -> ChatMessage:
        """Store the whole answer and return it. One that was deleted meanwhile stays deleted.

        Raises:
            OSError: the device is full.
            DatabaseDamaged: the store is.
        """
        self._cancel_timer()
        if self._ended:
            return self._as_written()
        if not self._changes_anything():
            self._ended = True
            return self._stored
        self._save(self.state)
        self._ended = True
        try:
            return self._conversations.message(self._stored.id)
        except ConversationMissing:
            return self._as_written()

    def fail(self, error: Exception) -> ChatMessage:
        """Store what there is beside the error's name, as far as the store still takes it."""
        self.state = MessageState.FAILED
        self._unsaved["error"] = type(error).__name__
        try:
            return self.finish()
        except (OSError, KnowledgeError) as failure:
            log.warning("answer not stored: %s", type(failure).__name__)
            self._ended = True
            return self._as_written()

    def close(self) -> None:
        """Keep what there is of an answer that nobody waits for any more; harmless after the end."""
        if not self._ended:
            try:
                self.finish()
            except (OSError, KnowledgeError) as failure:
                log.warning("answer not stored: %s", type(failure).__name__)

    def _changes_anything(self) -> bool:
        ended_well = self.state not in (MessageState.STOPPED, MessageState.FAILED)
        nothing_to_keep = not self._stored.text and not self._stored.thinking
        return self._has_new_words or nothing_to_keep or (ended_well and not self._replaces)

    def _as_written(self) -> ChatMessage:
        return replace(
            self.beginning,
            text=self.text,
            thinking=self.thinking,
            state=self.state,
            error=self._unsaved.get("error"),
            provenance=self._provenance,
        )

    def _persist_soon(self) -> None:
        self._has_new_words = True
        if self._timer is None and not self._ended:
            self._timer = asyncio.get_running_loop().call_later(PERSIST_SECONDS, self._persist)

    def _persist(self) -> None:
        self._timer = None
        try:
            self._save(MessageState.STREAMING)
        except (OSError, KnowledgeError) as failure:  # told at the end, unless it works by then
            log.warning("answer not stored yet: %s", type(failure).__name__)

    def _save(self, state: MessageState) -> None:
        changes = self._unsaved | MessageChanges(text=self.text, thinking=self.thinking, state=state)
        self._conversations.write(self._stored.id, **changes)
        self._unsaved = MessageChanges()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _emptied(answer: ChatMessage) -> ChatMessage:
    return replace(
        answer,
        text="",
        thinking="",
        model=None,
        usage=None,
        citations=(),
        searched=None,
        searched_for=None,
        relevant=None,
        provenance=None,
    )
