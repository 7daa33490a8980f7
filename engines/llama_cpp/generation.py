"""Answers one prompt: reads it, then token by token until there is a reason to end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import perf_counter

from engines.errors import PromptTooLong
from engines.families import Family
from engines.llama_cpp.answer_text import Characters, StopStrings, ThoughtSplitter
from engines.llama_cpp.chat_template import ChatTemplate
from engines.llama_cpp.constraint import ConstrainedSampler
from engines.llama_cpp.model import Aborted, ContextFull, LoadedModel
from engines.llama_cpp.native import AbortSwitch
from engines.llama_cpp.repetition import RepetitionGuard
from engines.llama_cpp.sampling import Sampler
from engines.llama_cpp.schema_grammar import grammar_of
from engines.protocol import Done, Finish, Message, Prompt, Usage

_SECONDS_BETWEEN_PIECES = 0.008
"""Text is handed over no more often than this: on a fast machine one message then carries several tokens."""


@dataclass(slots=True)
class Listener:
    """Whom an answer is told to, piece by piece."""

    text: Callable[[str], None]
    thought: Callable[[str], None]
    progress: Callable[[], None]


class _Outlet:
    """Turns tokens' bytes into text and hands it over in pieces worth a message."""

    def __init__(self, listener: Listener, stops: StopStrings, thoughts: ThoughtSplitter) -> None:
        self._listener = listener
        self._characters = Characters()
        self._stops = stops
        self._thoughts = thoughts
        self._text = ""
        self._thought = ""
        self._last = 0.0

    def feed(self, piece: bytes, now: float) -> bool:
        """Take a token's bytes; returns whether a stop string has come."""
        self._sort(self._characters.feed(piece))
        if now - self._last >= _SECONDS_BETWEEN_PIECES:
            self._last = now
            self._hand_over()
        return self._stops.found

    def close(self, finish: Finish) -> None:
        """Hand over the rest. A character that was cut in two is kept only if the model itself did that."""
        if finish is Finish.END_OF_TURN:
            self._sort(self._characters.rest())
        if finish is not Finish.STOP_STRING:
            thought, answer = self._thoughts.rest()
            self._thought += thought
            self._text += self._stops.feed(answer) + self._stops.rest()
        self._hand_over()

    def _sort(self, text: str) -> None:
        if not self._thoughts.finished:
            thought, text = self._thoughts.feed(text)
            self._thought += thought
        if text:
            self._text += self._stops.feed(text)

    def _hand_over(self) -> None:
        if self._thought:
            self._listener.thought(self._thought)
            self._thought = ""
        if self._text:
            self._listener.text(self._text)
            self._text = ""
        else:
            self._listener.progress()


@dataclass(slots=True)
class _Clock:
    """When things happened in one answer."""

    began: float = field(default_factory=perf_counter)
    first: float = 0.0
    last: float = 0.0
    tokens: int = 0
    stopped: float = 0.0

    def token(self, now: float) -> None:
        self.tokens += 1
        self.last = now
        if self.tokens == 1:
            self.first = now

    def stop(self) -> None:
        """A pause begins."""
        self.stopped = perf_counter()

    def go_on(self) -> None:
        """A pause is over; a pause between tokens says nothing about the model's speed."""
        if self.stopped and self.tokens:
            pause = perf_counter() - self.stopped
            self.began, self.first, self.last = self.began + pause, self.first + pause, self.last + pause

    def usage(self, prompt_tokens: int, reused: int) -> Usage:
        waited = (self.first or perf_counter()) - self.began
        return Usage(prompt_tokens, reused, self.tokens, waited, self.last - self.first)


