"""The values of the knowledge base."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path


class DocumentState(StrEnum):
    """Where a document is on its way into the index."""

    QUEUED = "queued"
    INDEXING = "indexing"
    READY = "ready"
    FAILED = "failed"


class Sharing(StrEnum):
    """Whose questions a collection answers. Answers leave the device, with short quotes; files never do."""

    PRIVATE = "private"
    """Only those that are asked on this device."""
    MY_DEVICES = "my_devices"
    """Those of the user's own devices, too."""
    CIRCLE = "circle"
    """Those of the user's circles, too."""
    PUBLIC = "public"
    """Anybody's."""

    def allows(self, asker: Sharing) -> bool:
        """Whether somebody of the level `asker` may get answers from a collection of this level."""
        levels = list(Sharing)
        return levels.index(asker) <= levels.index(self)


class CollectionColor(StrEnum):
    """What tells collections apart at a glance; the user interface knows how each looks."""

    TEAL = "teal"
    BLUE = "blue"
    VIOLET = "violet"
    ROSE = "rose"
    RED = "red"
    ORANGE = "orange"
    GREEN = "green"
    GREY = "grey"


@dataclass(frozen=True, slots=True)
class Collection:
    """A named set of documents, which a conversation can ask."""

    id: int
    name: str
    documents: int
    passages: int
    bytes: int
    """Of the documents' files, all together."""
    sharing: Sharing = Sharing.PRIVATE
    color: CollectionColor = CollectionColor.TEAL


@dataclass(frozen=True, slots=True)
class WatchedFolder:
    """A folder whose files are documents of a collection, and follow what happens to them."""

    id: int
    collection_id: int
    path: Path
    error: str | None
    """Why it cannot be followed now: the name of a leaf of `rag.errors`, else None."""
    files: int


@dataclass(frozen=True, slots=True)
class Document:
    """One file of a collection."""

    id: int
    collection_id: int
    title: str
    """The file's name as the user knows it, or the title of a page of the web."""
    source: str
    """The path it was added from."""
    state: DocumentState
    bytes: int
    passages: int
    """Passages in the index; 0 until it is ready."""
    pages: int | None
    """Number of pages, for formats that have any."""
    error: str | None
    """Why it failed: the name of a leaf of `rag.errors`, else None."""
    added_at: datetime
    address: str | None = None
    """Where a page of the web was fetched; None for a file."""
    fetched_at: datetime | None = None
    """When it was fetched last."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document that can be found, cited and opened."""

    id: int
    document_id: int
    document_title: str
    position: int
    """0 for the first passage of the document, counted up."""
    text: str
    page: int | None
    """1 for the first page; None for formats without pages."""
    heading: str | None
    """The nearest heading above, where the format has headings."""
    address: str | None = None
    """Where the document was fetched, if it is a page of the web."""


class SearchWay(StrEnum):
    """What decides which passages are found."""

    BOTH = "both"
    """Meaning and words, and only passages that are relevant: what answers rest on."""
    MEANING = "meaning"
    """Vectors alone, however far."""
    WORDS = "words"
    """BM25 alone."""


@dataclass(frozen=True, slots=True)
class SearchedIn:
    """Where a question looks: in whole collections, and in single documents beside them."""

    collection_ids: tuple[int, ...] = ()
    document_ids: tuple[int, ...] = ()


class Gate(StrEnum):
    """What lets a passage through the no-answer gate. A model only ever sees passages that pass."""

    MEANING = "meaning"
    """It is similar enough to the question."""
    NUMBER = "number"
    """It has a number of the question that few passages have."""
    RARE_WORDS = "rare_words"
    """It has half of the question's words, and few passages have those."""
    WORDS = "words"
    """It has half of the question's words, where there are no vectors to compare; or all of them, where there
    are too few passages for a word to be rare."""
    CLOSED = "closed"
    """Nothing does: it does not answer the question."""


@dataclass(frozen=True, slots=True)
class FoundPassage:
    """A passage and how well it fits the question."""

    passage: Passage
    score: float
    """Orders the passages of one search, no more; where both ways decide, 0 to 1."""
    similarity: float
    """Cosine similarity of the embedder; comparable only within one embedder."""
    matched_words: bool
    """Whether a rare word of the question stands in the passage."""
    gate: Gate
    words: tuple[str, ...]
    """The question's words that stand in the passage in some form, as the question has them."""
    rare_words: tuple[str, ...]
    """Those of them that few passages have."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found, and how hard it looked, for "searched N passages, M relevant"."""

    query: str
    searched: int
    """Passages in the collections and documents that were asked."""
    passages: tuple[FoundPassage, ...]
    """The relevant ones, best first. Empty means: nothing here answers the question."""
    refused: tuple[FoundPassage, ...] = ()
    """The best of those that the gate held back, as many as were asked for."""
    way: SearchWay = SearchWay.BOTH
    threshold: float | None = None
    """The similarity from which a passage passes; None where no vectors could be compared."""
    seconds: float = 0.0
    """How long the search took, without loading the embedder."""


@dataclass(frozen=True, slots=True)
class IndexingProgress:
    """A sign of life of the indexer; one before and one after each document, more in between."""

    document_id: int
    title: str
    state: DocumentState
    done_passages: int
    total_passages: int
    """0 while the document is still being read."""
    queued_documents: int
    """Documents that still wait, without this one."""
