"""`dai kb`: the knowledge base from the terminal."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from app.cli.answer import source_line
from app.cli.choices import collection_named, collections_named
from app.cli.errors import CommandError
from app.cli.files import documents_in
from app.cli.session import on_interrupt, run, services, strings_of
from app.cli.text import print_json, show_progress
from app.core.errors import EmptyQuestion
from app.core.strings import Strings
from app.services import Services
from rag.errors import DocumentDeleted
from rag.model import Document, DocumentState, IndexingProgress

knowledge = typer.Typer(no_args_is_help=True, help="Collections of your documents.")

DEFAULT_COLLECTION = "Documents"
_LOOK_SECONDS = 0.3
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
KnowledgeBaseName = Annotated[str | None, typer.Option("--kb", help="Only this collection.")]


@knowledge.command("add")
def add(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders whose documents are all added.")],
    kb: Annotated[str, typer.Option("--kb", help="The collection; made if it is new.")] = DEFAULT_COLLECTION,
    as_json: AsJson = False,
) -> None:
    """Add documents and wait until they can be searched."""
    run(_add(documents_in(paths), kb, as_json=as_json))


async def _add(files: list[Path], name: str, *, as_json: bool) -> None:
    async with services() as opened:
        strings = strings_of(opened)
        collection = collection_named(opened, name) or opened.knowledge.create_collection(name)
        # The same content twice is one document.
        ids = dict.fromkeys(opened.knowledge.add(collection.id, path).id for path in files)
        if not as_json:
            opened.knowledge.subscribe(lambda progress: _show_progress(progress, strings))
        waited = await _wait_until_idle(opened)
        show_progress("")
        if not waited:
            print(strings("cli.indexing_goes_on_later"), file=sys.stderr)
            raise KeyboardInterrupt
        added = [opened.knowledge.document(document_id) for document_id in ids]
        if as_json:
            print_json(added)
        else:
            for document in added:
                print(_line(document, strings))
        failed = sum(document.state is DocumentState.FAILED for document in added)
    if failed:
        raise CommandError("cli.documents_failed", count=failed)


async def _wait_until_idle(opened: Services) -> bool:
    """Wait until all documents are read; False where the user pressed Ctrl-C."""
    stopped = asyncio.Event()
    with on_interrupt(stopped.set):
        while not stopped.is_set():
            opened.take_over()  # if another process was reading them and has ended
            if await asyncio.to_thread(opened.knowledge.wait_until_idle, _LOOK_SECONDS):
                return True
    return False


@knowledge.command("search")
def search(
    query: Annotated[str, typer.Argument(help="What to look for.")],
    kb: KnowledgeBaseName = None,
    limit: Annotated[int, typer.Option(min=1, max=50, help="So many passages at most.")] = 6,
    as_json: AsJson = False,
) -> None:
    """Find passages."""
    if not query.strip():
        raise EmptyQuestion
    run(_search(query, kb, limit, as_json=as_json))


async def _search(query: str, name: str | None, limit: int, *, as_json: bool) -> None:
    async with services() as opened:
        strings = strings_of(opened)
        collections = collections_named(opened, [name] if name else [])
        ids = [collection.id for collection in collections]
        result = await asyncio.to_thread(opened.knowledge.search, query, ids, limit)
        if as_json:
            print_json(result)
            return
        if not collections:
            print(strings("cli.no_collections"), file=sys.stderr)
            return
        found = strings("message.searched", count=result.searched, relevant=len(result.passages))
        print(found, file=sys.stderr)
        for number, item in enumerate(result.passages, 1):
            passage = item.passage
            print(source_line(number, passage.document_title, passage.page, passage.heading, strings))
            print(" ".join(passage.text.split()) + "\n")


@knowledge.command("list")
def list_documents(kb: KnowledgeBaseName = None, as_json: AsJson = False) -> None:
    """Show collections and their documents, each with its number."""
    run(_list(kb, as_json=as_json))


async def _list(name: str | None, *, as_json: bool) -> None:
    async with services() as opened:
        strings = strings_of(opened)
        shown = [
            (collection, opened.knowledge.documents(collection.id))
            for collection in collections_named(opened, [name] if name else [])
        ]
        if as_json:
            print_json([{"collection": collection, "documents": files} for collection, files in shown])
            return
        if not shown:
            print(strings("cli.no_collections"), file=sys.stderr)
        for collection, files in shown:
            print(strings.isolate(collection.name))
            for document in files:
                print("  " + _line(document, strings))


@knowledge.command("remove")
def remove(
    documents: Annotated[list[int], typer.Argument(help="Numbers of documents, from `dai kb list`.")],
) -> None:
    """Remove documents from the knowledge base; your files stay."""
    run(_remove(documents))


async def _remove(numbers: list[int]) -> None:
    async with services() as opened:
        documents = [_document(opened, number) for number in dict.fromkeys(numbers)]
        for document in documents:
            opened.knowledge.delete_document(document.id)
            print(strings_of(opened)("cli.document_removed", name=document.title))


@knowledge.command("delete")
def delete(collection: Annotated[str, typer.Argument(help="Name of the collection.")]) -> None:
    """Delete a collection with all its documents; your files stay."""
    run(_delete(collection))


async def _delete(name: str) -> None:
    async with services() as opened:
        collection = collections_named(opened, [name])[0]
        opened.knowledge.delete_collection(collection.id)
        print(strings_of(opened)("cli.collection_deleted", name=collection.name))


def _document(opened: Services, number: int) -> Document:
    try:
        return opened.knowledge.document(number)
    except DocumentDeleted:
        raise CommandError("cli.no_such_document", number=str(number)) from None


def _line(document: Document, strings: Strings) -> str:
    if document.state is DocumentState.READY:
        detail = strings("knowledge.passages", count=document.passages)
    elif document.state is DocumentState.FAILED:
        detail = strings.error_named(document.error or "DocumentError")
    else:
        detail = strings(f"document.state.{document.state}")
    # The number is typed again in `dai kb remove`: as it is, in whichever digits.
    return f"{document.id}  {strings.isolate(document.title)} · {detail}"


def _show_progress(progress: IndexingProgress, strings: Strings) -> None:
    counts = strings("knowledge.progress", done=progress.done_passages, count=progress.total_passages)
    show_progress(f"{strings.isolate(progress.title)} · {counts}")
