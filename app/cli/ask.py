"""`dai ask`: one question, streamed to the terminal."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from typing import Annotated

import typer

from app.cli.errors import CommandError
from app.cli.session import on_interrupt, print_json, run, services, strings_of
from app.core.events import Event, Failed, Finished, Retrieved, Stopped, Thinking, Token
from app.core.messages import ChatMessage, MessageState
from app.core.strings import Strings
from app.services import Services


def ask(
    question: Annotated[str, typer.Argument(help="The question; - reads it from standard input.")],
    kb: Annotated[
        list[str] | None, typer.Option("--kb", help="Answer from this collection; can be repeated.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Id or name of an installed model.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON at the end.")] = False,
    forget: Annotated[bool, typer.Option(help="Do not keep this conversation.")] = False,
) -> None:
    """Ask one question and print the answer with its sources."""
    text = sys.stdin.read() if question == "-" else question
    run(_ask(text, kb or [], model, as_json=as_json, forget=forget))


async def _ask(text: str, kb: list[str], model: str | None, *, as_json: bool, forget: bool) -> None:
    async with services() as opened:
        collections = collection_ids(opened, kb)
        if model:
            await opened.models.load(model_id(opened, model))
        conversation = opened.conversations.create(collections)
        try:
            events = opened.answering.ask(conversation.id, text)
            with on_interrupt(lambda: opened.answering.stop(conversation.id)):
                answer = await show(events, strings_of(opened), quiet=as_json)
        finally:
            if forget or not opened.conversations.messages(conversation.id):
                opened.conversations.delete(conversation.id)
        if as_json:
            print_json(answer)
    if answer.state is MessageState.STOPPED:
        raise KeyboardInterrupt


async def show(events: AsyncIterator[Event], strings: Strings, *, quiet: bool = False) -> ChatMessage:
    """Print an answer while it comes, then its sources and what it cost.

    Raises:
        Exception: whatever made the answer fail; what came before is printed.
    """

    def out(text: str) -> None:
        if not quiet:
            sys.stdout.write(text)
            sys.stdout.flush()

    thinking = False
    async for event in events:
        match event:
            case Retrieved(searched, relevant):
                if not quiet:
                    print(strings("cli.searched", searched=searched, relevant=relevant), file=sys.stderr)
            case Thinking(text):
                thinking = True
                out(dim(text))
            case Token(text):
                out("\n\n" + text if thinking else text)
                thinking = False
            case Finished(answer) | Stopped(answer):
                out("\n")
                if not quiet:
                    _print_footer(answer, strings)
                return answer
            case Failed(answer, error):
                out("\n" if answer.text else "")
                raise error
            case _:
                pass
    raise AssertionError("an answer ends with Finished, Stopped or Failed")


def _print_footer(answer: ChatMessage, strings: Strings) -> None:
    if answer.citations:
        print("\n" + strings("cli.sources"))
    for citation in answer.citations:
        place = strings("cli.page", page=citation.page) if citation.page is not None else citation.heading
        print(f"  [{citation.number}] {citation.document_title}" + (f" · {place}" if place else ""))
    if answer.state in (MessageState.CUT_OFF, MessageState.STOPPED):
        print(strings(f"message.state.{answer.state}"), file=sys.stderr)
    if answer.usage is not None:
        line = strings(
            "cli.usage",
            model=answer.model or "",
            tokens=answer.usage.answer_tokens,
            speed=strings.number(answer.usage.tokens_per_second, 1),
            first=strings.number(answer.usage.time_to_first_token, 2),
        )
        print(dim(line, sys.stderr.isatty()), file=sys.stderr)


def dim(text: str, terminal: bool | None = None) -> str:
    """The text in a fainter colour, where a terminal shows it."""
    return f"\x1b[2m{text}\x1b[22m" if (sys.stdout.isatty() if terminal is None else terminal) else text


def collection_ids(opened: Services, names: Sequence[str]) -> list[int]:
    """Ids of the collections with these names.

    Raises:
        CommandError: there is no such collection.
    """
    known = {collection.name.casefold(): collection.id for collection in opened.knowledge.collections()}
    for name in names:
        if name.strip().casefold() not in known:
            raise CommandError("cli.no_such_collection", name=name)
    return [known[name.strip().casefold()] for name in names]


def model_id(opened: Services, wanted: str) -> str:
    """Id of the installed model that is meant.

    Raises:
        CommandError: none has this id or name.
    """
    for model in opened.models.installed():
        if wanted.casefold() in (model.id.casefold(), model.name.casefold(), model.path.name.casefold()):
            return model.id
    raise CommandError("cli.no_such_model", name=wanted)
