"""`dai kb`: the documents of collections."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from app.cli.arguments import DEFAULT_COLLECTION, AsJson, KnowledgeBaseName, NewKnowledgeBaseName
from app.cli.choices import collection_named, collections_named
from app.cli.errors import CommandError
from app.cli.files import files_and_pages
from app.cli.indexing import document_line, finish, show_indexing
from app.cli.session import run, services, strings_of
from app.cli.text import print_json
from app.core.strings import Strings
from app.services import Services
from rag.errors import DocumentDeleted, KnowledgeError
from rag.model import Document, Sharing, WatchedFolder

T = TypeVar("T")


def add(
    sources: Annotated[
        list[str],
        typer.Argument(
            help="Files, folders whose documents are all added, or pages of the web (https://…): only the "
            "host of such an address is asked, for that page alone."
        ),
    ],
    kb: NewKnowledgeBaseName = DEFAULT_COLLECTION,
    as_json: AsJson = False,
) -> None:
    """Add documents and wait until they can be searched."""
    files, pages = files_and_pages(sources)
    run(_add(files, pages, kb, as_json=as_json))


async def _add(files: list[Path], pages: list[str], name: str, *, as_json: bool) -> None:
    async with services() as opened:
        strings = strings_of(opened)
        collection = collection_named(opened, name) or opened.knowledge.create_collection(name)
        # The same content twice is one document.
        ids = dict.fromkeys(opened.knowledge.add(collection.id, path).id for path in files)
        if not as_json:
            show_indexing(opened, strings)
        fetched, refused = await _fetch(
            pages, lambda page: opened.web_pages.add(collection.id, page), strings
        )
        ids |= dict.fromkeys(fetched)
        failed = refused + await finish(opened, ids, strings, as_json=as_json)
    if failed:
        raise CommandError("cli.documents_failed", count=failed)


async def _fetch(
    pages: Sequence[T], fetch: Callable[[T], Awaitable[Document]], strings: Strings
) -> tuple[list[int], int]:
    """Fetch pages one after the other; what cannot be had is told, and the others go on.

    Returns:
        The numbers of their documents, and how many could not be had.
    """
    ids: list[int] = []
    refused = 0
    for page in pages:
        try:
            ids.append((await fetch(page)).id)
        except KnowledgeError as error:
            refused += 1
            print(strings.error(error), file=sys.stderr)
    return ids, refused


def refresh(
    documents: Annotated[list[int], typer.Argument(help="Numbers of pages of the web, from `dai kb list`.")],
    as_json: AsJson = False,
) -> None:
    """Fetch pages of the web again; those that have not changed are not indexed again."""
    run(_refresh(documents, as_json=as_json))


async def _refresh(numbers: list[int], *, as_json: bool) -> None:
    async with services() as opened:
        strings = strings_of(opened)
        documents = [_document(opened, number) for number in dict.fromkeys(numbers)]
        if not as_json:
            show_indexing(opened, strings)
        ids, refused = await _fetch(
            [document.id for document in documents], opened.web_pages.refresh, strings
        )
        failed = refused + await finish(opened, ids, strings, as_json=as_json)
    if failed:
        raise CommandError("cli.documents_failed", count=failed)


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
            shared = "" if collection.sharing is Sharing.PRIVATE else strings(f"sharing.{collection.sharing}")
            print(" · ".join([strings.isolate(collection.name), *([shared] if shared else [])]))
            for folder in opened.knowledge.watched():
                if folder.collection_id == collection.id:
                    print("  " + _watched_line(folder, strings))
            for document in files:
                print("  " + document_line(document, strings))


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


def _document(opened: Services, number: int) -> Document:
    try:
        return opened.knowledge.document(number)
    except DocumentDeleted:
        raise CommandError("cli.no_such_document", number=str(number)) from None


def _watched_line(folder: WatchedFolder, strings: Strings) -> str:
    """A folder that is followed, or what is wrong with it."""
    if folder.error:
        return strings.error_named(folder.error, path=folder.path)
    return f"{strings.isolate(str(folder.path))} · {strings('folder.watched', count=folder.files)}"
