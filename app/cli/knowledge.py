"""`dai kb`: the knowledge base from the terminal."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from app.cli.answer import source_line
from app.cli.choices import collection_named, collections_named
from app.cli.errors import CommandError
from app.cli.files import files_and_pages
from app.cli.session import on_interrupt, run, services, strings_of
from app.cli.text import print_json, show_progress
from app.core.errors import EmptyQuestion
from app.core.strings import Strings
from app.services import Services
from rag.errors import DocumentDeleted, KnowledgeError, WatchedFolderMissing
from rag.exchange import SUFFIX, Progress
from rag.model import (
    Document,
    DocumentState,
    FoundPassage,
    IndexingProgress,
    SearchResult,
    SearchWay,
    Sharing,
    WatchedFolder,
)

knowledge = typer.Typer(no_args_is_help=True, help="Collections of your documents.")

T = TypeVar("T")
DEFAULT_COLLECTION = "Documents"
_LOOK_SECONDS = 0.3
_REFUSED = 3
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
KnowledgeBaseName = Annotated[str | None, typer.Option("--kb", help="Only this collection.")]


@knowledge.command("add")
def add(
    sources: Annotated[
        list[str],
        typer.Argument(
            help="Files, folders whose documents are all added, or pages of the web (https://…): only the "
            "host of such an address is asked, for that page alone."
        ),
    ],
    kb: Annotated[str, typer.Option("--kb", help="The collection; made if it is new.")] = DEFAULT_COLLECTION,
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
            opened.knowledge.subscribe(lambda progress: _show_progress(progress, strings))
        fetched, refused = await _fetch(
            pages, lambda page: opened.web_pages.add(collection.id, page), strings
        )
        ids |= dict.fromkeys(fetched)
        failed = refused + await _finish(opened, ids, strings, as_json=as_json)
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


@knowledge.command("refresh")
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
            opened.knowledge.subscribe(lambda progress: _show_progress(progress, strings))
        ids, refused = await _fetch(
            [document.id for document in documents], opened.web_pages.refresh, strings
        )
        failed = refused + await _finish(opened, ids, strings, as_json=as_json)
    if failed:
        raise CommandError("cli.documents_failed", count=failed)


async def _finish(opened: Services, ids: Iterable[int], strings: Strings, *, as_json: bool) -> int:
    """Wait until documents are read, and print them; returns how many could not be read."""
    waited = await _wait_until_idle(opened)
    show_progress("")
    if not waited:
        print(strings("cli.indexing_goes_on_later"), file=sys.stderr)
        raise KeyboardInterrupt
    documents = [opened.knowledge.document(document_id) for document_id in ids]
    if as_json:
        print_json(documents)
    else:
        for document in documents:
            print(_line(document, strings))
    return sum(document.state is DocumentState.FAILED for document in documents)


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
    way: Annotated[
        SearchWay, typer.Option(help="What decides; answers rest on both meaning and words.")
    ] = SearchWay.BOTH,
    explain: Annotated[
        bool, typer.Option("--explain", help="Tell why each was found, and which ones were left out.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Find passages."""
    if not query.strip():
        raise EmptyQuestion
    run(_search(query, kb, limit, way, explain=explain, as_json=as_json))


async def _search(
    query: str, name: str | None, limit: int, way: SearchWay, *, explain: bool, as_json: bool
) -> None:
    async with services() as opened:
        strings = strings_of(opened)
        collections = collections_named(opened, [name] if name else [])
        ids = [collection.id for collection in collections]
        result = await asyncio.to_thread(
            opened.knowledge.search, query, ids, limit, way, refused=_REFUSED if explain else 0
        )
        if as_json:
            print_json(result)
            return
        if not collections:
            print(strings("cli.no_collections"), file=sys.stderr)
            return
        if way is SearchWay.BOTH:
            found = strings("message.searched", count=result.searched, relevant=len(result.passages))
        else:
            found = strings("search.found_any", count=result.searched, found=len(result.passages))
        print(found, file=sys.stderr)
        for number, item in enumerate(result.passages, 1):
            _print_found(number, item, result, strings, explain=explain)
        if result.refused:
            print(strings("search.refused") + "\n")
        for number, item in enumerate(result.refused, len(result.passages) + 1):
            _print_found(number, item, result, strings, explain=explain)


def _print_found(
    number: int, found: FoundPassage, result: SearchResult, strings: Strings, *, explain: bool
) -> None:
    passage = found.passage
    print(source_line(number, passage.document_title, passage.page, passage.heading, strings))
    if passage.address:
        print(passage.address)
    if explain:
        why = strings(f"search.why.{found.gate}", words=strings("search.comma").join(found.rare_words))
        print(f"[{why}]")
        if result.threshold is not None:
            similarity, threshold = (strings.number(it, 3) for it in (found.similarity, result.threshold))
            print(strings("search.similarity", similarity=similarity, threshold=threshold))
        if found.words:
            print(strings("search.words", words=strings("search.comma").join(found.words)))
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
            shared = "" if collection.sharing is Sharing.PRIVATE else strings(f"sharing.{collection.sharing}")
            print(" · ".join([strings.isolate(collection.name), *([shared] if shared else [])]))
            for folder in opened.knowledge.watched():
                if folder.collection_id == collection.id:
                    print("  " + watched_line(folder, strings))
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


