"""Answers questions of others with this device's model, and with the documents that its owner shares.

Everything in a question was written by a stranger. It is bounded before the model reads it, and it chooses
neither the model nor the documents. What it gets of these is an answer with short quotations, not a passage.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from app.core.citations import cited
from app.core.messages import Citation
from app.core.models import Models
from app.core.network.model_tag import model_tag
from app.core.network.quote_guard import QuoteGuard
from app.core.network.shared_documents import SharedDocuments
from app.core.network.stranger import prompt_of, refuse_unbounded
from app.core.network.work_policy import WorkPolicy
from app.core.network.work_records import Outcome, WorkEntry, WorkRecords
from app.core.provenance import PrivacyLevel
from engines.errors import NoChatTemplate, OptionRejected, PromptTooLong, TemplateFailed
from engines.library import InstalledModel
from engines.protocol import Done, Finish, TextDelta
from network.protocol.content import AnswerCitation, Question
from network.protocol.fields import FinishReason
from network.worker.answerer import CannotAnswer, Written

log = logging.getLogger(__name__)

LevelOf = Callable[[Question, bytes], PrivacyLevel | None]
"""The step of the ladder on which an asker stands, by question and identity; None: it is not answered."""

_FINISH: dict[Finish, FinishReason] = {
    Finish.END_OF_TURN: "complete",
    Finish.STOP_STRING: "complete",
    Finish.MAX_TOKENS: "length",
    Finish.CONTEXT_FULL: "length",
    Finish.REPEATING: "stopped",
    Finish.CANCELLED: "stopped",
}
_UNSUITABLE = (PromptTooLong, NoChatTemplate, TemplateFailed, OptionRejected)
"""What this device could not answer later either."""


@dataclass(slots=True)
class _Work:
    """What becomes of one question."""

    began: float
    started: float
    level: PrivacyLevel = PrivacyLevel.PUBLIC
    model: str = ""
    tokens: int = 0
    sources: tuple[Citation, ...] = ()
    outcome: Outcome = Outcome.FAILED
    said: list[str] = field(default_factory=list, repr=False)


class DeviceAnswerer:
    """An Answerer over the app's own engine. What the owner asks goes first: see `needed`."""

    def __init__(
        self,
        models: Models,
        documents: SharedDocuments,
        records: WorkRecords,
        *,
        level_of: LevelOf,
        model: Callable[[], InstalledModel | None],
        policy: Callable[[], WorkPolicy],
        needed: Callable[[], bool],
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """`needed` tells whether the owner needs the device now; questions are given back then.

        `changed` is called when the work on a question begins, and when it ends.
        """
        self._models = models
        self._documents = documents
        self._records = records
        self._level_of = level_of
        self._model = model
        self._policy = policy
        self._needed = needed
        self._changed = changed
        self.running = 0
        """Questions that are being answered."""

    async def answer(
        self, question: Question, asker: bytes
    ) -> AsyncGenerator[str | AnswerCitation | Written, None]:
        """As `network.worker.answerer.Answerer` says."""
        work = _Work(time.time(), time.monotonic())
        self.running += 1
        self._changed()
        try:
            async with aclosing(self._answer(question, asker, work)) as parts:
                async for part in parts:
                    if isinstance(part, str):
                        work.said.append(part)
                    yield part
        except CannotAnswer as refusal:
            work.outcome = Outcome.GIVEN_BACK if refusal.for_now else Outcome.REFUSED
            raise
        except (GeneratorExit, asyncio.CancelledError):
            if work.outcome is Outcome.FAILED:
                work.outcome = Outcome.GIVEN_BACK if self._needed() else Outcome.CANCELLED
            raise
        finally:
            self.running -= 1
            self._note(question, work)
            self._changed()

    async def _answer(
        self, question: Question, asker: bytes, work: _Work
    ) -> AsyncGenerator[str | AnswerCitation | Written, None]:
        level = await asyncio.to_thread(self._level_of, question, asker)
        if level is None:
            raise CannotAnswer(for_now=False)
        work.level = level
        refuse_unbounded(question)
        model = await asyncio.to_thread(self._model)
        if model is None or self._needed():
            raise CannotAnswer(for_now=True)
        work.model = model_tag(model.name)
        if question.model not in (None, work.model):
            raise CannotAnswer(for_now=False)
        work.sources = await self._documents.find(question, level)
        async with aclosing(self._generate(question, model, work)) as parts:
            async for part in parts:
                yield part

    async def _generate(
        self, question: Question, model: InstalledModel, work: _Work
    ) -> AsyncGenerator[str | AnswerCitation | Written, None]:
        try:
            # Loaded to the end even where nobody waits any more: a cut-off load would be begun anew.
            engine = await asyncio.shield(self._models.spare_engine(model, self._needed))
            if engine is None:
                raise CannotAnswer(for_now=True)
            prompt, work.sources = await prompt_of(
                question, work.sources, engine, self._policy().max_answer_tokens
            )
        except CannotAnswer:
            raise
        except _UNSUITABLE:
            raise CannotAnswer(for_now=False) from None
        except Exception as error:  # noqa: BLE001 - whatever it is, others can answer
            log.warning("the model for others is not available: %s", type(error).__name__)
            raise CannotAnswer(for_now=True) from None
        guard = QuoteGuard(source.text for source in work.sources)
        finish: FinishReason = "stopped"
        text = ""
        with self._models.in_use():
            try:
                async with aclosing(engine.stream(prompt)) as deltas:
                    async for delta in deltas:
                        if isinstance(delta, TextDelta):
                            work.tokens += 1
                            text += (said := guard.take(delta.text))
                            yield said
                            if guard.tripped:
                                break
                        elif isinstance(delta, Done):
                            finish, work.tokens = _FINISH[delta.finish], delta.usage.answer_tokens
            except _UNSUITABLE:
                if text:
                    raise
                raise CannotAnswer(for_now=False) from None
        async with aclosing(self._sources(question, work.sources, text, finish)) as parts:
            async for part in parts:
                yield part
        work.outcome = Outcome.ANSWERED if finish == "complete" else Outcome.CUT_OFF
        yield Written(finish, work.model, work.tokens)

    async def _sources(
        self, question: Question, sources: Sequence[Citation], text: str, finish: FinishReason
    ) -> AsyncGenerator[str | AnswerCitation, None]:
        """Those that the answer rests on; where it rests on none, what the best of them says itself."""
        if not sources:
            return
        used = cited(text, sources)
        if not used and finish == "complete":
            found = await self._documents.quotation(question, sources)
            if found is not None:
                words, source = found
                yield ("\n\n" if text else "") + words
                used = (source,)
        for source in used:
            quote = await self._documents.quote(question, source)
            yield AnswerCitation(
                number=source.number, title=source.document_title[:200], page=source.page, quote=quote
            )

    def _note(self, question: Question, work: _Work) -> None:
        keep = self._policy().keep_contents and work.outcome is not Outcome.REFUSED
        entry = WorkEntry(
            began=work.began,
            seconds=time.monotonic() - work.started,
            level=work.level,
            model=work.model,
            tokens=work.tokens,
            sources=len(work.sources),
            outcome=work.outcome,
            question=question.turns[-1].text if keep else None,
            answer="".join(work.said) if keep else None,
        )
        try:
            self._records.add(entry)
        except OSError as error:
            log.warning("the log of work for others could not be written: %s", type(error).__name__)
