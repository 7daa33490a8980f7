"""One answer: the request for it, and what becomes of the server's chunks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

from engines.errors import EngineCrashed, EngineError, OptionRejected, PromptTooLong
from engines.families import ThinkingTags
from engines.llama_cpp.answer_text import StopStrings, ThoughtSplitter
from engines.llama_cpp.messages import Answered, Event, Progress, Text, Thought
from engines.llama_cpp.repetition import RepetitionGuard
from engines.llama_cpp.schema_grammar import grammar_of, schema_of
from engines.protocol import Finish, Grammar, JsonSchema, Prompt, Sampling, Usage
from engines.xllamacpp.window import Room

_SAMPLING = {
    "temperature": "temperature",
    "top_k": "top_k",
    "top_p": "top_p",
    "min_p": "min_p",
    "repeat_penalty": "repeat_penalty",
    "repeat_last_n": "repeat_last_n",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "dry_multiplier": "dry_multiplier",
    "dry_base": "dry_base",
    "dry_allowed_length": "dry_allowed_length",
    "seed": "seed",
    "max_tokens": "n_predict",
}
"""The server's names for the fields of `Sampling`."""


def request_for(
    tokens: list[int],
    sampling: Sampling,
    response: JsonSchema | Grammar | None,
    marks: Sequence[str] = (),
) -> dict[str, Any]:
    """What the server is asked; `marks` are written out also if they are control tokens."""
    request: dict[str, Any] = {
        name: value for field, name in _SAMPLING.items() if (value := getattr(sampling, field)) is not None
    }
    if isinstance(response, JsonSchema):
        request["json_schema"] = schema_of(response)
    elif isinstance(response, Grammar):
        request["grammar"] = grammar_of(response)
    request |= {"prompt": tokens, "stream": True, "return_progress": True, "cache_prompt": True}
    request["timings_per_token"] = True  # which also say how many there are
    return request | {"preserved_tokens": list(marks)}


class RunningAnswer:
    """Takes chunks in the server's thread and a cancellation in another; ends exactly once."""

    def __init__(
        self,
        id: int,
        prompt: Prompt,
        prompt_tokens: int,
        tags: ThinkingTags | None,
        *,
        inside_thought: bool,
        deliver: Callable[[Event], None],
    ) -> None:
        self._id = id
        self._limit = prompt.sampling.max_tokens
        self._formed = prompt.response is not None
        self._prompt_tokens = prompt_tokens
        self._thoughts = ThoughtSplitter(tags, inside=inside_thought)
        self._stops = StopStrings(prompt.stop)
        self._guard = RepetitionGuard()
        self._numbers: dict[str, int] = {}
        self._deliver = deliver
        self._turn = threading.Lock()
        self._began = perf_counter()
        self._first = self._last = 0.0
        self._pieces = self._reused = 0
        self._tokens: int | None = None
        self._ended = False
        self._spoke = False
        """Whether the chunk had something to say, which is a sign of progress by itself."""
        self.error: EngineError | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more is wanted from the server."""
        return self._ended

    def cancel(self) -> None:
        """End it at once, whatever the server does at the moment."""
        with self._turn:
            self._end(Finish.CANCELLED)

    def take(self, chunk: dict[str, Any], room: Room | None = None) -> bool:
        """Take a chunk; returns whether the server may stop, which it also may when there is no more room."""
        with self._turn:
            if not self._ended:
                self._read(chunk)
            written = chunk.get("timings", {}).get("predicted_n", 0)
            if room is not None and not self._ended and not room.holds(self._prompt_tokens + written):
                self._end(Finish.CONTEXT_FULL)
            return self._ended

    def close(self) -> None:
        """The server has returned.

        Raises:
            EngineError: it refused the request, or left the answer without an end.
        """
        with self._turn:
            if self.error is not None:
                raise self.error
            if not self._ended:
                raise EngineCrashed("the server left an answer without an end")

    def _read(self, chunk: dict[str, Any]) -> None:
        self._spoke = False
        if (fault := chunk.get("error")) is not None:
            self._fail(fault)
            return
        if (progress := chunk.get("prompt_progress")) is not None:
            self._reused = progress.get("cache", 0)
        if (usage := chunk.get("usage")) is not None:
            self._tokens = usage.get("completion_tokens")
        for choice in chunk.get("choices", ()):
            if text := choice.get("text"):
                self._add(text)
            reason = choice.get("finish_reason")
            if reason == "length":
                full = self._limit is None or (self._tokens or self._pieces) < self._limit
                self._end(Finish.CONTEXT_FULL if full else Finish.MAX_TOKENS)
            elif reason is not None:
                if self._tokens:
                    self._tokens -= 1  # the server counts the one that ends the turn
                self._end(Finish.END_OF_TURN)
        if not self._ended and not self._spoke:
            self._deliver(Progress())

    def _add(self, text: str) -> None:
        self._last = perf_counter()
        self._first = self._first or self._last
        self._pieces += 1
        number = self._numbers.setdefault(text, len(self._numbers))
        thought, text = self._thoughts.feed(text)
        self._say(thought, self._stops.feed(text) if text else "")
        if self._stops.found:
            self._end(Finish.STOP_STRING)
        elif self._guard.circles(number):
            self._end(Finish.REPEATING)

    def _end(self, finish: Finish) -> None:
        if self._ended:
            return
        self._ended = True
        if finish is not Finish.STOP_STRING:
            thought, text = self._thoughts.rest()
            self._say(thought, self._stops.feed(text) + self._stops.rest())
        usage = Usage(
            self._prompt_tokens,
            self._reused,
            self._pieces if self._tokens is None else self._tokens,
            (self._first or perf_counter()) - self._began,
            self._last - self._first,
        )
        whole = not self._formed or finish is Finish.END_OF_TURN
        self._deliver(Answered(self._id, finish, usage, whole))

    def _say(self, thought: str, text: str) -> None:
        self._spoke = bool(thought or text)
        if thought:
            self._deliver(Thought(self._id, thought))
        if text:
            self._deliver(Text(self._id, text))

    def _fail(self, fault: dict[str, Any]) -> None:
        """The server's words stay out: they may quote the prompt."""
        if "context size" in str(fault.get("message", "")).lower():
            if self._pieces:
                self._end(Finish.CONTEXT_FULL)  # several answers have filled the window together
                return
            self.error = PromptTooLong(
                fault.get("n_prompt_tokens", self._prompt_tokens), fault.get("n_ctx", self._prompt_tokens)
            )
        elif self._formed and fault.get("code") == 400:
            self.error = OptionRejected("response", "not a grammar or schema that llama.cpp takes")
        else:
            self.error = EngineCrashed(f"the server says {fault.get('type')}")
        self._ended = True
