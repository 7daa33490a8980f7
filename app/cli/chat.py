"""`dai chat`: a conversation in the terminal."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

from app.cli.ask import collection_ids, model_id, show
from app.cli.errors import describe
from app.cli.session import on_interrupt, run, services, strings_of


def chat(
    kb: Annotated[
        list[str] | None, typer.Option("--kb", help="Answer from this collection; can be repeated.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Id or name of an installed model.")] = None,
    resume: Annotated[bool, typer.Option("--continue", help="Go on with the latest conversation.")] = False,
) -> None:
    """Talk with the model; an empty line or Ctrl-D ends, Ctrl-C stops an answer."""
    run(_chat(kb or [], model, resume=resume))


async def _chat(kb: list[str], model: str | None, *, resume: bool) -> None:
    async with services() as opened:
        collections = collection_ids(opened, kb)
        if model:
            await opened.models.load(model_id(opened, model))
        latest = opened.conversations.list()[:1] if resume else []
        conversation = latest[0] if latest else opened.conversations.create(collections)
        for message in opened.conversations.messages(conversation.id):
            print(f"> {message.text}" if message.role == "user" else f"{message.text}\n")
        strings = strings_of(opened)
        if sys.stdin.isatty():
            print(strings("cli.chat_hint"), file=sys.stderr)
        while question := (await asyncio.to_thread(_read_line)).strip():
            events = opened.answering.ask(conversation.id, question)
            try:
                with on_interrupt(lambda: opened.answering.stop(conversation.id)):
                    await show(events, strings)
            except Exception as error:
                message_for_user = describe(error)
                if message_for_user is None:
                    raise
                print(message_for_user, file=sys.stderr)
            print()
        if not opened.conversations.messages(conversation.id):
            opened.conversations.delete(conversation.id)


def _read_line() -> str:
    try:
        return input("> " if sys.stdin.isatty() else "")
    except EOFError:
        return ""
