"""Asks an engine and collects what it says."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from engines.protocol import (
    Delta,
    Done,
    Engine,
    Finish,
    Message,
    Prompt,
    Sampling,
    TextDelta,
    ThinkingDelta,
    Usage,
)


def question(text: str = "hello", **prompt: Any) -> Prompt:
    """A prompt of one user message; sampling values are given by their names."""
    sampling = {name: prompt.pop(name) for name in Sampling.__slots__ if name in prompt}
    return Prompt((Message("user", text),), Sampling(**sampling), **prompt)


@dataclass
class Answer:
    """A whole answer."""

    deltas: list[Delta] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(delta.text for delta in self.deltas if isinstance(delta, TextDelta))

    @property
    def thought(self) -> str:
        return "".join(delta.text for delta in self.deltas if isinstance(delta, ThinkingDelta))

    @property
    def done(self) -> Done:
        [done] = [delta for delta in self.deltas if isinstance(delta, Done)]
        assert self.deltas[-1] is done
        return done

    @property
    def finish(self) -> Finish:
        return self.done.finish

    @property
    def usage(self) -> Usage:
        return self.done.usage


async def ask(
    engine: Engine,
    prompt: Prompt | str = "hello",
    *,
    answer: Answer | None = None,
    after_each: Callable[[], object] = lambda: None,
) -> Answer:
    """Collect an answer; `answer` keeps what came before an error, `after_each` is called after a delta."""
    answer = answer or Answer()
    async with aclosing(engine.stream(question(prompt) if isinstance(prompt, str) else prompt)) as deltas:
        async for delta in deltas:
            answer.deltas.append(delta)
            after_each()
    return answer
