"""Prompts to measure with: no two begin alike, so that nothing of them is in the engine's memory yet."""

from __future__ import annotations

import random

from engines.protocol import Engine, Message

_TEXT = (
    "river stone light garden winter paper silver window morning forest music bread north cloud island "
    "letter summer bridge candle ocean mountain yellow summit travel market story village horse copper night"
)
_WORDS = _TEXT.split()


class Questions:
    """Makes them; the same seed makes the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - not for secrets

    def short(self) -> Message:
        """A question that models answer at length."""
        subject = " and ".join(self._random.sample(_WORDS, 3))
        number = self._random.randrange(1000, 10_000)
        return Message("user", f"{number}: write a very long story about {subject}. Leave nothing out.")

    async def of_length(self, engine: Engine, tokens: int) -> tuple[Message, int]:
        """A prompt of at most so many tokens, template included, and nearly as many; returns how many."""
        words = [str(self._random.randrange(1000, 10_000)), *self._random.choices(_WORDS, k=tokens)]
        text, counted = await _longest(engine, words[0], words[1:], tokens)
        if counted < tokens:  # a word of several tokens did not fit any more
            text, counted = await _longest(engine, text, ["a"] * (tokens - counted), tokens)
        return Message("user", text), counted


async def _longest(engine: Engine, beginning: str, words: list[str], tokens: int) -> tuple[str, int]:
    """As many of the words behind the beginning as make no more than so many tokens."""
    best, least, most = (beginning, await _count(engine, beginning)), 0, len(words)
    while least < most:
        middle = (least + most + 1) // 2
        text = " ".join([beginning, *words[:middle]])
        counted = await _count(engine, text)
        if counted <= tokens:
            best, least = (text, counted), middle
        else:
            most = middle - 1
    return best


async def _count(engine: Engine, text: str) -> int:
    if engine.info.has_chat_template:
        return await engine.count_tokens([Message("user", text)])
    [counted] = await engine.count_texts([text])
    return counted
