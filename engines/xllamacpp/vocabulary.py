"""A loaded model's tokens, asked for from its server."""

from __future__ import annotations

from typing import Any

from engines.xllamacpp.server import LocalServer

_WORD_JOINER = "\u2060"
_MOST_ROUNDS = 8


class Vocabulary:
    """Text to tokens. Safe to use from several threads, also while answers run."""

    def __init__(self, server: LocalServer) -> None:
        self._server = server
        properties = server.ask("/props")
        self.bos_text: str = properties.get("bos_token") or ""
        self.eos_text: str = properties.get("eos_token") or ""
        plain = self.tokens("a", special=False)
        begun: list[int] = self._ask("a", special=False, begin=True)
        self._beginning = begun[: len(begun) - len(plain)] if begun[-len(plain) :] == plain else []
        self._nothing: list[int] = self.tokens(self.bos_text or self.eos_text, special=True)[:1] or [0]

    def tokens(self, text: str, *, special: bool) -> list[int]:
        """Tokenise; `special` lets control tokens be written as text, as chat templates do."""
        return self._ask(text, special=special) if text else []

    def prompt_tokens(self, text: str, *, special: bool = True) -> list[int]:
        """Tokenise a rendered chat template, with the beginning that the model was trained on.

        At least one token: a model that has read nothing cannot write.
        """
        tokens = self.tokens(text, special=special)
        begun = tokens[: len(self._beginning)] == self._beginning
        return (tokens if begun else [*self._beginning, *tokens]) or self._nothing

    def defused(self, text: str) -> str:
        """Make control tokens in a person's text mere text, so that no document can speak as the system.

        An invisible character that joins words is put behind their first letter.
        """
        for _ in range(_MOST_ROUNDS):
            plain = set(self.tokens(text, special=False))
            read = self._ask(text, special=True, pieces=True) if text else []
            controls = {
                token["piece"]
                for token in read
                if token["id"] not in plain and isinstance(token["piece"], str)
            }
            controls = {control for control in controls if len(control) > 1 and control in text}
            if not controls or self.tokens(text, special=True) == self.tokens(text, special=False):
                return text
            for control in sorted(controls, key=len, reverse=True):
                text = text.replace(control, control[0] + _WORD_JOINER + control[1:])
        return text

    def _ask(self, text: str, *, special: bool, begin: bool = False, pieces: bool = False) -> list[Any]:
        body = {"content": text, "add_special": begin, "parse_special": special, "with_pieces": pieces}
        tokens: list[Any] = self._server.ask("/tokenize", body)["tokens"]
        return tokens
