"""The main use case: a question becomes an answer, event by event."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, TypeVar

from app.core.conversations import Conversations
from app.core.direction import is_right_to_left
from app.core.draft import Draft
from app.core.errors import AlreadyAnswering, AppError, EmptyQuestion, NothingToAnswer
from app.core.events import Event, Failed, Finished, Retrieved, Started, Stopped, Thinking, Token
from app.core.messages import ChatMessage, Citation, MessageState
from app.core.models import Models
from app.core.prompt import compose_prompt
from app.core.settings import SettingsStore
from engines.errors import EngineError
from engines.protocol import (
    Done,
    Engine,
    Finish,
    TextDelta,
    ThinkingDelta,
)
from rag.errors import KnowledgeError
from rag.knowledge import KnowledgeBase
from rag.model import FoundPassage, SearchResult

log = logging.getLogger(__name__)

T = TypeVar("T")

_STATE_OF = {
    Finish.END_OF_TURN: MessageState.COMPLETE,
    Finish.STOP_STRING: MessageState.COMPLETE,
    Finish.MAX_TOKENS: MessageState.CUT_OFF,
    Finish.CONTEXT_FULL: MessageState.CUT_OFF,
    Finish.CANCELLED: MessageState.STOPPED,
}


@dataclass(slots=True)
class _Run:
    """One answer being written."""

    question: ChatMessage
    draft: Draft
    continued: bool = False
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    engine: Engine | None = None
    """Set while it generates for this run."""


class _StoppedEarly(Exception):
    """The user stopped before the model had begun."""


class Answering:
    """Answers questions with this device's model, from the documents a conversation asks.

    One answer at a time in a conversation; answers of several conversations wait for the
    model in the order they were asked. Leaving an iterator early stops its answer.
    """

    def __init__(
        self,
        conversations: Conversations,
        knowledge: KnowledgeBase,
        models: Models,
        settings: SettingsStore,
        nothing_found: Callable[[bool, int], str],
    ) -> None:
        """`nothing_found(right_to_left, searched)` gives the sentence for an empty search."""
        self._conversations = conversations
        self._knowledge = knowledge
        self._models = models
        self._settings = settings
        self._nothing_found = nothing_found
        self._runs: dict[int, _Run] = {}
        self._turn = asyncio.Lock()

    def answering(self, conversation_id: int) -> bool:
        """Whether an answer is being written in this conversation."""
        return conversation_id in self._runs

    def stop(self, conversation_id: int) -> None:
        """Stop the answer of this conversation, if one is being written; its text stays."""
        run = self._runs.get(conversation_id)
        if run is not None:
            run.stop.set()
            if run.engine is not None:
                run.engine.cancel()

    def ask(self, conversation_id: int, text: str) -> AsyncGenerator[Event, None]:
        """Store a question and answer it. The first step raises:

        Raises:
            EmptyQuestion: there is nothing but white space.
            AlreadyAnswering: the conversation's last answer is still being written.
            ConversationMissing: it was deleted.
        """
        return self._answer(conversation_id, lambda: self._new_question(conversation_id, text))

    def regenerate(self, conversation_id: int) -> AsyncGenerator[Event, None]:
        """Answer the last question again; the answer it had is replaced. The first step raises:

        Raises:
            NothingToAnswer: there is no question yet.
            AlreadyAnswering: the conversation's last answer is still being written.
        """
        return self._answer(conversation_id, lambda: self._last_question(conversation_id))

    def continue_answer(self, conversation_id: int) -> AsyncGenerator[Event, None]:
        """Go on with the last answer right where it ended. The first step raises:

        Raises:
            NothingToAnswer: the last message is no answer that could go on.
            AlreadyAnswering: it is still being written.
        """
        return self._answer(conversation_id, lambda: self._unfinished_answer(conversation_id))

    def _new_question(self, conversation_id: int, text: str) -> _Run:
        if not text.strip():
            raise EmptyQuestion
        question = self._conversations.add(conversation_id, "user", text.strip())
        return self._new_answer(question)

    def _last_question(self, conversation_id: int) -> _Run:
        messages = self._conversations.messages(conversation_id)
        question = next((message for message in reversed(messages) if message.role == "user"), None)
        if question is None:
            raise NothingToAnswer
        for message in messages:
            if message.id > question.id:
                self._conversations.delete_message(message.id)
        return self._new_answer(question)

    def _unfinished_answer(self, conversation_id: int) -> _Run:
        messages = self._conversations.messages(conversation_id)
        if len(messages) < 2 or not messages[-1].continuable or messages[-2].role != "user":
            raise NothingToAnswer
        question, answer = messages[-2:]
        self._conversations.write(answer.id, state=MessageState.STREAMING)
        return _Run(question, Draft(self._conversations, answer), continued=bool(answer.text))

    def _new_answer(self, question: ChatMessage) -> _Run:
        answer = self._conversations.add(question.conversation_id, "assistant", state=MessageState.STREAMING)
        return _Run(question, Draft(self._conversations, answer))

    async def _answer(self, conversation_id: int, prepare: Callable[[], _Run]) -> AsyncGenerator[Event, None]:
        if conversation_id in self._runs:
            raise AlreadyAnswering
        run = self._runs[conversation_id] = prepare()
        draft = run.draft
        try:
            yield Started(run.question, draft.stored())
            async with aclosing(self._write(run)) as events:
                async for event in events:
                    yield event
            answer = draft.finish()
            self._runs.pop(conversation_id)
            yield Stopped(answer) if answer.state is MessageState.STOPPED else Finished(answer)
        except _StoppedEarly:
            self._runs.pop(conversation_id)
            yield Stopped(draft.finish(MessageState.STOPPED))
        except (EngineError, KnowledgeError, AppError, OSError) as error:
            self._runs.pop(conversation_id)
            log.warning("answer failed: %s", type(error).__name__)
            yield Failed(draft.finish(MessageState.FAILED, error=type(error).__name__), error)
        finally:
            if self._runs.get(conversation_id) is run:  # left early, or an unforeseen error
                del self._runs[conversation_id]
                draft.finish(MessageState.STOPPED)

    async def _write(self, run: _Run) -> AsyncGenerator[Event, None]:
        """Retrieve, wait for the model, generate; the draft holds the result."""
        sources: tuple[Citation, ...] = ()
        if run.continued:
            sources = self._conversations.sources(run.draft.message_id)
        elif collections := self._conversations.get(run.question.conversation_id).collection_ids:
            found = await _unless_stopped(run, self._search(run.question.text, collections))
            sources = tuple(_source(number, item) for number, item in enumerate(found.passages, 1))
            run.draft.retrieved(found.searched, len(sources))
            yield Retrieved(found.searched, len(sources))
            if not sources:
                text = self._nothing_found(is_right_to_left(run.question.text), found.searched)
                run.draft.write(text)
                yield Token(text)
                return
        await _unless_stopped(run, self._turn.acquire(), abandon=asyncio.Task.cancel)
        try:
            engine = await _unless_stopped(run, self._models.engine())
            composed = compose_prompt(
                engine,
                self._settings.current,
                earlier=self._earlier(run.question),
                question=run.question.text,
                sources=sources,
                answer_start=run.draft.text,
            )
            prompt, sources = await _unless_stopped(run, composed)
            run.draft.begin(engine.info.name, sources)
            run.engine = engine
            if run.stop.is_set():
                raise _StoppedEarly
            async with aclosing(engine.stream(prompt)) as deltas:
                async for delta in deltas:
                    match delta:
                        case TextDelta(text):
                            run.draft.write(text)
                            yield Token(text)
                        case ThinkingDelta(text):
                            run.draft.think(text)
                            yield Thinking(text)
                        case Done(finish, usage):
                            run.draft.done(_STATE_OF[finish], usage)
        finally:
            run.engine = None
            self._turn.release()

    def _earlier(self, question: ChatMessage) -> list[ChatMessage]:
        messages = self._conversations.messages(question.conversation_id)
        return [message for message in messages if message.id < question.id]

    async def _search(self, question: str, collection_ids: Sequence[int]) -> SearchResult:
        limit = self._settings.current.passages
        return await asyncio.to_thread(self._knowledge.search, question, collection_ids, limit)


async def _unless_stopped(
    run: _Run, work: Coroutine[Any, Any, T], abandon: Callable[[asyncio.Task[T]], object] | None = None
) -> T:
    """Wait for `work`, but not longer than until the user stops.

    Work that is left behind goes on (a model that is being loaded serves the next question),
    unless `abandon` ends it.
    """
    if run.stop.is_set():
        work.close()
        raise _StoppedEarly
    task = asyncio.ensure_future(work)
    stop = asyncio.ensure_future(run.stop.wait())
    try:
        await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise _StoppedEarly
    finally:
        stop.cancel()
        if not task.done():
            task.add_done_callback(_forget)
            if abandon is not None:
                abandon(task)


def _forget(task: asyncio.Task[Any]) -> None:
    """Nobody waits for this task any more; its error is not an unhandled one."""
    if not task.cancelled() and task.exception() is not None:
        log.info("abandoned work failed: %s", type(task.exception()).__name__)


def _source(number: int, found: FoundPassage) -> Citation:
    passage = found.passage
    return Citation(
        number,
        passage.id,
        passage.document_id,
        passage.document_title,
        passage.page,
        passage.heading,
        passage.text,
    )
