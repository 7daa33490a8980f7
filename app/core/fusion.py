"""Fusion: this device's own model puts the answers of other devices together. Nothing leaves it for that."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing, contextmanager
from dataclasses import dataclass, field

import msgspec

from app.core.answer_run import AnswerRun
from app.core.any_model import AnyModel
from app.core.citations import renumbered
from app.core.engine_answers import STATE_OF, EngineAnswers
from app.core.errors import AnswersTooLong
from app.core.events import Asked, Replaced, Token
from app.core.fusion_prompt import compose_fusion
from app.core.messages import Citation, MessageState
from app.core.models import Models
from app.core.provenance import JoinedBy, NotFused, Provenance, Reply
from app.core.servers import ServerModel
from app.core.stopping import StoppedEarly
from engines.protocol import Done, Engine, Prompt, TextDelta

log = logging.getLogger(__name__)

WHOLE_SECONDS = 180.0
"""For a whole answer that is put together: by then the one that stands has long been read."""


@dataclass(frozen=True, slots=True)
class ToFuse:
    """The last event of an answer whose conversation wishes one that is made of all."""

    answers: tuple[str, ...] = field(repr=False)
    """The most trusted device's first; their citations are those of `sources`."""
    sources: tuple[Citation, ...] = field(repr=False)


class _CannotFuse(Exception):
    def __init__(self, reason: NotFused) -> None:
        super().__init__(reason)
        self.reason = reason


class Fusion:
    """Writes one answer from several into a run's draft, in which one of them stands already."""

    def __init__(self, here: EngineAnswers, models: Models, patience: Callable[[], float]) -> None:
        """`patience`: how many seconds the first words may take."""
        self._here = here
        self._models = models
        self._patience = patience
        self.whole_seconds = WHOLE_SECONDS

    async def write(self, run: AnswerRun, given: ToFuse) -> AsyncGenerator[Token | Replaced | Asked, None]:
        """What stands is replaced by the first words; where it comes to nothing, it stands again."""
        draft = run.draft
        stands, origin = draft.text, draft.provenance
        if origin is None:
            return
        model, sources = draft.chosen
        yield self._told(run, msgspec.structs.replace(origin, fusing=True))
        reason: NotFused | None = None
        try:
            async with aclosing(self._fused(run, given)) as words:
                async for word in words:
                    yield word
        except StoppedEarly:
            reason = NotFused.STOPPED
        except AnswersTooLong:
            reason = NotFused.TOO_LONG
        except _CannotFuse as refusal:
            reason = refusal.reason
        except Exception as error:  # noqa: BLE001 - whatever it is, an answer stands already
            log.warning("answers were not put together: %s", type(error).__name__)
            reason = NotFused.FAILED
        if reason is None:
            yield self._told(
                run, msgspec.structs.replace(origin, joined_by=JoinedBy.FUSED, shown="", not_fused=None)
            )
            return
        draft.begin(model, sources)
        if draft.text != stands:
            draft.rewrite(stands)
            yield Replaced(stands)
        replies = tuple(_without_numbers(reply, given.sources) for reply in origin.replies)
        yield self._told(run, msgspec.structs.replace(origin, replies=replies, not_fused=reason))

    async def _fused(self, run: AnswerRun, given: ToFuse) -> AsyncGenerator[Token | Replaced, None]:
        """Raises _CannotFuse, StoppedEarly, AnswersTooLong, and what engines raise."""
        chosen = await asyncio.to_thread(self._models.chosen)
        if chosen is None or _is_elsewhere(chosen):
            raise _CannotFuse(NotFused.NO_MODEL)
        draft, done, began = run.draft, None, False
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(self._patience()):
                    engine = await stack.enter_async_context(self._here.model_of(run))
                    if _is_elsewhere(self._models.loaded):  # chosen meanwhile
                        raise _CannotFuse(NotFused.NO_MODEL)
                    prompt = await run.stop.wait_for(self._prompt(engine, run, given))
            except TimeoutError:
                raise _CannotFuse(NotFused.TOO_SLOW) from None
            hurry = stack.enter_context(_hurrying(engine, self._patience(), self.whole_seconds))
            stack.enter_context(run.stop.ends_by(engine.cancel))
            deltas = await stack.enter_async_context(aclosing(engine.stream(prompt)))
            async for delta in deltas:
                if isinstance(delta, TextDelta) and delta.text:
                    hurry.has_begun()
                    if began:
                        draft.write(delta.text)
                        yield Token(delta.text)
                    elif delta.text.strip():
                        began = True
                        draft.begin(engine.info.name, given.sources)
                        draft.rewrite(delta.text)
                        yield Replaced(delta.text)
                elif isinstance(delta, Done):
                    done = delta
        if hurry.late:
            raise _CannotFuse(NotFused.TOO_SLOW)
        state = STATE_OF[done.finish] if done is not None else MessageState.FAILED
        if state is MessageState.STOPPED:
            raise _CannotFuse(NotFused.STOPPED)
        if done is None or not began or state not in (MessageState.COMPLETE, MessageState.CUT_OFF):
            raise _CannotFuse(NotFused.FAILED)
        draft.done(state, done.usage)

    async def _prompt(self, engine: Engine, run: AnswerRun, given: ToFuse) -> Prompt:
        context = await self._here.context_of(run)
        return await compose_fusion(
            engine,
            context.options,
            earlier=context.earlier,
            question=run.question.text,
            answers=given.answers,
            adapters=context.adapters,
            group=context.group,
        )

    @staticmethod
    def _told(run: AnswerRun, provenance: Provenance) -> Asked:
        run.draft.comes_from(provenance)
        return Asked(provenance)


def _without_numbers(reply: Reply, sources: Sequence[Citation]) -> Reply:
    """What others said, without the numbers of a list that is not shown."""
    numbers: dict[int, int | None] = {source.number: None for source in sources if source.given_by}
    return msgspec.structs.replace(reply, text=renumbered(reply.text, numbers))


def _is_elsewhere(model: AnyModel | None) -> bool:
    return isinstance(model, ServerModel) and not model.local


class _Hurry:
    """Cancels an engine that does not come to its first words, or to its end, in time."""

    def __init__(self, engine: Engine, first_words: float, whole: float) -> None:
        self._engine = engine
        loop = asyncio.get_running_loop()
        self._first = loop.call_later(first_words, self._give_up)
        self._whole = loop.call_later(whole, self._give_up)
        self.late = False

    def has_begun(self) -> None:
        self._first.cancel()

    def end(self) -> None:
        self._first.cancel()
        self._whole.cancel()

    def _give_up(self) -> None:
        self.late = True
        self._engine.cancel()


@contextmanager
def _hurrying(engine: Engine, first_words: float, whole: float) -> Iterator[_Hurry]:
    hurry = _Hurry(engine, first_words, whole)
    try:
        yield hurry
    finally:
        hurry.end()
