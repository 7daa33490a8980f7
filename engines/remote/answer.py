"""From the chunks of a server to the deltas of an answer, whatever the server leaves out."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

import msgspec

from engines.errors import RemoteAnswerBroken
from engines.families import ThinkingTags
from engines.llama_cpp.answer_text import StopStrings, ThoughtSplitter
from engines.llama_cpp.repetition import RepetitionGuard
from engines.protocol import Done, Finish, Prompt, TextDelta, ThinkingDelta, Usage
from engines.remote.wire import Chunk, Piece, TokenCounts

_LEAST_REPEATED = 16
_BYTES_PER_TOKEN = 64
_MOST_TOKENS = 1 << 16
_MOST_COUNTED = 1 << 32
_FINISHES = {
    "stop": Finish.END_OF_TURN,
    "eos": Finish.END_OF_TURN,
    "end_turn": Finish.END_OF_TURN,
    "stop_sequence": Finish.STOP_STRING,
    "length": Finish.MAX_TOKENS,
    "max_tokens": Finish.MAX_TOKENS,
}


class AnswerReader:
    """One answer as it comes. `finish` is set once no more text will be taken."""

    def __init__(self, host: str, prompt: Prompt, estimated_tokens: int) -> None:
        """`estimated_tokens`: of the prompt, for where the server does not count."""
        self._host = host
        self._limit = prompt.sampling.max_tokens
        self._estimated_prompt = estimated_tokens
        self._form: list[str] | None = None if prompt.response is None else [prompt.answer_start]
        """The text so far, where it has to be JSON."""
        tags = None if prompt.answer_start or prompt.response is not None else ThinkingTags()
        self._thoughts = ThoughtSplitter(tags, inside=False)
        self._repeated = _RepeatedStart(prompt.answer_start)
        self._stops = StopStrings(prompt.stop)
        self._guard = RepetitionGuard()
        self._numbers: dict[str, int] = {}
        self._began = perf_counter()
        self._first = self._last = 0.0
        self._chunks = self._bytes = 0
        self._counts = TokenCounts()
        self.finish: Finish | None = None
        self.complete_here = False
        """The answer was ended here, whatever the server goes on to say."""

    def take(self, chunk: Chunk) -> Iterator[TextDelta | ThinkingDelta]:
        """Take a chunk; yields what it adds.

        Raises:
            RemoteAnswerBroken: the server ended the answer for a reason of its own, such as a filter.
        """
        if chunk.usage is not None:
            self._counts = chunk.usage
        for choice in chunk.choices or ():
            piece = choice.delta or choice.message
            if piece is not None and self.finish is None:
                yield from self._add(piece)
            if choice.finish_reason and self.finish is None:
                finish = _FINISHES.get(choice.finish_reason.lower())
                yield from self.end(finish or Finish.END_OF_TURN)
                if finish is None:
                    raise RemoteAnswerBroken(self._host, "ended by the server")

    def end(self, finish: Finish) -> Iterator[TextDelta | ThinkingDelta]:
        """Take no more; yields what was held back."""
        if self.finish is None:
            self.finish = finish
            thought, text = self._thoughts.rest()
            if thought:
                yield ThinkingDelta(thought)
            if text := self._stops.feed(self._repeated.rest() + text) + self._stops.rest():
                yield self._said(text)

    @property
    def counted_prompt(self) -> int:
        """Tokens of the prompt, as the server counted them; 0 where it did not."""
        return _count(self._counts.prompt_tokens)

    def done(self, context_tokens: int) -> Done:
        """The last event, with the server's counts, or estimates where it gives none."""
        counts = self._counts
        details = counts.prompt_tokens_details
        usage = Usage(
            prompt_tokens=self.counted_prompt or self._estimated_prompt,
            reused_tokens=_count(details.cached_tokens if details else None),
            answer_tokens=_count(counts.completion_tokens) or self._chunks,
            time_to_first_token=(self._first or perf_counter()) - self._began,
            generation_seconds=max(0.0, self._last - self._first),
        )
        finish = self.finish or Finish.END_OF_TURN
        if finish is Finish.MAX_TOKENS and self.counted_prompt and not self._limit_reached(usage):
            # "length" also says that the window is full.
            full = usage.prompt_tokens + usage.answer_tokens >= context_tokens - 1
            finish = Finish.CONTEXT_FULL if full or self._limit is None else finish
        return Done(finish, usage, self._form is None or _is_json("".join(self._form)))

    def _limit_reached(self, usage: Usage) -> bool:
        return self._limit is not None and usage.answer_tokens >= self._limit

    def _add(self, piece: Piece) -> Iterator[TextDelta | ThinkingDelta]:
        text, thought = piece.text, piece.thought
        if not text and not thought:
            return
        self._last = perf_counter()
        self._first = self._first or self._last
        self._chunks += 1
        self._bytes += len(text) + len(thought)
        if thought:
            yield ThinkingDelta(thought)
        if text:
            inner, text = self._thoughts.feed(text)
            if inner:
                yield ThinkingDelta(inner)
            if shown := self._stops.feed(self._repeated.feed(text)):
                yield self._said(shown)
        number = self._numbers.setdefault(f"{thought}\0{text}", len(self._numbers))
        finish = self._reason_to_end(number)
        if finish is not None:
            self.complete_here = True
            yield from self.end(finish)

    def _said(self, text: str) -> TextDelta:
        if self._form is not None:
            self._form.append(text)
        return TextDelta(text)

    def _reason_to_end(self, number: int) -> Finish | None:
        if self._stops.found:
            return Finish.STOP_STRING
        if self._guard.circles(number):
            return Finish.REPEATING
        too_long = self._bytes > (self._limit or _MOST_TOKENS) * _BYTES_PER_TOKEN
        return Finish.MAX_TOKENS if too_long else None  # a server that does not keep to the limit


def _count(told: int | None) -> int:
    """A number of tokens that can be one; 0 where none is told."""
    return told if told is not None and 0 <= told <= _MOST_COUNTED else 0


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return False
    return True


class _RepeatedStart:
    """Leaves out the beginning of an answer where a server says it again instead of going on behind it."""

    def __init__(self, start: str) -> None:
        self._start = start if len(start) >= _LEAST_REPEATED else ""
        self._held = ""

    def feed(self, text: str) -> str:
        if not self._start:
            return text
        self._held += text
        if self._start.startswith(self._held):
            if self._start == self._held:
                self._start = self._held = ""
            return ""
        held, start, self._held, self._start = self._held, self._start, "", ""
        return held.removeprefix(start)

    def rest(self) -> str:
        held, self._held = self._held, ""
        return held
