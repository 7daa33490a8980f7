"""Writing a collection file."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import msgspec

from rag.database import Database, rows
from rag.errors import CollectionMissing
from rag.exchange.form import (
    FORMAT,
    HEADER,
    PASSAGES,
    VECTORS,
    VERSION,
    FileDocument,
    FileHeader,
    FilePassage,
    Progress,
)
from rag.vectors.stored import vector_state

_IN_MEMORY = 16 << 20


def export_collection(database: Database, collection_id: int, target: Path, progress: Progress) -> None:
    """See `KnowledgeBase.export_collection`."""
    with database.read() as connection:
        names = rows(connection, "SELECT name FROM collections WHERE id = ?", (collection_id,))
        documents = rows(
            connection,
            "SELECT id, passages FROM documents WHERE collection_id = ? AND passages > 0 ORDER BY id",
            (collection_id,),
        )
        embedder = vector_state(connection).embedder
    if not names:
        raise CollectionMissing(str(collection_id))
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        with (
            ZipFile(partial, "w", ZIP_DEFLATED) as archive,
            tempfile.SpooledTemporaryFile(_IN_MEMORY) as vectors,
        ):
            written, complete = _write_passages(database, archive, documents, embedder, vectors, progress)
            whose = embedder if complete and written else None
            if whose is not None:
                vectors.seek(0)
                with archive.open(ZipInfo(VECTORS), "w", force_zip64=True) as member:  # stored, not packed
                    shutil.copyfileobj(vectors, member, 1 << 20)
            header = FileHeader(FORMAT, VERSION, names[0][0], written, whose)
            archive.writestr(HEADER, msgspec.json.encode(header))
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _write_passages(
    database: Database,
    archive: ZipFile,
    documents: list[tuple[Any, ...]],
    embedder: str | None,
    vectors: IO[bytes],
    progress: Progress,
) -> tuple[list[FileDocument], bool]:
    """Document by document, so that searches go on meanwhile.

    Returns:
        The documents that were written, and whether every passage of them has its vector.
    """
    total = sum(passages for _, passages in documents)
    written: list[FileDocument] = []
    done, complete = 0, embedder is not None
    progress(0, total)
    with archive.open(PASSAGES, "w", force_zip64=True) as member:
        for number, _ in documents:
            with database.read() as connection:
                found = rows(
                    connection,
                    """SELECT title, bytes, added_at, passages, content_hash, pages, address, fetched_at
                    FROM documents WHERE id = ? AND passages > 0""",
                    (number,),
                )
                passages = rows(
                    connection,
                    """SELECT p.text, p.page, p.heading, v.vector FROM passages p
                    LEFT JOIN vectors v ON v.passage_id = p.id WHERE p.document_id = ? ORDER BY p.position""",
                    (number,),
                )
                state = vector_state(connection)
                complete, dimension = complete and state.embedder == embedder, state.dimension
            if not found:
                continue  # deleted meanwhile
            for text, page, heading, vector in passages:
                complete = complete and vector is not None
                count = len(vector) // (4 * dimension) if complete else 1
                member.write(msgspec.json.encode(FilePassage(text, page, heading, count)) + b"\n")
                if complete:
                    vectors.write(vector)
            written.append(FileDocument(*found[0]))
            done += len(passages)
            progress(done, max(total, done))
    return written, complete
