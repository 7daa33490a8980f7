"""`dai ask`: one question, streamed to the terminal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from app.cli.answer import show
from app.cli.arguments import Documents
from app.cli.asking import Others, agreed, with_network_flags
from app.cli.attaching import attach
from app.cli.choices import sources_named
from app.cli.option_flags import with_option_flags
from app.cli.servers import choose
from app.cli.session import on_interrupt, run, services, strings_of
from app.cli.text import print_json
from app.core.errors import EmptyQuestion
from app.core.messages import MessageState
from app.core.model_options import AnswerOptions, ModelOptions
from app.core.provenance import PrivacyLevel


@with_option_flags
@with_network_flags
def ask(
    question: Annotated[
        str | None, typer.Argument(help="The question; - or none at all reads it from standard input.")
    ] = None,
    kb: Annotated[
        list[str] | None, typer.Option("--kb", help="Answer from this collection; can be repeated.")
    ] = None,
    document: Documents = None,
    model: Annotated[str | None, typer.Option(help="Id or name of a model.")] = None,
    file: Annotated[
        list[Path] | None,
        typer.Option(
            "--file",
            help="A file to ask about; can be repeated. The model gets it whole where it fits its context "
            "window; else it is indexed and searched.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON at the end.")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Do not keep this conversation.")] = False,
    *,
    options: AnswerOptions,
    load: ModelOptions,
    others: Others,
) -> None:
    """Ask one question and print the answer with its sources."""
    if question == "-" or (question is None and not sys.stdin.isatty()):
        question = sys.stdin.read()
    if not question or not question.strip():
        raise EmptyQuestion
    sources = (kb or [], document or [])
    run(_ask(question, sources, file or [], model, options, load, others, as_json=as_json, forget=forget))


async def _ask(
    text: str,
    sources: tuple[list[str], list[str]],
    files: list[Path],
    model: str | None,
    options: AnswerOptions,
    load: ModelOptions,
    others: Others,
    *,
    as_json: bool,
    forget: bool,
) -> None:
    async with services() as opened:
        opened.models.tuning.for_now = load
        collections, documents = sources_named(opened, *sources) if any(sources) else ([], [])
        if model is not None or others.level is PrivacyLevel.DEVICE:
            await choose(opened, model)
        conversation = opened.conversations.create(
            collections, options, others.level, others.wishes, documents
        )
        try:
            attached = await attach(opened, files)
            departure = await agreed(opened, conversation.id, text, attached, others)
            events = opened.answering.ask(conversation.id, text, attached, departure=departure)
            with on_interrupt(lambda: opened.answering.stop(conversation.id)):
                answer = await show(events, strings_of(opened), quiet=as_json)
        finally:
            if forget or not opened.conversations.messages(conversation.id):
                opened.attachments.forget(conversation.id)
                opened.conversations.delete(conversation.id)
        if as_json:
            print_json(answer)
    if answer.state is MessageState.STOPPED:
        raise KeyboardInterrupt
