"""`dai kb`: the knowledge base from the terminal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from app.cli.ask import collection_ids
from app.cli.errors import CommandError
from app.cli.session import print_json, run, services, strings_of
from app.core.strings import Strings
from app.services import Services
from rag.documents import supported_suffixes
from rag.model import Document, DocumentState, IndexingProgress

knowledge = typer.Typer(no_args_is_help=True, help="Collections of your documents.")

DEFAULT_COLLECTION = "Documents"
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
KnowledgeBaseName = Annotated[str | None, typer.Option("--kb", help="Name of the collection.")]


@knowledge.command("add")
def add(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders whose documents are all added.")],
    kb: Annotated[str, typer.Option("--kb", help="The collection; made if it is new.")] = DEFAULT_COLLECTION,
    as_json: AsJson = False,
) -> None:
    """Add documents and wait until they can be searched."""
    run(_add(paths, kb, as_json=as_json))


async def _add(paths: list[Path], name: str, *, as_json: bool) -> None:
    async with services() as opened:
        strings = strings_of(opened)
        existing = [c for c in opened.knowledge.collections() if c.name.casefold() == name.strip().casefold()]
        collection = existing[0] if existing else opened.knowledge.create_collection(name)
        documents = [opened.knowledge.add(collection.id, path) for path in _files(paths)]
        if not documents:
            raise CommandError("cli.nothing_to_add")
        if sys.stderr.isatty() and not as_json:
            opened.knowledge.subscribe(lambda progress: _show_progress(progress, strings))
        try:
            opened.knowledge.wait_until_idle()
        except KeyboardInterrupt:
            print("\n" + strings("cli.indexing_goes_on_later"), file=sys.stderr)
            raise
        added = [opened.knowledge.document(document.id) for document in documents]
        if as_json:
            print_json(added)
        else:
            for document in added:
                print(_line(document, strings))
        failed = sum(document.state is DocumentState.FAILED for document in added)
    if failed:
        raise CommandError("cli.documents_failed", count=failed)


@knowledge.command("search")
def search(
    query: Annotated[str, typer.Argument(help="What to look for.")],
    kb: KnowledgeBaseName = None,
    limit: Annotated[int, typer.Option(min=1, max=50)] = 6,
    as_json: AsJson = False,
) -> None:
    """Find passages."""
    run(_search(query, kb, limit, as_json=as_json))


async def _search(query: str, name: str | None, limit: int, *, as_json: bool) -> None:
    async with services() as opened:
        strings = strings_of(opened)
        ids = collection_ids(opened, [name]) if name else _all_collections(opened)
        result = opened.knowledge.search(query, ids, limit)
        if as_json:
            print_json(result)
            return
        relevant = len(result.passages)
        print(strings("cli.searched", searched=result.searched, relevant=relevant), file=sys.stderr)
        for number, found in enumerate(result.passages, 1):
            passage = found.passage
            page = strings("cli.page", page=passage.page) if passage.page is not None else passage.heading
            print(f"\n[{number}] {passage.document_title}" + (f" · {page}" if page else ""))
            print(" ".join(passage.text.split()))


@knowledge.command("list")
def list_documents(kb: KnowledgeBaseName = None, as_json: AsJson = False) -> None:
    """Show collections and their documents."""
    run(_list(kb, as_json=as_json))


async def _list(name: str | None, *, as_json: bool) -> None:
    async with services() as opened:
        strings = strings_of(opened)
        wanted = set(collection_ids(opened, [name]) if name else _all_collections(opened))
        shown = [
            (collection, opened.knowledge.documents(collection.id))
            for collection in opened.knowledge.collections()
            if collection.id in wanted
        ]
        if as_json:
            print_json([{"collection": collection, "documents": files} for collection, files in shown])
            return
        if not shown:
            print(strings("cli.no_collections"), file=sys.stderr)
        for collection, files in shown:
            print(collection.name)
            for document in files:
                print("  " + _line(document, strings))


@knowledge.command("remove")
def remove(
    document: Annotated[int, typer.Argument(help="Number of the document, from `dai kb list --json`.")],
) -> None:
    """Delete a document from the knowledge base; your file stays."""
    run(_remove(document))


async def _remove(document_id: int) -> None:
    async with services() as opened:
        opened.knowledge.delete_document(document_id)


def _files(paths: list[Path]) -> list[Path]:
    """The files meant; of a folder, those that can be read."""
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            suffixes = supported_suffixes()
            files += sorted(f for f in path.rglob("*") if f.is_file() and f.suffix.lower() in suffixes)
        elif path.exists():
            files.append(path)
        else:
            raise CommandError("cli.no_such_file", path=str(path))
    return files


def _all_collections(opened: Services) -> list[int]:
    return [collection.id for collection in opened.knowledge.collections()]


def _line(document: Document, strings: Strings) -> str:
    if document.state is DocumentState.READY:
        detail = strings("cli.passages", count=document.passages)
    elif document.state is DocumentState.FAILED:
        detail = strings.error_named(document.error or "KnowledgeError", name=document.title)
    else:
        detail = strings(f"document.state.{document.state}")
    return f"{document.title} · {detail}"


def _show_progress(progress: IndexingProgress, strings: Strings) -> None:
    counts = strings("cli.progress", done=progress.done_passages, total=progress.total_passages)
    sys.stderr.write(f"\r\x1b[2K{progress.title} · {counts}")
    if progress.state in (DocumentState.READY, DocumentState.FAILED):
        sys.stderr.write("\r\x1b[2K")
    sys.stderr.flush()
