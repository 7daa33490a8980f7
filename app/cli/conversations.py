"""`dai conversations`: what was asked and answered on this device."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from app.cli.arguments import AsJson
from app.cli.errors import CommandError
from app.cli.session import run, services, strings_of
from app.cli.text import print_json
from app.core.strings import Strings
from app.core.transcript import Transcript, TranscriptForm
from app.services import Services

conversations = typer.Typer(invoke_without_command=True, help="The conversations of this device.")

Number = Annotated[int, typer.Argument(help="Number of a conversation, from `dai conversations list`.")]


@conversations.callback()
def conversations_alone(context: typer.Context, as_json: AsJson = False) -> None:
    """The conversations of this device; alone, the same as `list`."""
    if context.invoked_subcommand is None:
        run(_list("", as_json=as_json))


@conversations.command("list")
def list_conversations(
    query: Annotated[str, typer.Argument(help="Only those that hold these words.")] = "",
    as_json: AsJson = False,
) -> None:
    """List conversations, the latest first."""
    run(_list(query, as_json=as_json))


async def _list(query: str, *, as_json: bool) -> None:
    async with services() as opened:
        strings = strings_of(opened)
        found = opened.conversations.list(query)
        if as_json:
            print_json(found)
            return
        if not found:
            text = strings("chat.no_match", query=query) if query else strings("cli.no_conversations")
            print(text, file=sys.stderr)
        for conversation in found:
            title = strings.isolate(conversation.title or strings("chat.untitled"))
            print(f"{conversation.id} · {title} · {strings.time(conversation.updated_at)}")


@conversations.command("show")
def show(number: Number, as_json: AsJson = False) -> None:
    """Print a conversation with its sources, as Markdown or JSON."""
    _, text, _ = run(_written(number, TranscriptForm.JSON if as_json else TranscriptForm.MARKDOWN))
    print(text, end="")


@conversations.command("export")
def export(
    number: Number,
    file: Annotated[
        Path, typer.Argument(help="The file to write: JSON where it ends in .json, else Markdown.")
    ],
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
) -> None:
    """Write a conversation with its sources to a file."""
    if file.exists() and not force:
        raise CommandError("cli.file_exists", path=file)
    form = TranscriptForm.JSON if file.suffix.lower() == ".json" else TranscriptForm.MARKDOWN
    title, text, strings = run(_written(number, form))
    file.write_text(text, encoding="utf-8")
    print(strings("cli.exported", name=title, path=file), file=sys.stderr)


async def _written(number: int, form: TranscriptForm) -> tuple[str, str, Strings]:
    async with services() as opened:
        strings = strings_of(opened)
        transcript = _transcript(opened, number)
        title = transcript.conversation.title or strings("chat.untitled")
        return title, transcript.written(form, strings), strings


@conversations.command("delete")
def delete(number: Number) -> None:
    """Delete a conversation with all its messages."""
    run(_delete(number))


async def _delete(number: int) -> None:
    async with services() as opened:
        strings = strings_of(opened)
        title = opened.conversations.get(number).title or strings("chat.untitled")
        opened.attachments.forget(number)
        opened.conversations.delete(number)
        print(strings("cli.conversation_deleted", title=title), file=sys.stderr)


def _transcript(opened: Services, number: int) -> Transcript:
    return Transcript(opened.conversations.get(number), opened.conversations.messages(number))
