"""Reading a collection file, which may come from anybody."""

from __future__ import annotations

import errno
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

import apsw
import msgspec
import numpy as np

from rag.database import Database, rows
from rag.errors import CollectionFileDamaged, CollectionFileTooNew, CollectionFileUnsafe, CollectionNameEmpty
from rag.exchange.form import (
    FORMAT,
    HEADER,
    LARGEST_HEADER,
    LARGEST_LINE,
    LARGEST_PASSAGES,
    LARGEST_RATIO,
    LARGEST_VECTORS,
    LONGEST_PASSAGE,
    PASSAGES,
    SUSPICIOUS_SIZE,
    VECTORS,
    VERSION,
    FileDocument,
    FileHeader,
    FilePassage,
    Progress,
)
from rag.text import search_text

_LIMITS = {HEADER: LARGEST_HEADER, PASSAGES: LARGEST_PASSAGES, VECTORS: LARGEST_VECTORS}
_LONGEST_NAME = 1000
_TOLD_EVERY = 500


class Imported(NamedTuple):
    """What became of a collection file."""

    collection_id: int
    name: str
    document_ids: tuple[int, ...]
    """Those that were added; they are ready to be found after a moment in the background."""
    known: int
    """How many the collection had already."""


def import_collection(database: Database, source: Path, name: str | None, progress: Progress) -> Imported:
    """See `KnowledgeBase.import_collection`. All in one transaction: everything, or nothing.

    Documents go where those wait that were read but not embedded yet. The indexer publishes them;
    vectors of the embedder in use are kept, others are made anew.
    """
    with _damage_told(source), ZipFile(source) as archive:
        members = _checked_members(archive, source)
        header = _read_header(archive, source)
        if (header.embedder is None) != (VECTORS not in members):
            raise CollectionFileDamaged(source, "vectors without an embedder, or the other way round")
        dimension = _dimension(header.embedder, source)
        total = sum(document.passages for document in header.documents)
        tidy = " ".join((name or header.name).split())[:_LONGEST_NAME]
        if not tidy:
            raise CollectionNameEmpty
        progress(0, total)
        with database.write() as connection, archive.open(PASSAGES) as lines:
            vectors = archive.open(VECTORS) if dimension else None
            collection_id, tidy = _collection(connection, tidy)
            added: list[int] = []
            done = 0
            for document in header.documents:
                number = _add(connection, collection_id, document)
                for position in range(document.passages):
                    passage = _read_passage(lines, source)
                    vector = None
                    if vectors is not None:
                        vector = _read_vectors(vectors, passage.vectors, dimension, source)
                    if number is not None:
                        connection.execute(
                            "INSERT INTO staged_passages VALUES (?, ?, ?, ?, ?, ?, ?)",
                            (
                                number,
                                position,
                                passage.text,
                                passage.page,
                                passage.heading,
                                vector,
                                header.embedder,
                            ),
                        )
                    done += 1
                    if done % _TOLD_EVERY == 0:
                        progress(done, total)
                if number is not None:
                    added.append(number)
            if lines.read(1):
                raise CollectionFileDamaged(source, "more passages than documents have")
            if vectors is not None:
                if vectors.read(1):
                    raise CollectionFileDamaged(source, "more vectors than passages have")
                vectors.close()
            progress(total, total)
    return Imported(collection_id, tidy, tuple(added), len(header.documents) - len(added))


@contextmanager
def _damage_told(source: Path) -> Iterator[None]:
    try:
        yield
    except (BadZipFile, EOFError, zlib.error, struct.error, NotImplementedError, RuntimeError) as error:
        raise CollectionFileDamaged(source, str(error)) from error
    except (msgspec.MsgspecError, ValueError, OverflowError) as error:
        raise CollectionFileDamaged(source, str(error)) from error
    except OSError as error:
        if error.errno == errno.EINVAL:  # a place that no file has
            raise CollectionFileDamaged(source, str(error)) from error
        raise


