"""Answers of other devices, written into a run's draft; and what happens where they fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing

import msgspec

from app.core.answer_run import AnswerRun
from app.core.errors import ChosenHere, NobodyAnswered, NoRouter, OfflineChosen
from app.core.events import Asked, Replaced, Token
from app.core.fusion import ToFuse
from app.core.messages import Attachment, ChatMessage, Conversation, MessageState
from app.core.models import Models
from app.core.network.asking import Answered, Asking
from app.core.network.departure import Departure, compose_departure
from app.core.provenance import PrivacyLevel, Provenance, ReplyState
from app.core.retrieval import Retrieved
from app.core.servers import ServerModel
from app.core.stopping import StoppedEarly
from network.errors import NetworkError

FAILURES = (NetworkError, NobodyAnswered, NoRouter, OfflineChosen, ChosenHere)
"""The network is slow, refuses, or is gone, or the user does not wait: this device answers instead."""


class NetworkAnswers:
    """Asks other devices for a run."""

    def __init__(self, asking: Asking, models: Models) -> None:
        self._asking = asking
        self._models = models

    async def ready(self) -> bool:
        """Whether a router is set up."""
        return await self._asking.ready()

    async def compose(
        self,
        conversation: Conversation,
        earlier: Sequence[ChatMessage],
        question: str,
        retrieved: Retrieved | None,
        files: Mapping[int, Sequence[Attachment]],
    ) -> Departure:
        """All that other devices would get to read."""
        tuning = self._models.tuning
        options = await asyncio.to_thread(tuning.chosen, self._models.loaded, conversation.options)
        return compose_departure(
            conversation.level,
            earlier=earlier,
            question=question,
            retrieved=retrieved,
            files=files,
            instructions=options["system_prompt"] or "",
            max_tokens=options["max_answer_tokens"],
            temperature=options.sampling().temperature,
            wishes=conversation.wishes,
        )

    async def write(
        self, run: AnswerRun, departure: Departure
    ) -> AsyncGenerator[Token | Replaced | Asked | ToFuse, None]:
        """Let others answer; the draft holds the result. `ToFuse` comes last, where that is wished.

        Raises:
            ModelNotOffered, NobodyElse: a model or others are wished, and nobody is there for that.
            StoppedEarly: the user stopped before anything was said.
            And those of `FAILURES`.
        """
        draft = run.draft
        draft.begin(None, departure.sources)
        try:
            async with aclosing(self._heard(run, departure)) as events:
                async for event in events:
                    yield event
        except StoppedEarly:
            if run.stop.pressed:
                raise
            raise ChosenHere from None
        if draft.state is MessageState.STOPPED and not run.stop.pressed:
            raise ChosenHere

    async def _heard(
        self, run: AnswerRun, departure: Departure
    ) -> AsyncGenerator[Token | Replaced | Asked | ToFuse, None]:
        draft = run.draft
        async with aclosing(self._asking.answer(departure, run.others)) as events:
            async for event in events:
                match event:
                    case Token(text):
                        draft.write(text)
                        yield event
                    case Replaced(text):
                        draft.rewrite(text)
                        yield event
                    case Asked(provenance):
                        draft.comes_from(provenance)
                        yield event
                    case Answered():
                        draft.begin(event.model, event.sources)
                        draft.done(_state_of(event), event.usage)
                        if len(event.answers) > 1:
                            yield ToFuse(event.answers, event.all_sources)

    async def server_answers(self) -> bool:
        """Whether the chosen model is on a server beyond this device: nobody has agreed to that here."""
        chosen = await asyncio.to_thread(self._models.chosen)
        return isinstance(chosen, ServerModel) and not chosen.local

    async def can_answer_here(self) -> bool:
        """Whether this device has a model that could answer in the place of others."""
        chosen = await asyncio.to_thread(self._models.chosen)
        return chosen is not None and not await self.server_answers()

    async def give_up(self, run: AnswerRun, error: Exception) -> list[Replaced | Asked]:
        """Make room for this device's own answer, and tell why it is needed.

        Raises:
            Exception: the error itself, where this device has no model that could answer. A model of a server
                is none: the user has agreed to ask other devices, and to no more.
        """
        if not await self.can_answer_here():
            raise error
        draft = run.draft
        events: list[Replaced | Asked] = []
        if draft.text:
            draft.rewrite("")
            events.append(Replaced(""))
        level = run.departure.level if run.departure else PrivacyLevel.DEVICE
        provenance = draft.provenance or Provenance(level=level)
        waiting = (ReplyState.ASKED, ReplyState.WRITING)
        replies = tuple(
            msgspec.structs.replace(reply, state=ReplyState.LEFT_OUT) if reply.state in waiting else reply
            for reply in provenance.replies
        )
        provenance = msgspec.structs.replace(
            provenance, replies=replies, shown="", fallback=type(error).__name__, comparing=False, position=0
        )
        draft.comes_from(provenance)
        return [*events, Asked(provenance)]


def _state_of(answered: Answered) -> MessageState:
    if answered.stopped or answered.finish == "stopped":
        return MessageState.STOPPED
    return MessageState.CUT_OFF if answered.finish == "length" else MessageState.COMPLETE
