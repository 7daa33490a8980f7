"""Answers of other devices, written into a run's draft; and what happens where they fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing

import msgspec

from app.core.answer_run import AnswerRun
from app.core.errors import NobodyAnswered, NoRouter, OfflineChosen
from app.core.events import Asked, Replaced, Token
from app.core.fusion import ToFuse
from app.core.messages import Attachment, ChatMessage, Conversation, MessageState
from app.core.models import Models
from app.core.network.asking import Answered, Asking
from app.core.network.departure import Departure, compose_departure
from app.core.provenance import PrivacyLevel, Provenance
from app.core.retrieval import Retrieved
from app.core.servers import ServerModel
from network.errors import NetworkError

FAILURES = (NetworkError, NobodyAnswered, NoRouter, OfflineChosen)
"""The network is slow, refuses, or is gone: this device answers instead."""


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
            ModelNotOffered: a model is wished that nobody offers.
            StoppedEarly: the user stopped before anything was said.
            And those of `FAILURES`.
        """
        draft = run.draft
        draft.begin(None, departure.sources)
        async with aclosing(self._asking.answer(departure, run.stop)) as events:
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

    async def give_up(self, run: AnswerRun, error: Exception) -> list[Replaced | Asked]:
        """Make room for this device's own answer, and tell why it is needed.

        Raises:
            Exception: the error itself, where this device has no model that could answer. A model of a server
                is none: the user has agreed to ask other devices, and to no more.
        """
        if await asyncio.to_thread(self._models.chosen) is None or await self.server_answers():
            raise error
        draft = run.draft
        events: list[Replaced | Asked] = []
        if draft.text:
            draft.rewrite("")
            events.append(Replaced(""))
        level = run.departure.level if run.departure else PrivacyLevel.DEVICE
        provenance = draft.provenance or Provenance(level=level)
        provenance = msgspec.structs.replace(
            provenance, shown="", fallback=type(error).__name__, comparing=False, position=0
        )
        draft.comes_from(provenance)
        return [*events, Asked(provenance)]


def _state_of(answered: Answered) -> MessageState:
    if answered.stopped or answered.finish == "stopped":
        return MessageState.STOPPED
    return MessageState.CUT_OFF if answered.finish == "length" else MessageState.COMPLETE