def _checked_members(archive: ZipFile, source: Path) -> dict[str, int]:
    """The members with their sizes; the archive reads no more of each than it declares."""
    sizes: dict[str, int] = {}
    for member in archive.infolist():
        if member.filename not in _LIMITS or member.filename in sizes:
            raise CollectionFileUnsafe(source, "a member that does not belong there")
        if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED) or member.flag_bits & 1:
            raise CollectionFileUnsafe(source, "packed or locked in another way")
        unfolds = member.file_size > LARGEST_RATIO * max(member.compress_size, 1)
        if member.file_size > _LIMITS[member.filename] or (member.file_size > SUSPICIOUS_SIZE and unfolds):
            raise CollectionFileUnsafe(source, "unfolds to more than a collection has")
        sizes[member.filename] = member.file_size
    if not {HEADER, PASSAGES} <= sizes.keys():
        raise CollectionFileDamaged(source, "a member is missing")
    return sizes


def _read_header(archive: ZipFile, source: Path) -> FileHeader:
    content = archive.read(HEADER)
    about = msgspec.json.decode(content)
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise CollectionFileDamaged(source, "another format")
    version = about.get("version")
    if isinstance(version, int) and version > VERSION:
        raise CollectionFileTooNew(source, f"version {version}")
    header = msgspec.json.decode(content, type=FileHeader)
    for document in header.documents:
        if document.address is not None and not document.address.startswith(("http://", "https://")):
            raise CollectionFileUnsafe(source, "an address that is none of a page")
    return header


def _dimension(embedder: str | None, source: Path) -> int:
    """How many components each vector has; 0 where there are none."""
    if embedder is None:
        return 0
    parts = embedder.rsplit(" ", 2)
    if len(parts) != 3 or not parts[1].isascii() or not parts[1].isdigit() or not 0 < int(parts[1]) <= 16384:
        raise CollectionFileDamaged(source, "an embedder without a dimension")
    return int(parts[1])


def _collection(connection: apsw.Connection, name: str) -> tuple[int, str]:
    """The collection of this name; made if there is none."""
    folded = search_text(name)
    found = rows(connection, "SELECT id, name FROM collections WHERE folded_name = ?", (folded,))
    if found:
        return int(found[0][0]), str(found[0][1])
    connection.execute("INSERT INTO collections(name, folded_name) VALUES (?, ?)", (name, folded))
    return connection.last_insert_rowid(), name


def _add(connection: apsw.Connection, collection_id: int, document: FileDocument) -> int | None:
    """The number of the new document; None where the collection has the same one."""
    same = "SELECT 1 FROM documents WHERE collection_id = ? AND content_hash = ?"
    if rows(connection, same, (collection_id, document.content_hash)):
        return None
    connection.execute(
        """INSERT INTO documents(collection_id, title, source, owned, content_hash, bytes, state, pages,
        staged, added_at, address, fetched_at) VALUES (?, ?, '', 0, ?, ?, 'queued', ?, ?, ?, ?, ?)""",
        (
            collection_id,
            document.title,
            document.content_hash,
            document.bytes,
            document.pages,
            document.passages,
            document.added_at,
            document.address,
            document.fetched_at,
        ),
    )
    return connection.last_insert_rowid()


def _read_passage(lines: IO[bytes], source: Path) -> FilePassage:
    line = lines.readline(LARGEST_LINE)
    if not line.endswith(b"\n"):
        raise CollectionFileDamaged(source, "a passage is missing or too long")
    passage = msgspec.json.decode(line, type=FilePassage)
    if not passage.text.strip() or len(passage.text) > LONGEST_PASSAGE:
        raise CollectionFileDamaged(source, "a passage that is empty or too long")
    return passage


def _read_vectors(vectors: IO[bytes], count: int, dimension: int, source: Path) -> bytes:
    """The vectors of one passage."""
    found = vectors.read(count * dimension * 4)
    if len(found) != count * dimension * 4:
        raise CollectionFileDamaged(source, "a vector is missing")
    lengths = np.linalg.norm(np.frombuffer(found, "<f4").reshape(count, dimension), axis=1)
    if not bool((np.abs(lengths - 1) < 0.01).all()):
        raise CollectionFileDamaged(source, "a vector that has not length 1")
    return found
