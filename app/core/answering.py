"""The main use case: a question becomes an answer, event by event."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field

from app.core import phrases
from app.core.attachments import AttachmentDraft
from app.core.citations import cited
from app.core.conversations import Conversations
from app.core.draft import Draft
from app.core.errors import AlreadyAnswering, EmptyQuestion, NothingToAnswer
from app.core.events import Event, Failed, Finished, Retrieved, Started, Stopped, Thinking, Token
from app.core.instance import WritersLock
from app.core.messages import Attachment, ChatMessage, Citation, MessageState
from app.core.models import Models
from app.core.owner_activity import OwnerActivity
from app.core.prompt import compose_prompt
from app.core.settings import SettingsStore
from app.core.stopping import StoppedEarly, StopSwitch
from engines.protocol import Done, Engine, Finish, Prompt, TextDelta, ThinkingDelta
from rag.knowledge import KnowledgeBase
from rag.model import Passage, SearchResult

log = logging.getLogger(__name__)

_STATE_OF = {
    Finish.END_OF_TURN: MessageState.COMPLETE,
    Finish.STOP_STRING: MessageState.COMPLETE,
    Finish.MAX_TOKENS: MessageState.CUT_OFF,
    Finish.CONTEXT_FULL: MessageState.CUT_OFF,
    Finish.REPEATING: MessageState.REPEATING,
    Finish.CANCELLED: MessageState.STOPPED,
}
_ENDED = (MessageState.COMPLETE, MessageState.REPEATING)


@dataclass(frozen=True, slots=True)
class _Run:
    """One answer being written."""

    question: ChatMessage
    draft: Draft
    sources: tuple[Citation, ...] | None = None
    """For an answer that is continued: what it rests on. None: the documents are asked."""
    stop: StopSwitch = field(default_factory=StopSwitch)
    ended: asyncio.Event = field(default_factory=asyncio.Event)


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
        writers: WritersLock,
        activity: OwnerActivity | None = None,
    ) -> None:
        self._conversations = conversations
        self._knowledge = knowledge
        self._models = models
        self._settings = settings
        self._writers = writers
        self._activity = activity or OwnerActivity()
        self._runs: dict[int, _Run] = {}
        self._turn = asyncio.Lock()

    def answering(self, conversation_id: int) -> bool:
        """Whether an answer is being written in this conversation."""
        return conversation_id in self._runs

    @property
    def busy(self) -> bool:
        """Whether an answer is being written, or waits for its turn, in any conversation."""
        return bool(self._runs)

    async def stop_all(self) -> None:
        """Stop all answers, and wait until their words are kept."""
        runs = dict(self._runs)
        for conversation_id in runs:
            self.stop(conversation_id)
        for run in runs.values():
            await run.ended.wait()

    def stop(self, conversation_id: int) -> None:
        """Stop the answer of this conversation, if one is being written; its text stays."""
        run = self._runs.get(conversation_id)
        if run is not None:
            run.stop.press()

    def ask(
        self, conversation_id: int, text: str, attachments: AttachmentDraft | None = None
    ) -> AsyncGenerator[Event, None]:
        """Store a question with its files, and answer it. The first step raises:

        Raises:
            EmptyQuestion: there is nothing but white space.
            AlreadyAnswering: the conversation's last answer is still being written.
            ConversationMissing: it was deleted.
        """
        return self._answer(conversation_id, lambda: self._new_question(conversation_id, text, attachments))

    def regenerate(self, conversation_id: int) -> AsyncGenerator[Event, None]:
        """Answer the last question again. Its answer is replaced by the first word of the new one,
        and stays where none comes. The first step raises:

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

    def _new_question(self, conversation_id: int, text: str, attachments: AttachmentDraft | None) -> _Run:
        if not text.strip():
            raise EmptyQuestion
        attached = attachments or AttachmentDraft()
        question, answer = self._conversations.add_question(
            conversation_id, text.strip(), attached.files, attached.collection_id
        )
        return _Run(question, Draft(self._conversations, answer))

    def _last_question(self, conversation_id: int) -> _Run:
        messages = self._conversations.messages(conversation_id, last=2)
        question = next((message for message in reversed(messages) if message.role == "user"), None)
        if question is None:
            raise NothingToAnswer
        answer = messages[-1]
        if answer is question:
            answer = self._conversations.add(conversation_id, "assistant", state=MessageState.STREAMING)
        return _Run(question, Draft(self._conversations, answer, replace_it=True))

    def _unfinished_answer(self, conversation_id: int) -> _Run:
        messages = self._conversations.messages(conversation_id, last=2)
        if len(messages) < 2 or not messages[-1].continuable or messages[-2].role != "user":
            raise NothingToAnswer
        question, answer = messages[-2:]
        if not answer.text:  # at most thoughts: there is nothing to go on from
            return _Run(question, Draft(self._conversations, answer, replace_it=True))
        return _Run(question, Draft(self._conversations, answer), self._conversations.sources(answer.id))

    def _answered_elsewhere(self, conversation_id: int) -> bool:
        """Whether another process writes here; what a killed one has left becomes interrupted."""
        last = self._conversations.messages(conversation_id, last=1)
        if not last or last[0].state is not MessageState.STREAMING:
            return False
        return not self._writers.if_nobody_writes(self._conversations.recover)

    async def _answer(self, conversation_id: int, prepare: Callable[[], _Run]) -> AsyncGenerator[Event, None]:
        if conversation_id in self._runs or self._answered_elsewhere(conversation_id):
            raise AlreadyAnswering
        with self._writers.shared(), self._activity.at_work():
            run = self._runs[conversation_id] = prepare()
            draft = run.draft
            try:
                yield Started(run.question, draft.beginning)
                with suppress(StoppedEarly):
                    async with aclosing(self._write(run)) as events:
                        async for event in events:
                            yield event
                answer = draft.finish()
                last: Event = Stopped(answer) if draft.state is MessageState.STOPPED else Finished(answer)
            except Exception as error:  # noqa: BLE001 - whatever it is: the words stay, the user is told
                log.warning("answer failed: %s", type(error).__name__)
                last = Failed(draft.fail(error), error)
            finally:
                del self._runs[conversation_id]
                draft.close()
                run.ended.set()
        yield last

    async def _write(self, run: _Run) -> AsyncGenerator[Event, None]:
        """Retrieve, wait for the model, generate; the draft holds the result.

        Raises:
            StoppedEarly: the user stopped before the model had begun.
        """
        question, draft, sources = run.question, run.draft, run.sources
        found_them = True
        if sources is None:
            collections = await asyncio.to_thread(self._collections, question.conversation_id)
            if collections:
                found = await run.stop.wait_for(self._search(question.text, collections))
                sources = tuple(
                    citation(number, item.passage) for number, item in enumerate(found.passages, 1)
                )
                draft.retrieved(found.searched, len(sources))
                yield Retrieved(found.searched, len(sources))
                whole = await asyncio.to_thread(self._files, question)
                if not sources and not whole:
                    sources, found_them = await asyncio.to_thread(self._beginnings, question), False
                if not sources and not whole:
                    text = phrases.nothing_found(question.text, found.searched)
                    draft.write(text)
                    draft.done(MessageState.COMPLETE)
                    yield Token(text)
                    return
        async with self._model_of(run) as engine:
            prompt, used = await run.stop.wait_for(self._prompt(engine, run, sources or ()))
            draft.begin(engine.info.name, used if run.sources is None else None)
            with run.stop.ends_by(engine.cancel):
                async with aclosing(engine.stream(prompt)) as deltas:
                    async for delta in deltas:
                        match delta:
                            case TextDelta(text):
                                draft.write(text)
                                yield Token(text)
                            case ThinkingDelta(text):
                                draft.think(text)
                                yield Thinking(text)
                            case Done(finish, usage):
                                draft.done(_STATE_OF[finish], usage)
        if draft.state in _ENDED and found_them:
            text = await self._quotation(question.text, draft.text, used)
            if text:
                draft.write(text)
                yield Token(text)

    async def _quotation(self, question: str, answer: str, sources: Sequence[Citation]) -> str:
        """What the sources themselves say, where the model's answer rests on none of them; else nothing.

        Small models often miss what stands before them; the search has found it all the same.
        """
        if not sources or cited(answer, sources):
            return ""
        try:
            found = await asyncio.to_thread(self._knowledge.quote, question, [it.text for it in sources])
        except Exception as error:  # noqa: BLE001 - the answer stands without it
            log.warning("no quotation: %s", type(error).__name__)
            return ""
        if found is None:
            return ""
        gap = "\n\n" if answer else ""
        return gap + phrases.quotation(question, found.text, sources[found.index].number)

    @asynccontextmanager
    async def _model_of(self, run: _Run) -> AsyncIterator[Engine]:
        """Wait for this answer's turn, and for the model; no other answer uses it in this block."""
        turn = asyncio.ensure_future(self._turn.acquire())
        try:
            await run.stop.wait_for(turn)
            engine = await run.stop.wait_for(self._engine())
            with self._models.in_use():
                yield engine
        finally:
            if turn.done() and not turn.cancelled():
                self._turn.release()

    async def _engine(self) -> Engine:
        """The model, loaded to the end even where nobody waits any more: it serves the next question."""
        return await asyncio.shield(self._models.engine())

    async def _prompt(
        self, engine: Engine, run: _Run, sources: Sequence[Citation]
    ) -> tuple[Prompt, tuple[Citation, ...]]:
        conversation = await asyncio.to_thread(self._conversations.get, run.question.conversation_id)
        messages = await asyncio.to_thread(self._conversations.messages, conversation.id)
        tuning = self._models.tuning
        options = await asyncio.to_thread(tuning.chosen, self._models.loaded, conversation.options)
        return await compose_prompt(
            engine,
            options,
            earlier=[message for message in messages if message.id < run.question.id],
            question=run.question.text,
            sources=sources,
            files=await asyncio.to_thread(self._files, run.question),
            answer_start=run.draft.text,
            adapters=tuning.adapters.for_prompt(options),
            group=str(conversation.id),
        )

    def _collections(self, conversation_id: int) -> list[int]:
        """Those that the conversation asks, without those that were deleted since they were chosen, and
        those of its own files."""
        chosen = self._conversations.get(conversation_id).collection_ids
        existing = {collection.id for collection in self._knowledge.collections()} if chosen else set()
        attached = self._conversations.attached_collections(conversation_id)
        return [*(it for it in chosen if it in existing), *attached]

    def _files(self, question: ChatMessage) -> dict[int, tuple[Attachment, ...]]:
        """The files that the model gets whole, up to this question."""
        attached = self._conversations.attached_texts(question.conversation_id)
        return {number: files for number, files in attached.items() if number <= question.id}

    def _beginnings(self, question: ChatMessage) -> tuple[Citation, ...]:
        """The first passages of the question's own files that are searched: who asks what a file is about
        asks for nothing that a search could find."""
        limit = self._settings.current.passages
        passages = [
            passage
            for file in question.attachments
            if file.document_id is not None
            for passage in self._knowledge.passages(file.document_id)[:limit]
        ]
        return tuple(citation(number, passage) for number, passage in enumerate(passages[:limit], 1))

    async def _search(self, question: str, collection_ids: Sequence[int]) -> SearchResult:
        limit = self._settings.current.passages
        return await asyncio.to_thread(self._knowledge.search, question, collection_ids, limit)


def citation(number: int, passage: Passage) -> Citation:
    """A passage as a source of an answer."""
    return Citation(
        number,
        passage.id,
        passage.document_id,
        passage.document_title,
        passage.page,
        passage.heading,
        passage.text,
    )
