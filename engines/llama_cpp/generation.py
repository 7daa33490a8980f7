"""Answers one prompt: reads it, then token by token until there is a reason to end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import perf_counter

from engines.errors import PromptTooLong
from engines.families import Family
from engines.llama_cpp.answer_text import Characters, StopStrings, ThoughtSplitter
from engines.llama_cpp.chat_template import ChatTemplate
from engines.llama_cpp.model import Aborted, ContextFull, LoadedModel
from engines.llama_cpp.native import AbortSwitch
from engines.llama_cpp.repetition import RepetitionGuard
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

    def token(self, now: float) -> None:
        self.tokens += 1
        self.last = now
        if self.tokens == 1:
            self.first = now

    def usage(self, prompt_tokens: int, reused: int) -> Usage:
        waited = (self.first or perf_counter()) - self.began
        return Usage(prompt_tokens, reused, self.tokens, waited, self.last - self.first)


def answer(
    model: LoadedModel,
    template: ChatTemplate,
    family: Family,
    prompt: Prompt,
    switch: AbortSwitch,
    listener: Listener,
) -> Done:
    """Answer a prompt. Pressing the switch ends it within milliseconds, in whatever it does.

    Raises:
        PromptTooLong, NoChatTemplate, TemplateFailed: see `engines.protocol.Engine.stream`.
    """
    clock = _Clock()
    text = template.render(
        defuse(model, prompt.messages), thinking=prompt.thinking, answer_start=prompt.answer_start
    )
    tokens = model.vocabulary.prompt_tokens(text)
    if len(tokens) >= model.context_tokens:
        raise PromptTooLong(len(tokens), model.context_tokens)
    reused = model.rewind(tokens)
    outlet = _Outlet(
        listener,
        StopStrings(prompt.stop),
        ThoughtSplitter(
            template.tags if not prompt.answer_start else None, inside=template.opens_thought(text)
        ),
    )
    try:
        model.read(tokens[reused:], listener.progress)
        finish = _generate(model, family, prompt, switch, outlet, clock)
    except Aborted:
        finish = Finish.CANCELLED
    outlet.close(finish)
    return Done(finish, clock.usage(len(tokens), reused))


def defuse(model: LoadedModel, messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """The messages without control tokens in their text."""
    return tuple(replace(message, content=model.vocabulary.defused(message.content)) for message in messages)


def _generate(
    model: LoadedModel,
    family: Family,
    prompt: Prompt,
    switch: AbortSwitch,
    outlet: _Outlet,
    clock: _Clock,
) -> Finish:
    limit = prompt.sampling.max_tokens
    piece_of = model.vocabulary.piece
    guard = RepetitionGuard()
    sampler = model.sampler(family.complete(prompt.sampling, thinking=prompt.thinking))
    try:
        while not switch.pressed:
            token = model.next_token(sampler)
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
            model.append(token)
    except ContextFull:
        return Finish.CONTEXT_FULL
    finally:
        sampler.free()
    return Finish.CANCELLED
