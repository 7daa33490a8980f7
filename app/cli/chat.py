"""`dai chat`: a conversation in the terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from app.cli.answer import show
from app.cli.arguments import Documents
from app.cli.asking import Others, agreed, with_network_flags
from app.cli.choices import sources_named
from app.cli.errors import describe
from app.cli.option_flags import over, with_option_flags
from app.cli.servers import choose
from app.cli.session import interruptible, on_interrupt, run, services, strings_of
from app.core.asking_wishes import NO_WISHES
from app.core.chosen_documents import drop_deleted
from app.core.messages import Conversation
from app.core.model_options import AnswerOptions, ModelOptions
from app.core.provenance import PrivacyLevel
from app.core.strings import Strings
from app.services import Services

END_WORDS = frozenset({"/bye", "/exit", "/quit"})
HELP_WORDS = frozenset({"/?", "/help"})


@with_option_flags
@with_network_flags
def chat(
    kb: Annotated[
        list[str] | None, typer.Option("--kb", help="Answer from this collection; can be repeated.")
    ] = None,
    document: Documents = None,
    model: Annotated[str | None, typer.Option(help="Id or name of a model.")] = None,
    resume: Annotated[bool, typer.Option("--continue", help="Go on with the latest conversation.")] = False,
    *,
    options: AnswerOptions,
    load: ModelOptions,
    others: Others,
) -> None:
    """Talk with the model, a line at a time; Ctrl-C stops an answer, /quit or Ctrl-D ends."""
    run(_chat((kb or [], document or []), model, options, load, others, resume=resume))


async def _chat(
    sources: tuple[list[str], list[str]],
    model: str | None,
    options: AnswerOptions,
    load: ModelOptions,
    others: Others,
    *,
    resume: bool,
) -> None:
    async with services() as opened:
        opened.models.tuning.for_now = load
        collections, documents = sources_named(opened, *sources) if any(sources) else ([], [])
        if model is not None or others.level is PrivacyLevel.DEVICE:
            await choose(opened, model)
        strings = strings_of(opened)
        latest = opened.conversations.list()[:1] if resume else []
        conversation = (
            latest[0]
            if latest
            else opened.conversations.create(collections, options, others.level, others.wishes, documents)
        )
        if latest and any(sources):
            opened.conversations.set_collections(conversation.id, collections, documents)
        elif gone := drop_deleted(opened.conversations, opened.knowledge, conversation.id):
            print(strings("chat.documents_gone", count=gone), file=sys.stderr)
        if latest:
            opened.conversations.set_options(conversation.id, over(options, conversation.options))
            _ask_others(opened, conversation, others)
        try:
            if sys.stdin.isatty():
                _print_earlier(opened, conversation)
                print(strings("cli.chat_hint"), file=sys.stderr)
            for question in _questions(strings):
                await _answer(opened, conversation, question, others, strings)
        finally:
            if not opened.conversations.messages(conversation.id):
                opened.conversations.delete(conversation.id)


def _ask_others(opened: Services, conversation: Conversation, others: Others) -> None:
    """Let a conversation that goes on ask whom the flags name; without them it asks whom it asked."""
    if others.level is not PrivacyLevel.DEVICE:
        opened.conversations.set_level(conversation.id, others.level)
    if others.wishes != NO_WISHES:
        opened.conversations.set_wishes(conversation.id, others.wishes)


async def _answer(
    opened: Services, conversation: Conversation, question: str, others: Others, strings: Strings
) -> None:
    try:
        departure = await agreed(opened, conversation.id, question, None, others)
        events = opened.answering.ask(conversation.id, question, departure=departure)
        with on_interrupt(lambda: opened.answering.stop(conversation.id)):
            await show(events, strings)
    except BrokenPipeError:
        raise
    except typer.Abort:
        print(strings("cli.not_sent"), file=sys.stderr)
    except Exception as error:  # noqa: BLE001 - one answer that failed does not end the conversation
        print(describe(error), file=sys.stderr)
    print()


def _print_earlier(opened: Services, conversation: Conversation) -> None:
    for message in opened.conversations.messages(conversation.id):
        print(f"> {message.text}" if message.role == "user" else f"{message.text}\n")


def _questions(strings: Strings) -> Iterator[str]:
    """What is typed or piped, line by line, until it ends."""
    typed = sys.stdin.isatty()
    if typed:
        with contextlib.suppress(ImportError):  # Windows edits lines itself
            import readline  # noqa: F401 - gives `input` its history and editing
    while True:
        try:
            with interruptible():
                line = input("> " if typed else "").strip()
        except EOFError:
            if typed:
                print()
            return
        if line in END_WORDS:
            return
        if line in HELP_WORDS:
            print(strings("cli.chat_hint"), file=sys.stderr)
        elif line:
            yield line
