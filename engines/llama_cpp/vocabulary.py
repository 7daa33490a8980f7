"""A loaded model's tokens: text to numbers and back."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterable
from functools import cached_property
from types import ModuleType
from typing import Any

_PIECE_BYTES = 256
_WORD_JOINER = "\u2060"


class Vocabulary:
    """Reads the vocabulary of one model. Safe to use from several threads."""

    def __init__(self, library: ModuleType, model: Any) -> None:
        self._library = library
        self.handle = self._vocab = library.llama_model_get_vocab(model)
        self._pieces: dict[int, bytes | None] = {}
        self.size: int = library.llama_vocab_n_tokens(self._vocab)
        self.bos: int = library.llama_vocab_bos(self._vocab)
        self.adds_bos: bool = library.llama_vocab_get_add_bos(self._vocab)
        self.bos_text = self._text(self.bos)
        self.eos_text = self._text(library.llama_vocab_eos(self._vocab))

    def piece(self, token: int) -> bytes | None:
        """The bytes of a token, or `None` if it ends the turn."""
        try:
            return self._pieces[token]
        except KeyError:
            ends = self._library.llama_vocab_is_eog(self._vocab, token)
            piece = self._pieces[token] = None if ends else self._read_piece(token)
            return piece

    def show(self, marks: Iterable[str]) -> None:
        """Let the control tokens in these texts be written out, as others are not.

        Some models mark thoughts and calls of tools with them.
        """
        for mark in marks:
            for token in self.tokens(mark, special=True):
                if self._library.llama_vocab_is_control(self._vocab, token) and self.piece(token) is not None:
                    self._pieces[token] = self._text(token).encode()

    def tokens(self, text: str, *, special: bool) -> list[int]:
        """Tokenise; `special` lets control tokens be written as text, as chat templates do."""
        content = text.encode("utf-8", "replace")
        most = len(content) + 2
        while True:
            buffer = (self._library.llama_token * most)()
            count = self._library.llama_tokenize(
                self._vocab,
                content,
                len(content),
                buffer,
                most,
                False,  # noqa: FBT003
                special,
            )
            if count >= 0:
                return list(buffer[:count])
            most = -count

    def prompt_tokens(self, text: str, *, special: bool = True) -> list[int]:
        """Tokenise a rendered chat template, with the beginning that the model was trained on.

        At least one token: a model that has read nothing cannot write.
        """
        tokens = self.tokens(text, special=special)
        if self.adds_bos and tokens[:1] != [self.bos]:
            tokens.insert(0, self.bos)
        return tokens or [max(self.bos, 0)]

    def defused(self, text: str) -> str:
        """Make control tokens in a person's text mere text, so that no document can speak as the system.

        An invisible character that joins words is put behind their first letter.
        """
        if self._controls is None:
            return text
        return self._controls.sub(lambda found: found[0][0] + _WORD_JOINER + found[0][1:], text)

    @cached_property
    def _controls(self) -> re.Pattern[str] | None:
        is_control, is_end = self._library.llama_vocab_is_control, self._library.llama_vocab_is_eog
        texts = {
            self._text(token)
            for token in range(self.size)
            if is_control(self._vocab, token) or is_end(self._vocab, token)
        }
        longest_first = sorted((text for text in texts if len(text) > 1), key=len, reverse=True)
        return re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def _text(self, token: int) -> str:
        if token < 0:
            return ""
        text: bytes = self._library.llama_vocab_get_text(self._vocab, token) or b""
        return text.decode("utf-8", "replace")

    def _read_piece(self, token: int) -> bytes:
        size = _PIECE_BYTES
        while True:
            buffer = ctypes.create_string_buffer(size)
            written: int = self._library.llama_token_to_piece(
                self._vocab,
                token,
                buffer,
                size,
                0,
                False,  # noqa: FBT003
            )
            if written >= 0:
                return buffer.raw[:written]
            size = -written


def common_prefix(left: list[int], right: list[int]) -> int:
    """How many leading tokens are the same. Compares whole slices: a loop would take 30 times as long."""
    same, differs = 0, min(len(left), len(right)) + 1
    while differs - same > 1:
        middle = (same + differs) // 2
        if left[same:middle] == right[same:middle]:
            same = middle
        else:
            differs = middle
    return same
