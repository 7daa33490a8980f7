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


def text_tokens(text: str) -> int:
    """Tokens of a plain text, roughly."""
    others = sum(1 for character in text if not character.isascii()) if not text.isascii() else 0
    return math.ceil((len(text) - others) / _ASCII_PER_TOKEN + others / _OTHERS_PER_TOKEN)


def message_tokens(messages: Sequence[Message]) -> int:
    """Tokens of a conversation with its template, roughly."""
    texts = sum(text_tokens(message.content) + _TOKENS_PER_MESSAGE for message in messages)
    return _TOKENS_PER_PROMPT + texts
