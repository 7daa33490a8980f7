"""How many tokens a text has, where only its server could tell: guessed without asking, rather too many.

Nothing may leave the device before a question is asked; and a prompt that is trimmed a little early is better
than one that is refused.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from engines.protocol import Message

# English prose has about four characters in a token. Elsewhere vocabularies differ most: Persian has some
# three letters in a token of Gemma or Qwen, and hardly more than one in older ones. So rather too many.
_ASCII_PER_TOKEN = 3.5
_OTHERS_PER_TOKEN = 1.5
_TOKENS_PER_MESSAGE = 6
_TOKENS_PER_PROMPT = 4


# What a server has counted is believed only for prompts of some length: templates add words of their own.
_LEAST_COUNTED = 256
_MOST_SCALE = 4.0


class Estimate:
    """Guesses for one model, which get better with what its server counts."""

    def __init__(self) -> None:
        self._scale = 1.0

    def text_tokens(self, text: str) -> int:
        """Tokens of a plain text, roughly."""
        return math.ceil(_tokens(text) * self._scale)

    def message_tokens(self, messages: Sequence[Message]) -> int:
        """Tokens of a conversation with its template, roughly."""
        return math.ceil(_prompt_tokens(messages) * self._scale)

    def learn(self, messages: Sequence[Message], counted: int) -> None:
        """The server has counted these messages: from now on guess no lower than that."""
        if counted >= _LEAST_COUNTED:
            self._scale = min(_MOST_SCALE, max(1.0, counted / _prompt_tokens(messages)))


def _tokens(text: str) -> float:
    others = 0 if text.isascii() else sum(1 for character in text if not character.isascii())
    return (len(text) - others) / _ASCII_PER_TOKEN + others / _OTHERS_PER_TOKEN


def _prompt_tokens(messages: Sequence[Message]) -> float:
    texts = sum(_tokens(message.content) + _TOKENS_PER_MESSAGE for message in messages)
    return _TOKENS_PER_PROMPT + texts