class Generation:
    """One answer, which can be interrupted anywhere and go on later without losing or repeating a token."""

    def __init__(
        self,
        model: LoadedModel,
        template: ChatTemplate,
        family: Family,
        prompt: Prompt,
        listener: Listener,
    ) -> None:
        """Prepare it.

        Raises:
            PromptTooLong, NoChatTemplate, TemplateFailed, OptionRejected: see `Engine.stream`.
        """
        self._clock = _Clock()
        self._model = model
        self._prompt = prompt
        self._listener = listener
        thinking = prompt.thinking and prompt.response is None
        text = prompt.completion
        if text is None:
            text = template.render(
                defuse(model, prompt.messages), thinking=thinking, answer_start=prompt.answer_start
            )
        else:
            text += prompt.answer_start
        self._tokens = model.vocabulary.prompt_tokens(text, special=prompt.completion is None)
        """The prompt, and the answer as far as it is written."""
        self._prompt_tokens = len(self._tokens)
        self._reused: int | None = None
        if self._prompt_tokens >= model.context_tokens:
            raise PromptTooLong(self._prompt_tokens, model.context_tokens)
        answers_freely = prompt.completion is None and prompt.response is None
        splits = template.tags if answers_freely and not prompt.answer_start else None
        self._outlet = _Outlet(
            listener,
            StopStrings(prompt.stop),
            ThoughtSplitter(splits, inside=template.opens_thought(text)),
        )
        self._guard = RepetitionGuard()
        self._sampler: Sampler | ConstrainedSampler | None = None
        sampling = family.complete(prompt.sampling, thinking=thinking)
        if prompt.response is None:
            self._sampler = model.sampler(sampling)
        else:
            constrained = model.constrained_sampler(sampling, grammar_of(prompt.response))
            self._sampler = constrained
            if prompt.answer_start:
                constrained.begin_with(model.vocabulary.tokens(prompt.answer_start, special=False))

    def run(self, switch: AbortSwitch) -> Done | None:
        """Begin, or go on. Pressing the switch interrupts it within milliseconds: the result is `None`."""
        self._clock.go_on()
        model = self._model
        model.use(self._prompt.adapters)
        known = model.rewind(self._tokens)
        if self._reused is None:
            self._reused = known
        try:
            model.read(self._tokens[known:], self._listener.progress)
            finish = self._write(switch)
        except Aborted:
            finish = None
        except ContextFull:
            finish = Finish.CONTEXT_FULL
        if finish is None:
            self._clock.stop()
            return None
        return self.end(finish)

    def end(self, finish: Finish) -> Done:
        """End it here, with what is still held back."""
        self._outlet.close(finish)
        whole = not isinstance(self._sampler, ConstrainedSampler) or self._sampler.whole
        whole = whole or finish is Finish.END_OF_TURN
        self.free()
        return Done(finish, self._clock.usage(self._prompt_tokens, self._reused or 0), whole)

    def free(self) -> None:
        """Give its sampler back. Calling it twice is harmless."""
        sampler, self._sampler = self._sampler, None
        if sampler is not None:
            sampler.free()

    def _write(self, switch: AbortSwitch) -> Finish | None:
        if self._sampler is None:
            raise RuntimeError("the answer has ended")
        model, clock, guard, outlet, tokens = (
            self._model,
            self._clock,
            self._guard,
            self._outlet,
            self._tokens,
        )
        limit = self._prompt.sampling.max_tokens
        piece_of, choose = model.vocabulary.piece, self._sampler.choose
        while not switch.pressed:
            token = choose()
            piece = piece_of(token)
            if piece is None:
                return Finish.END_OF_TURN
            now = perf_counter()
            clock.token(now)
            if outlet.feed(piece, now):
                return Finish.STOP_STRING
            if clock.tokens == limit:
                return Finish.MAX_TOKENS
            if model.full:
                return Finish.CONTEXT_FULL
            if guard.circles(token):
                return Finish.REPEATING
            tokens.append(token)
            model.append(token)
        return None


def defuse(model: LoadedModel, messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """The messages without control tokens in their text."""
    return tuple(replace(message, content=model.vocabulary.defused(message.content)) for message in messages)
