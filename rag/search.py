"""Hybrid search: words (BM25) and meaning (vectors), fused; and the decision that nothing fits.

Fusion is a convex sum of min-max normalised scores, the words weighing 0.2. Equal-weight
reciprocal rank fusion was measured to be worse than vectors alone: it ignores how far apart
scores are, so one shared common word gives a wrong passage a full vote.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import apsw

from rag.database import Database, rows
from rag.embedder import Embedder, RelevanceScale, Vectors
from rag.model import FoundPassage, SearchResult
from rag.store import Store
from rag.text import content_words, embedding_text, index_text, match_expression, word_expressions
from rag.vectors.stored import StoredVectors, identity_of, vector_state

LEXICAL_WEIGHT = 0.2
CANDIDATES = 50
"""Passages taken from each of the two rankings."""
RARE_SHARE = 0.02
"""A word is rare where no more than this share of the passages has it (or three passages)."""
NEAR_DUPLICATE = 0.9
"""Passages that share this much of their words say the same."""
_EXPLORED_WORDS = 12


@dataclass(frozen=True, slots=True)
class Candidate:
    """What both rankings know of a passage."""

    passage_id: int
    similarity: float
    bm25: float
    """Larger is better; 0 where no word matches."""
    rare_words: frozenset[str] = field(default_factory=frozenset)
    """Which rare words of the question it has."""


def fuse(candidates: Sequence[Candidate]) -> dict[int, float]:
    """Fused scores, 0 to 1, by passage."""
    similarities = _normalised([candidate.similarity for candidate in candidates])
    words = _normalised([candidate.bm25 for candidate in candidates])
    return {
        candidate.passage_id: (1 - LEXICAL_WEIGHT) * similarity + LEXICAL_WEIGHT * word
        for candidate, similarity, word in zip(candidates, similarities, words, strict=True)
    }


def is_relevant(candidate: Candidate, words: Sequence[str], scale: RelevanceScale | None) -> bool:
    """The no-answer gate: whether a passage may be shown to the model at all.

    It is similar enough, or it has the question's telling words: half of all its content
    words, or a number, which vector models are blind to.

    Args:
        candidate: the passage.
        words: content words of the question.
        scale: how to read similarities; None where there are none, then words decide.
    """
    if scale is not None and candidate.similarity >= scale.irrelevant_below:
        return True
    if not candidate.rare_words:
        return False
    if any(any(letter.isdigit() for letter in word) for word in candidate.rare_words):
        return True
    return len(candidate.rare_words) * 2 >= len(words)


class Search:
    """Finds the passages that answer a question."""

    def __init__(
        self,
        database: Database,
        store: Store,
        vectors: StoredVectors,
        embedder: Callable[[], Embedder],
    ) -> None:
        self._database = database
        self._store = store
        self._vectors = vectors
        self._embedder = embedder

    def find(self, query: str, collection_ids: Sequence[int], limit: int) -> SearchResult:
        """See `KnowledgeBase.search`."""
        with self._database.read() as connection:
            searched = _count(connection, collection_ids)
            stored = vector_state(connection).embedder
        if not searched or not query.strip():
            return SearchResult(query, searched, ())
        vector, scale = self._query_vector(query, stored)
        words = content_words(query)
        with self._database.read() as connection:
            bm25 = _bm25(connection, query, collection_ids)
            similar: dict[int, float] = {}
            if vector is not None:
                near = self._vectors.index.nearest(connection, vector, collection_ids, CANDIDATES)
                similar = {neighbour.passage_id: neighbour.similarity for neighbour in near}
                missing = bm25.keys() - similar.keys()
                similar |= self._vectors.similarities(connection, vector, missing)
            rare = _rare_words(connection, query, collection_ids, searched)
        candidates = [
            Candidate(
                passage_id,
                similar.get(passage_id, 0.0),
                bm25.get(passage_id, 0.0),
                frozenset(word for word, having in rare.items() if passage_id in having),
            )
            for passage_id in similar.keys() | bm25.keys()
        ]
        scores = fuse(candidates)
        relevant = [candidate for candidate in candidates if is_relevant(candidate, words, scale)]
        relevant.sort(key=lambda candidate: (-scores[candidate.passage_id], candidate.passage_id))
        return SearchResult(query, searched, self._distinct(relevant, scores, limit))

    def _query_vector(self, query: str, stored: str | None) -> tuple[Vectors | None, RelevanceScale | None]:
        """No vector while the passages still have those of another embedder: words must do then."""
        if stored is None:
            return None, None
        embedder = self._embedder()
        if identity_of(embedder) != stored:
            return None, None
        return embedder.embed_query(embedding_text(query)), embedder.relevance

    def _distinct(
        self, candidates: Sequence[Candidate], scores: Mapping[int, float], limit: int
    ) -> tuple[FoundPassage, ...]:
        """The best passages, without those that only repeat a better one."""
        by_id = {candidate.passage_id: candidate for candidate in candidates}
        kept: list[FoundPassage] = []
        vocabularies: list[set[str]] = []
        for passage in self._store.passages(list(by_id)[: limit * 3]):
            vocabulary = set(index_text(passage.text).split())
            if any(_overlap(vocabulary, other) > NEAR_DUPLICATE for other in vocabularies):
                continue
            candidate = by_id[passage.id]
            kept.append(
                FoundPassage(
                    passage,
                    scores[passage.id],
                    candidate.similarity,
                    matched_words=bool(candidate.rare_words),
                )
            )
            vocabularies.append(vocabulary)
            if len(kept) == limit:
                break
        return tuple(kept)


def _normalised(values: Sequence[float]) -> list[float]:
    low, high = min(values, default=0.0), max(values, default=0.0)
    if high <= low:
        return [1.0 if high > 0 else 0.0] * len(values)
    return [(value - low) / (high - low) for value in values]


def _overlap(one: set[str], other: set[str]) -> float:
    return len(one & other) / max(1, len(one | other))


def _asked(collection_ids: Sequence[int]) -> str:
    return "(" + ", ".join(str(int(number)) for number in collection_ids) + ")"


def _count(connection: apsw.Connection, collection_ids: Sequence[int]) -> int:
    [(count,)] = rows(
        connection,
        f"SELECT coalesce(sum(passages), 0) FROM documents WHERE collection_id IN {_asked(collection_ids)}",
    )
    return int(count)


def _bm25(connection: apsw.Connection, query: str, collection_ids: Sequence[int]) -> dict[int, float]:
    expression = match_expression(query)
    if expression is None:
        return {}
    found = rows(
        connection,
        f"""SELECT p.id, -bm25(passage_words) FROM passage_words
        JOIN passages p ON p.id = passage_words.rowid JOIN documents d ON d.id = p.document_id
        WHERE passage_words MATCH ? AND d.collection_id IN {_asked(collection_ids)}
        ORDER BY bm25(passage_words), p.id LIMIT {CANDIDATES}""",
        (expression,),
    )
    return {number: max(score, 1e-9) for number, score in found}


def _rare_words(
    connection: apsw.Connection, query: str, collection_ids: Sequence[int], searched: int
) -> dict[str, set[int]]:
    """The question's rare words, and the passages that have each."""
    most = max(3, int(searched * RARE_SHARE))
    rare: dict[str, set[int]] = {}
    for expression in word_expressions(query)[:_EXPLORED_WORDS]:
        found = rows(
            connection,
            f"""SELECT p.id FROM passage_words JOIN passages p ON p.id = passage_words.rowid
            JOIN documents d ON d.id = p.document_id
            WHERE passage_words MATCH ? AND d.collection_id IN {_asked(collection_ids)} LIMIT {most + 1}""",
            (expression,),
        )
        if 0 < len(found) <= most:
            rare[expression] = {row[0] for row in found}
    return rare
