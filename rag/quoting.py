"""The one sentence that answers a question best: what documents say in their own words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.embedder import Embedder
from rag.text import embedding_text

_MOST_SENTENCES = 48
_FEWEST_WORDS = 4
_LONGEST = 400
_BORDER = re.compile(r"(?<=[.!?؟؛…])[\"'»”’)\]]*\s+|\n\s*\n|\n(?=\s*(?:[-*•]|\d+[.)])\s)")
_LIST_MARK = re.compile(r"^(?:[-*•]|\d{1,3}[.)])\s+")


@dataclass(frozen=True, slots=True)
class Quotation:
    """A sentence, and which of the given texts it stands in."""

    index: int
    text: str


def sentences(text: str) -> Iterator[str]:
    """Whole sentences on one line each; headings and scraps are left out."""
    start = 0
    for border in [*_BORDER.finditer(text), None]:
        end = border.end() if border else len(text)
        sentence = _LIST_MARK.sub("", " ".join(text[start:end].split()))
        if len(sentence.split()) >= _FEWEST_WORDS and len(sentence) <= _LONGEST:
            yield sentence
        start = end


def best_quotation(question: str, texts: Sequence[str], embedder: Embedder) -> Quotation | None:
    """The sentence whose meaning is nearest to the question; None where there is no whole sentence.

    Args:
        question: as it was asked.
        texts: passages, the best first; only the first sentences of all are compared.
        embedder: the one that found the passages.
    """
    found = [(index, sentence) for index, text in enumerate(texts) for sentence in sentences(text)]
    del found[_MOST_SENTENCES:]
    if not found:
        return None
    vectors = embedder.embed_passages([embedding_text(sentence) for _, sentence in found])
    similarities = vectors @ embedder.embed_query(embedding_text(question))
    return Quotation(*found[int(similarities.argmax())])