@knowledge.command("export")
def export(
    collection: Annotated[str, typer.Argument(help="Name of the collection.")],
    file: Annotated[Path, typer.Argument(help=f"The file to write, by custom {SUFFIX}.")],
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
) -> None:
    """Write a collection to one file, to keep it or to give it away."""
    if file.exists() and not force:
        raise CommandError("cli.file_exists", path=file)
    run(_export(collection, file))


async def _export(name: str, file: Path) -> None:
    async with services() as opened:
        strings = strings_of(opened)
        collection = collections_named(opened, [name])[0]
        await _with_progress(
            lambda progress: opened.knowledge.export_collection(collection.id, file, progress), strings
        )
        print(strings("cli.exported", name=collection.name, path=file))


@knowledge.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="A file that `dai kb export` has written.")],
    kb: Annotated[
        str | None, typer.Option("--kb", help="The collection, if not as it is named in the file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take in a collection from a file; documents that are there already are left out."""
    run(_import(file, kb, as_json=as_json))


async def _import(file: Path, name: str | None, *, as_json: bool) -> None:
    async with services() as opened:
        strings = strings_of(opened)
        imported = await _with_progress(
            lambda progress: opened.knowledge.import_collection(file, name, progress), strings
        )
        if not as_json:
            opened.knowledge.subscribe(lambda progress: _show_progress(progress, strings))
            print(strings("knowledge.imported", name=imported.name, count=len(imported.document_ids)))
            if imported.known:
                print(strings("cli.documents_known", count=imported.known))
        failed = await _finish(opened, imported.document_ids, strings, as_json=as_json)
    if failed:
        raise CommandError("cli.documents_failed", count=failed)


async def _with_progress(work: Callable[[Progress], T], strings: Strings) -> T:
    """Do it in a thread, showing how far it is; Ctrl-C ends it, and nothing of it stays."""
    stopped = threading.Event()

    def progress(done: int, total: int) -> None:
        if stopped.is_set():
            raise InterruptedError
        show_progress(strings("knowledge.progress", done=done, count=total))

    with on_interrupt(stopped.set):
        try:
            return await asyncio.to_thread(work, progress)
        except InterruptedError:
            raise KeyboardInterrupt from None
        finally:
            show_progress("")


@knowledge.command("watch")
def watch(
    folder: Annotated[Path, typer.Argument(help="The folder; those in it are followed, too.")],
    kb: Annotated[str, typer.Option("--kb", help="The collection; made if it is new.")] = DEFAULT_COLLECTION,
    as_json: AsJson = False,
) -> None:
    """Let a collection follow a folder: new, changed, renamed and deleted files.

    The app follows it while it is open; this command looks at it once.
    """
    run(_watch(folder, kb, as_json=as_json))


async def _watch(folder: Path, name: str, *, as_json: bool) -> None:
    async with services() as opened:
        strings = strings_of(opened)
        if not folder.is_dir():  # noqa: ASYNC240 - before anything runs
            raise WatchedFolderMissing(folder)
        collection = collection_named(opened, name) or opened.knowledge.create_collection(name)
        opened.knowledge.watch(collection.id, folder)
        if opened.instance.held:  # else the process that follows folders looks within seconds
            await asyncio.to_thread(opened.knowledge.look_at_folders)
        if not as_json:
            opened.knowledge.subscribe(lambda progress: _show_progress(progress, strings))
        ids = [document.id for document in opened.knowledge.documents(collection.id)]
        failed = await _finish(opened, ids, strings, as_json=as_json)
    if failed:
        raise CommandError("cli.documents_failed", count=failed)


@knowledge.command("unwatch")
def unwatch(
    folder: Annotated[Path, typer.Argument(help="The folder.")],
) -> None:
    """Follow a folder no longer; its documents stay."""
    run(_unwatch(folder))


async def _unwatch(folder: Path) -> None:
    async with services() as opened:
        wanted = folder.absolute()  # noqa: ASYNC240 - nothing of a disk is asked
        found = [it for it in opened.knowledge.watched() if it.path == wanted]
        if not found:
            raise CommandError("cli.not_watched", path=folder)
        for watched in found:
            opened.knowledge.unwatch(watched.id)
        print(strings_of(opened)("cli.unwatched", path=folder))


@knowledge.command("share")
def share(
    collection: Annotated[str, typer.Argument(help="Name of the collection.")],
    level: Annotated[
        Sharing,
        typer.Argument(
            help="Whose questions it answers. They get answers with their sources and short quotes, "
            "never a file."
        ),
    ],
) -> None:
    """Let the questions of others be answered from a collection, or no longer."""
    run(_share(collection, level))


async def _share(name: str, level: Sharing) -> None:
    async with services() as opened:
        strings = strings_of(opened)
        collection = collections_named(opened, [name])[0]
        opened.knowledge.set_sharing(collection.id, level)
        print(f"{strings.isolate(collection.name)} · {strings(f'sharing.{level}')}")
        print(strings(f"sharing.{level}.about"), file=sys.stderr)


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
    parts = [strings.isolate(document.title), detail]
    if document.address:
        parts.append(strings.isolate(document.address))
    return f"{document.id}  {' · '.join(parts)}"


def watched_line(folder: WatchedFolder, strings: Strings) -> str:
    """A folder that is followed, and what is wrong with it."""
    if folder.error:
        return strings.error_named(folder.error, path=folder.path)
    return f"{strings.isolate(str(folder.path))} · {strings('folder.watched', count=folder.files)}"


def _show_progress(progress: IndexingProgress, strings: Strings) -> None:
    counts = strings("knowledge.progress", done=progress.done_passages, count=progress.total_passages)
    show_progress(f"{strings.isolate(progress.title)} · {counts}")
