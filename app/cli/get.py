"""`dai models get`: download a model. Ctrl-C pauses, the same command goes on."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

from app.cli.arguments import AsJson
from app.cli.errors import CommandError
from app.cli.session import on_interrupt, run, services, strings_of
from app.cli.text import print_json, show_progress
from app.core.download import Download, DownloadState
from app.core.strings import Strings
from app.services import Services

_TICK_SECONDS = 1.0


def get(
    model: Annotated[
        str,
        typer.Argument(help="Id in the catalogue, owner/name, owner/name:Q4_K_M, or its address."),
    ],
    file: Annotated[str | None, typer.Option("--file", help="Which file of the repository.")] = None,
    quantisation: Annotated[str | None, typer.Option("--quant", help="Which quantisation.")] = None,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="You have read the model's terms and agree.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Download a model and install it. Ctrl-C pauses; the same command goes on where it stood."""
    run(_get(model, file, quantisation, accept_licence=accept_licence, as_json=as_json))


async def _get(
    reference: str, file: str | None, quantisation: str | None, *, accept_licence: bool, as_json: bool
) -> None:
    async with services() as opened:
        strings = strings_of(opened)
        if accept_licence:
            details = await opened.store.details(reference)
            if licence := opened.store.licence_to_accept(details.model.repository, details.model.licence):
                opened.store.accept(licence)
        order = await opened.store.order(reference, file=file, quantisation=quantisation)
        download = opened.downloads.add(order)
        try:
            ended = await _follow(opened, download.id, strings)
        finally:
            show_progress("")
        if ended.state is not DownloadState.DONE:
            print(_why(ended, strings), file=sys.stderr)
            raise typer.Exit(1)
        installed = next((one for one in opened.models.installed() if one.id == ended.model_id), None)
        if as_json:
            print_json({"download": ended, "model": installed})
        else:
            print(strings("cli.model_added", name=installed.name if installed else ended.name))


async def _follow(opened: Services, id: int, strings: Strings) -> Download:
    """Show how far it is until it ends; the download as it ended.

    Raises:
        KeyboardInterrupt: the user has paused it.
    """
    loop = asyncio.get_running_loop()
    news, interrupted = asyncio.Event(), asyncio.Event()

    def tell(_: object) -> None:
        loop.call_soon_threadsafe(news.set)

    def interrupt() -> None:
        interrupted.set()
        news.set()

    unsubscribe = opened.downloads.subscribe(tell)
    try:
        with on_interrupt(interrupt):
            opened.downloads.run_here(id)
            while True:
                news.clear()
                download = opened.downloads.get(id)
                if interrupted.is_set():
                    opened.downloads.pause(id)
                    show_progress("")
                    print(strings("cli.download_paused"), file=sys.stderr)
                    raise KeyboardInterrupt
                if download is None:  # cancelled in another window
                    raise CommandError("cli.download_cancelled")
                if not download.state.active:
                    return download
                show_progress(_progress(download, strings))
                try:
                    await asyncio.wait_for(news.wait(), _TICK_SECONDS)
                except TimeoutError:  # another process may be doing the work
                    continue
    finally:
        unsubscribe()


def _progress(download: Download, strings: Strings) -> str:
    if download.state is DownloadState.VERIFYING:
        return strings("cli.verifying")
    if download.problem is not None:
        return strings.error_named(download.problem.name, **download.problem.values)
    done = strings.size(download.done_bytes)
    parts = [done]
    if download.total_bytes is not None:
        parts = [strings("cli.downloading", done=done, total=strings.size(download.total_bytes))]
    if download.bytes_per_second:
        parts.append(strings("cli.per_second", size=strings.size(round(download.bytes_per_second))))
    if download.seconds_left is not None:
        parts.append(strings.time_left(download.seconds_left))
    return " · ".join(parts)


def _why(download: Download, strings: Strings) -> str:
    """Why it did not arrive."""
    if download.problem is None:
        return strings("cli.download_paused")
    return strings.error_named(download.problem.name, **download.problem.values)
