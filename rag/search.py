"""Hybrid search: candidates by words (BM25) and by meaning (vectors), then `rag/ranking.py`."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence

import apsw

from rag.database import Database, rows
from rag.embedded_parts import searchable_text
from rag.embedder import RelevanceScale, Vectors
from rag.model import FoundPassage, Gate, SearchedIn, SearchResult, SearchWay
from rag.ranking import (
    Candidate,
    distinct,
    fuse,
    gate,
    most_passages_of_a_rare_word,
    similarity_to_pass,
)
from rag.reranking import RERANKED, GetReranker, reranked
from rag.shared_embedder import SharedEmbedder
from rag.store import Store
from rag.text import embedding_text, index_text, match_expression, word_expressions, written_words
from rag.vectors.exact import best_of, similarities
from rag.vectors.protocol import Neighbour
from rag.vectors.stored import StoredVectors, identity_of, vector_state

CANDIDATES = 50
"""Passages taken from each of the two rankings."""
_EXAMINED_WORDS = 24
_RANKED = (4 * CANDIDATES, 64 * CANDIDATES)
"""So many of the best by words are looked at, in the hope that enough are where the question looks."""
_MATCHES = """FROM passage_words JOIN passages p ON p.id = passage_words.rowid
    JOIN documents d ON d.id = p.document_id WHERE passage_words MATCH ?"""


class Search:
    """Finds the passages that answer a question."""

    def __init__(
        self,
        database: Database,
        store: Store,
        vectors: StoredVectors,
        embedder: SharedEmbedder,
        reranker: GetReranker = lambda: None,
    ) -> None:
        self._database = database
        self._store = store
        self._vectors = vectors
        self._embedder = embedder
        self._reranker = reranker

    def find(
        self,
        query: str,
        where: SearchedIn,
        limit: int,
        way: SearchWay = SearchWay.BOTH,
        refused: int = 0,
    ) -> SearchResult:
        """See `KnowledgeBase.search`."""
        with self._database.read() as connection:
            searched = _count(connection, where)
            stored = vector_state(connection).embedder
        if not searched or not query.strip() or limit < 1:
            return SearchResult(query, searched, (), way=way)
        if stored is not None:
            self._embedder.serving(stored)  # loading it for the first search is not the search
        began = time.monotonic()
        vector, scale = self._query_vector(query, stored)
        words = word_expressions(query)[:_EXAMINED_WORDS]
        with self._database.read() as connection:
            if vector is not None and vector_state(connection).embedder != stored:
                vector, scale = None, None  # swapped while the question was embedded
            candidates = self._candidates(connection, query, vector, words, where, searched)
        threshold = None
        if scale is not None:
            nearest = max((candidate.similarity for candidate in candidates), default=0.0)
            threshold = similarity_to_pass(nearest, scale, searched)
        gates = {
            candidate.passage_id: gate(candidate, len(words), threshold, searched) for candidate in candidates
        }
        if way is SearchWay.MEANING:
            scores = {candidate.passage_id: candidate.similarity for candidate in candidates}
            relevant = [candidate for candidate in candidates if candidate.similarity > 0]
        elif way is SearchWay.WORDS:
            scores = {candidate.passage_id: candidate.bm25 for candidate in candidates}
            relevant = [candidate for candidate in candidates if candidate.bm25 > 0]
        else:
            scores = fuse(candidates)
            relevant = [it for it in candidates if gates[it.passage_id] is not Gate.CLOSED]
            scores = self._reranked(query, relevant, scores)
        held_back: list[Candidate] = []
        if way is SearchWay.BOTH and refused:
            held_back = [it for it in candidates if gates[it.passage_id] is Gate.CLOSED]

        def best(of: list[Candidate], count: int) -> tuple[FoundPassage, ...]:
            of.sort(key=lambda candidate: (-scores[candidate.passage_id], candidate.passage_id))
            return tuple(self._found(of, scores, gates, written_words(query), count))

        return SearchResult(
            query,
            searched,
            best(relevant, limit),
            best(held_back, refused),
            way,
            threshold,
            time.monotonic() - began,
        )

    def _reranked(
        self, query: str, relevant: Sequence[Candidate], scores: dict[int, float]
    ) -> dict[int, float]:
        reranker = self._reranker() if len(relevant) > 1 else None
        if reranker is None:
            return scores
        ids = sorted((it.passage_id for it in relevant), key=lambda number: (-scores[number], number))
        passages = self._store.passages(ids[:RERANKED])
        texts = {passage.id: searchable_text(passage.text, passage.heading) for passage in passages}
        return reranked(reranker, query, texts, scores)

    def _query_vector(self, query: str, stored: str | None) -> tuple[Vectors | None, RelevanceScale | None]:
        """No vector while the passages still have those of another embedder: words must do then."""
        if stored is None:
            return None, None
        embedder = self._embedder.serving(stored)
        if identity_of(embedder) != stored:
            return None, None
        return embedder.embed_query(embedding_text(query)), embedder.relevance

    def _candidates(
        self,
        connection: apsw.Connection,
        query: str,
        vector: Vectors | None,
        words: Sequence[str],
        where: SearchedIn,
        searched: int,
    ) -> list[Candidate]:
        bm25 = _bm25(connection, query, where)
        rare = _rare_words(connection, words, where, searched)
        by_words = bm25.keys() | {passage for having in rare.values() for passage in having}
        similar: dict[int, float] = {}
        if vector is not None:
            near = self._nearest(connection, vector, where)
            similar = {neighbour.passage_id: neighbour.similarity for neighbour in near}
            similar |= similarities(connection, vector, by_words - similar.keys())
        ids = sorted(similar.keys() | by_words)
        matched = _matched_words(connection, words, ids)
        return [
            Candidate(
                number,
                similar.get(number, 0.0),
                bm25.get(number, 0.0),
                frozenset(word for word, having in matched.items() if number in having),
                frozenset(word for word, having in rare.items() if number in having),
            )
            for number in ids
        ]

    def _nearest(self, connection: apsw.Connection, vector: Vectors, where: SearchedIn) -> list[Neighbour]:
        near: list[Neighbour] = []
        if where.collection_ids:
            near += self._vectors.index.nearest(connection, vector, where.collection_ids, CANDIDATES)
        if where.document_ids:
            # An index knows collections; those of single documents are few, and compared one by one.
            statement = f"SELECT id FROM passages WHERE document_id IN {_asked(where.document_ids)}"
            ids = [number for (number,) in rows(connection, statement)]
            near += best_of(connection, vector, ids, CANDIDATES)
        return near

    def _found(
        self,
        candidates: Sequence[Candidate],
        scores: Mapping[int, float],
        gates: Mapping[int, Gate],
        written: Mapping[str, str],
        limit: int,
    ) -> Iterable[FoundPassage]:
        by_id = {candidate.passage_id: candidate for candidate in candidates[: limit * 3]}
        passages = self._store.passages(by_id)
        with_words = ((passage, set(index_text(passage.text).split())) for passage in passages)
        for _, passage in zip(range(limit), distinct(with_words), strict=False):
            candidate = by_id[passage.id]
            yield FoundPassage(
                passage,
                scores[passage.id],
                candidate.similarity,
                matched_words=bool(candidate.rare_words),
                gate=gates[passage.id],
                words=tuple(word for each, word in written.items() if each in candidate.words),
                rare_words=tuple(word for each, word in written.items() if each in candidate.rare_words),
            )


def _asked(numbers: Iterable[int]) -> str:
    return "(" + ", ".join(str(int(number)) for number in numbers) + ")"


def _among(where: SearchedIn) -> str:
    """A condition on the table `documents d`."""
    collections, documents = _asked(where.collection_ids), _asked(where.document_ids)
    return f"(d.collection_id IN {collections} OR d.id IN {documents})"


def _count(connection: apsw.Connection, where: SearchedIn) -> int:
    statement = f"SELECT coalesce(sum(passages), 0) FROM documents d WHERE {_among(where)}"
    [(count,)] = rows(connection, statement)
    return int(count)


def _bm25(connection: apsw.Connection, query: str, where: SearchedIn) -> dict[int, float]:
    """The best by words, with their scores; larger is better."""
    expression = match_expression(query)
    if expression is None:
        return {}
    statement = "SELECT rowid, -rank FROM passage_words WHERE passage_words MATCH ? ORDER BY rank LIMIT ?"
    # Looking up the document of every match takes longer than ranking them all.
    for most in _RANKED:
        found = rows(connection, statement, (expression, most))
        asked = _of_those(connection, [number for number, _ in found], where)
        if len(asked) >= CANDIDATES or len(found) < most:
            found = [(number, score) for number, score in found if number in asked]
            break
    else:
        found = rows(
            connection,
            f"""SELECT p.id, -rank {_MATCHES} AND {_among(where)}
            ORDER BY rank, p.id LIMIT {CANDIDATES}""",
            (expression,),
        )
    best = sorted(found, key=lambda match: (-match[1], match[0]))[:CANDIDATES]
    return {number: max(score, 1e-9) for number, score in best}


def _rare_words(
    connection: apsw.Connection, words: Sequence[str], where: SearchedIn, searched: int
) -> dict[str, set[int]]:
    """The question's rare words, and the passages that have each."""
    [(passages,)] = rows(connection, "SELECT coalesce(sum(passages), 0) FROM documents")
    rare: dict[str, set[int]] = {}
    for word in words:
        is_number = any(letter.isdigit() for letter in word)
        most = most_passages_of_a_rare_word(searched, number=is_number)
        statement = "SELECT rowid FROM passage_words WHERE passage_words MATCH ? LIMIT ?"
        found = {number for (number,) in rows(connection, statement, (word, most + 1))}
        if searched < passages:
            if len(found) > most:  # but perhaps it is rare where the question looks
                found = _having(connection, word, where, most + 1)
            else:
                found = _of_those(connection, found, where)
        if 0 < len(found) <= most:
            rare[word] = found
    return rare


def _having(connection: apsw.Connection, word: str, where: SearchedIn, limit: int) -> set[int]:
    statement = f"SELECT p.id {_MATCHES} AND {_among(where)} LIMIT ?"
    return {number for (number,) in rows(connection, statement, (word, limit))}


def _of_those(connection: apsw.Connection, passage_ids: Iterable[int], where: SearchedIn) -> set[int]:
    """Those of the passages that are where the question looks."""
    found = rows(
        connection,
        f"""SELECT p.id FROM passages p JOIN documents d ON d.id = p.document_id
        WHERE p.id IN {_asked(passage_ids)} AND {_among(where)}""",
    )
    return {number for (number,) in found}


def _matched_words(
    connection: apsw.Connection, words: Sequence[str], passage_ids: Sequence[int]
) -> dict[str, set[int]]:
    """Which of these passages have each of the question's words."""
    statement = (
        f"SELECT rowid FROM passage_words WHERE passage_words MATCH ? AND rowid IN {_asked(passage_ids)}"
    )
    return {word: {number for (number,) in rows(connection, statement, (word,))} for word in words}
