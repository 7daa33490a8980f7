"""`dai kb`: whole collections, and the folders they follow."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from app.cli.arguments import DEFAULT_COLLECTION, AsJson, NewKnowledgeBaseName
from app.cli.choices import collection_named, collections_named
from app.cli.errors import CommandError
from app.cli.indexing import finish, show_indexing
from app.cli.session import on_interrupt, run, services, strings_of
from app.cli.text import show_progress
from app.core.strings import Strings
from rag.errors import WatchedFolderMissing
from rag.exchange import SUFFIX, Progress
from rag.model import Sharing

T = TypeVar("T")


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
            show_indexing(opened, strings)
            print(strings("knowledge.imported", name=imported.name, count=len(imported.document_ids)))
            if imported.known:
                print(strings("cli.documents_known", count=imported.known))
        failed = await finish(opened, imported.document_ids, strings, as_json=as_json)
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


def watch(
    folder: Annotated[Path, typer.Argument(help="The folder; those in it are followed, too.")],
    kb: NewKnowledgeBaseName = DEFAULT_COLLECTION,
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
            show_indexing(opened, strings)
        ids = [document.id for document in opened.knowledge.documents(collection.id)]
        failed = await finish(opened, ids, strings, as_json=as_json)
    if failed:
        raise CommandError("cli.documents_failed", count=failed)


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


def delete(collection: Annotated[str, typer.Argument(help="Name of the collection.")]) -> None:
    """Delete a collection with all its documents; your files stay."""
    run(_delete(collection))


async def _delete(name: str) -> None:
    async with services() as opened:
        collection = collections_named(opened, [name])[0]
        opened.knowledge.delete_collection(collection.id)
        print(strings_of(opened)("cli.collection_deleted", name=collection.name))
