"""What the app itself writes into answers, in the language of the question, which need not be the app's."""

from __future__ import annotations

from app.core.direction import is_right_to_left
from app.core.strings import Strings


def nothing_found(question: str, searched: int) -> str:
    """The answer where the documents hold none."""
    return _strings(question)("answer.nothing_found", count=searched)


def quotation(question: str, sentence: str, source: int, *, shared: bool = False) -> str:
    """What the documents say in their own words, as Markdown with its citation.

    `shared`: the one who asks reads it on another device, and they are not his own.
    """
    key = "answer.quotation_shared" if shared else "answer.quotation"
    return f"{_strings(question)(key)}\n\n> {sentence} [{source}]"


def _strings(question: str) -> Strings:
    return Strings("fa" if is_right_to_left(question) else "en")
