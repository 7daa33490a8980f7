"""The main use case: a question becomes an answer, event by event."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from dataclasses import replace

from app.core import phrases
from app.core.answer_run import AnswerRun
from app.core.attachments import AttachmentDraft
from app.core.conversations import Conversations
from app.core.departures import Departures
from app.core.engine_answers import EngineAnswers
from app.core.errors import AlreadyAnswering, NoModelInstalled
from app.core.events import Event, Failed, Finished, Started, Stopped, Token
from app.core.events import Retrieved as DocumentsSearched
from app.core.fusion import Fusion, ToFuse
from app.core.instance import WritersLock
from app.core.messages import MessageState
from app.core.models import Models
from app.core.network.departure import Departure
from app.core.network_answers import FAILURES, NetworkAnswers
from app.core.owner_activity import OwnerActivity
from app.core.retrieval import Attached, Retrieval, Retrieved
from app.core.settings import SettingsStore
from app.core.stopping import StoppedEarly
from app.core.turns import Turns
from rag.knowledge import KnowledgeBase

log = logging.getLogger(__name__)

_SECONDS_FOR_READERS = 5.0
"""Whoever shows an answer reads it to its end within this time, unless it has been forgotten."""


class Answering:
    """Answers questions from the documents a conversation asks: with this device's model or, where its
    level says so and the user has agreed, with those of other devices.

    One answer at a time in a conversation; answers of several conversations write one after the other, in the
    order in which their searches are done. Leaving an iterator early stops its answer.
    """

    def __init__(
        self,
        conversations: Conversations,
        knowledge: KnowledgeBase,
        models: Models,
        settings: SettingsStore,
        writers: WritersLock,
        activity: OwnerActivity | None = None,
        elsewhere: NetworkAnswers | None = None,
    ) -> None:
        """Without `elsewhere` there are no other devices, and every level asks none."""
        self._conversations = conversations
        self._writers = writers
        self._activity = activity or OwnerActivity()
        self._retrieval = Retrieval(conversations, knowledge, settings)
        self._turns = Turns(conversations)
        self._departures = Departures(conversations, self._retrieval, elsewhere)
        self._here = EngineAnswers(conversations, knowledge, models, self._retrieval)
        self._elsewhere = elsewhere
        self._fusion = Fusion(self._here, models, lambda: settings.current.network_patience_seconds)
        self._runs: dict[int, AnswerRun] = {}

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

    async def close(self) -> None:
        """Stop all answers and keep their words, also of one that nobody reads to its end any more."""
        runs = list(self._runs.values())
        with suppress(TimeoutError):
            async with asyncio.timeout(_SECONDS_FOR_READERS):
                await self.stop_all()
        for run in runs:
            run.draft.close()

    def stop(self, conversation_id: int) -> None:
        """Stop the answer of this conversation, if one is being written; its text stays."""
        run = self._runs.get(conversation_id)
        if run is not None:
            run.end()

    async def answer_here(self, conversation_id: int) -> None:
        """Wait for other devices no longer: this one answers. A whole answer of theirs stands all the same.

        Raises:
            NoModelInstalled: it has no model that could; the others are waited for.
        """
        run = self._runs.get(conversation_id)
        if run is None or run.departure is None or self._elsewhere is None:
            return
        if not await self._elsewhere.can_answer_here():
            raise NoModelInstalled
        run.others.press()

    async def departure(
        self, conversation_id: int, text: str | None = None, attachments: AttachmentDraft | None = None
    ) -> Departure | None:
        """What would leave this device, to be shown before asking; see `Departures.compose`."""
        return await self._departures.compose(conversation_id, text, attachments)

    def ask(
        self,
        conversation_id: int,
        text: str,
        attachments: AttachmentDraft | None = None,
        *,
        departure: Departure | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Store a question with its files, and answer it. Other devices get exactly `departure`, which the
        user has approved. The first step raises:

        Raises:
            EmptyQuestion: there is nothing but white space.
            AlreadyAnswering: the conversation's last answer is still being written.
            ConsentNeeded: other devices are to be asked, and `departure` is missing or not approved.
            NoRouter: other devices are to be asked, and no router is set up.
            ConversationMissing: it was deleted.
        """
        return self._answer(
            conversation_id, lambda: self._turns.new_question(conversation_id, text, attachments), departure
        )

    def regenerate(
        self, conversation_id: int, *, departure: Departure | None = None
    ) -> AsyncGenerator[Event, None]:
        """Answer the last question again. Its answer is replaced by the first word of the new one,
        and stays where none comes. The first step raises:

        Raises:
            NothingToAnswer: there is no question yet.
            AlreadyAnswering, ConsentNeeded, NoRouter: as `ask`.
        """
        return self._answer(conversation_id, lambda: self._turns.same_question(conversation_id), departure)

    def continue_answer(self, conversation_id: int) -> AsyncGenerator[Event, None]:
        """Go on with the last answer right where it ended; this device's model does, whoever began.
        The first step raises:

        Raises:
            NothingToAnswer: the last message is no answer that could go on.
            AlreadyAnswering: it is still being written.
            ConsentNeeded: the conversation asks other devices, but the chosen model is on a server.
        """
        return self._answer(
            conversation_id, lambda: self._turns.unfinished_answer(conversation_id), None, goes_on=True
        )

    def _answered_elsewhere(self, conversation_id: int) -> bool:
        """Whether another process writes here; what a killed one has left becomes interrupted."""
        last = self._conversations.messages(conversation_id, last=1)
        if not last or last[0].state is not MessageState.STREAMING:
            return False
        return not self._writers.if_nobody_writes(self._conversations.recover)

    async def _answer(
        self,
        conversation_id: int,
        prepare: Callable[[], AnswerRun],
        departure: Departure | None,
        *,
        goes_on: bool = False,
    ) -> AsyncGenerator[Event, None]:
        if goes_on:
            await self._departures.check_goes_on_here(conversation_id)
        else:
            await self._departures.check(conversation_id, departure)
        if conversation_id in self._runs or self._answered_elsewhere(conversation_id):
            raise AlreadyAnswering
        with self._writers.shared():
            run = self._runs[conversation_id] = replace(prepare(), departure=departure)
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

    async def _write(self, run: AnswerRun) -> AsyncGenerator[Event, None]:
        """Retrieve, then let other devices or this one answer; the draft holds the result.

        Raises:
            StoppedEarly: the user stopped before anybody had begun.
        """
        question, draft, sources = run.question, run.draft, run.sources
        departure, quotes = run.departure, True
        if sources is None:
            retrieved = await self._retrieved(run)
            if retrieved is not None:
                counts = retrieved.searched, len(retrieved.sources)
                draft.retrieved(*counts, retrieved.searched_for)
                yield DocumentsSearched(*counts, retrieved.searched_for)
                if retrieved.nothing:
                    text = phrases.nothing_found(question.text, retrieved.searched)
                    draft.write(text)
                    draft.done(MessageState.COMPLETE)
                    yield Token(text)
                    return
            sources = (*retrieved.sources, *retrieved.neighbours) if retrieved else ()
            quotes = retrieved is None or retrieved.found
        if departure is not None and self._elsewhere is not None:
            try:
                async with aclosing(self._ask_others(self._elsewhere, run, departure)) as events:
                    async for event in events:
                        yield event
                return
            except FAILURES as error:
                log.warning("other devices did not answer: %s", type(error).__name__)
                for event in await self._elsewhere.give_up(run, error):
                    yield event
        with self._activity.at_work():  # not while others answer: two devices may ask each other
            async with aclosing(self._here.write(run, sources, quotes=quotes)) as words:
                async for word in words:
                    yield word

    async def _ask_others(
        self, elsewhere: NetworkAnswers, run: AnswerRun, departure: Departure
    ) -> AsyncGenerator[Event, None]:
        """Others answer and, where that is wished, this device's own model makes one answer of theirs."""
        async with aclosing(elsewhere.write(run, departure)) as events:
            async for event in events:
                if not isinstance(event, ToFuse):
                    yield event
                    continue
                with self._activity.at_work():
                    async with aclosing(self._fusion.write(run, event)) as words:
                        async for word in words:
                            yield word

    async def _retrieved(self, run: AnswerRun) -> Retrieved | None:
        """What the documents say; nothing but what was shown leaves, so that is not searched again."""
        if run.departure is not None:
            return run.departure.retrieved
        question = run.question
        search = self._retrieval.search(question.text, question.conversation_id, Attached.of(question))
        return await run.stop.wait_for(search)
