"""An answer on its way into the store."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from app.core.conversations import Conversations
from app.core.errors import ConversationMissing
from app.core.messages import ChatMessage, Citation, MessageState
from engines.protocol import Usage

PERSIST_SECONDS = 0.5
"""A kill loses at most this much of an answer."""


class Draft:
    """An answer that is being written; what it holds is stored within `PERSIST_SECONDS`."""

    def __init__(self, conversations: Conversations, answer: ChatMessage) -> None:
        self._conversations = conversations
        self._answer = answer
        self._text = [answer.text]
        self._thinking = [answer.thinking]
        self._state = MessageState.COMPLETE
        self._usage: Usage | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def message_id(self) -> int:
        """Id of the answer."""
        return self._answer.id

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

    def retrieved(self, searched: int, relevant: int) -> None:
        """The documents were searched."""
        self._conversations.write(self.message_id, searched=searched, relevant=relevant)

    def begin(self, model: str, sources: Sequence[Citation]) -> None:
        """A model begins to answer from these sources."""
        self._conversations.write(self.message_id, model=model, sources=sources)

    def write(self, text: str) -> None:
        """More text of the answer."""
        self._text.append(text)
        self._persist_soon()

    def think(self, text: str) -> None:
        """More of the thoughts."""
        self._thinking.append(text)
        self._persist_soon()

    def done(self, state: MessageState, usage: Usage) -> None:
        """The engine ended; a continued answer adds up what both parts cost."""
        self._state = state
        before = self._answer.usage
        self._usage = (
            usage
            if before is None
            else replace(
                usage,
                answer_tokens=before.answer_tokens + usage.answer_tokens,
                generation_seconds=before.generation_seconds + usage.generation_seconds,
            )
        )

    def finish(self, state: MessageState | None = None, *, error: str | None = None) -> ChatMessage:
        """Store the whole answer with its final state, and return it.

        An answer that was deleted meanwhile stays deleted.
        """
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._conversations.write(
            self.message_id,
            text=self.text,
            thinking=self.thinking,
            state=state or self._state,
            usage=self._usage,
            error=error,
        )
        try:
            return self.stored()
        except ConversationMissing:
            return replace(self._answer, text=self.text, state=state or self._state, error=error)

    def stored(self) -> ChatMessage:
        """The answer as stored.

        Raises:
            ConversationMissing: it was deleted meanwhile.
        """
        return self._conversations.message(self.message_id)

    def _persist_soon(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PERSIST_SECONDS, self._persist)

    def _persist(self) -> None:
        self._timer = None
        self._conversations.write(self.message_id, text=self.text, thinking=self.thinking)
