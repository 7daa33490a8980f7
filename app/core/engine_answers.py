"""Answers of this device's own model, or of the one on a server that the user has chosen."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

from app.core import phrases
from app.core.answer_run import AnswerRun
from app.core.citations import cited
from app.core.conversations import Conversations
from app.core.events import Thinking, Token
from app.core.messages import ChatMessage, Citation, MessageState
from app.core.model_options import ResolvedOptions
from app.core.models import Models
from app.core.prompt import compose_prompt
from app.core.retrieval import Attached, Retrieval
from engines.protocol import Done, Engine, Finish, LoraAdapter, Prompt, TextDelta, ThinkingDelta
from rag.knowledge import KnowledgeBase

log = logging.getLogger(__name__)

STATE_OF = {
    Finish.END_OF_TURN: MessageState.COMPLETE,
    Finish.STOP_STRING: MessageState.COMPLETE,
    Finish.MAX_TOKENS: MessageState.CUT_OFF,
    Finish.CONTEXT_FULL: MessageState.CUT_OFF,
    Finish.REPEATING: MessageState.REPEATING,
    Finish.CANCELLED: MessageState.STOPPED,
}
_ENDED = (MessageState.COMPLETE, MessageState.REPEATING)


@dataclass(frozen=True, slots=True)
class TurnContext:
    """What a prompt needs to know of its conversation."""

    earlier: list[ChatMessage] = field(repr=False)
    """The messages before the question."""
    options: ResolvedOptions = field(repr=False)
    adapters: tuple[LoraAdapter, ...] | None
    group: str
    """See `engines.protocol.Prompt`."""


class EngineAnswers:
    """Waits for the model and lets it write into a run's draft; one answer after the other."""

    def __init__(
        self,
        conversations: Conversations,
        knowledge: KnowledgeBase,
        models: Models,
        retrieval: Retrieval,
    ) -> None:
        self._conversations = conversations
        self._knowledge = knowledge
        self._models = models
        self._retrieval = retrieval
        self._turn = asyncio.Lock()

    async def write(
        self, run: AnswerRun, sources: Sequence[Citation], *, quotes: bool
    ) -> AsyncGenerator[Token | Thinking, None]:
        """Wait for the model, generate; the draft holds the result.

        `quotes`: where the answer rests on none of the sources, let the best of them speak for itself.

        Raises:
            StoppedEarly: the user stopped before the model had begun.
        """
        draft = run.draft
        async with self.model_of(run) as engine:
            prompt, used = await run.stop.wait_for(self._prompt(engine, run, sources))
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
                                draft.done(STATE_OF[finish], usage)
        if draft.state in _ENDED and quotes:
            text = await self._quotation(run.question.text, draft.text, used)
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
    async def model_of(self, run: AnswerRun) -> AsyncIterator[Engine]:
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

    async def context_of(self, run: AnswerRun) -> TurnContext:
        """What the prompt of this turn takes from its conversation; the model has to be loaded."""
        conversation = await asyncio.to_thread(self._conversations.get, run.question.conversation_id)
        messages = await asyncio.to_thread(self._conversations.messages, conversation.id)
        tuning = self._models.tuning
        options = await asyncio.to_thread(tuning.chosen, self._models.loaded, conversation.options)
        return TurnContext(
            [message for message in messages if message.id < run.question.id],
            options,
            tuning.adapters.for_prompt(options),
            str(conversation.id),
        )

    async def _prompt(
        self, engine: Engine, run: AnswerRun, sources: Sequence[Citation]
    ) -> tuple[Prompt, tuple[Citation, ...]]:
        context = await self.context_of(run)
        attached = Attached.of(run.question)
        return await compose_prompt(
            engine,
            context.options,
            earlier=context.earlier,
            question=run.question.text,
            sources=sources,
            files=await asyncio.to_thread(self._retrieval.files, run.question.conversation_id, attached),
            answer_start=run.draft.text,
            adapters=context.adapters,
            group=context.group,
        )
