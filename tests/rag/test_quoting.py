"""What documents say in their own words."""

from __future__ import annotations

import pytest

from rag.quoting import Quotation, best_quotation, sentences
from tests.app.ui.word_embedder import WordEmbedder

HOLIDAYS = """Holidays

Everyone has 30 days of paid holiday a year. Days that are left in December can be taken until the
end of March.

- Ask your lead two weeks ahead.
- No."""


def test_sentences_are_whole_and_without_headings():
    assert list(sentences(HOLIDAYS)) == [
        "Everyone has 30 days of paid holiday a year.",
        "Days that are left in December can be taken until the end of March.",
        "Ask your lead two weeks ahead.",
    ]


def test_persian_sentences_end_at_their_own_marks():
    assert list(sentences("حافظ کجا به دنیا آمد؟ او در شیراز به دنیا آمد. دیوان او ۵۰۰ غزل دارد.")) == [
        "حافظ کجا به دنیا آمد؟",
        "او در شیراز به دنیا آمد.",
        "دیوان او ۵۰۰ غزل دارد.",
    ]


def test_the_nearest_sentence_of_all_texts_is_quoted():
    texts = ["The office opens at eight every morning. Lunch is served at noon.", HOLIDAYS]
    found = best_quotation("How many days of paid holiday are there a year?", texts, WordEmbedder())
    assert found == Quotation(1, "Everyone has 30 days of paid holiday a year.")


@pytest.mark.parametrize("texts", [[], [""], ["Title"], ["x" * 5000]])
def test_where_there_is_no_sentence_nothing_is_quoted(texts):
    assert best_quotation("What?", texts, WordEmbedder()) is None
