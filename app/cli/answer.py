"""An answer on the terminal: the text on standard output, everything about it on standard error."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing

from app.cli.origin import print_origin
from app.cli.text import dim, printable
from app.core.events import Asked, Event, Failed, Finished, Replaced, Retrieved, Stopped, Thinking, Token
from app.core.messages import ChatMessage, MessageState
from app.core.origin_words import happening, names_of
from app.core.strings import Strings


async def show(events: AsyncGenerator[Event, None], strings: Strings, *, quiet: bool = False) -> ChatMessage:
    """Print an answer while it comes, then its sources and what it cost; `quiet` only waits for it.

    Raises:
        Exception: whatever made the answer fail; what came before is printed.
    """
    thinking = said = False
    happened = ""
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Failed):
                if event.answer.text and not quiet:
                    print()
                raise event.error
            if isinstance(event, Finished | Stopped):
                if not quiet:
                    print()
                    _print_footer(event.answer, strings)
                return event.answer
            if quiet:
                continue
            match event:
                case Retrieved(searched, relevant, searched_for):
                    line = strings("message.searched", count=searched, relevant=relevant)
                    print(line, file=sys.stderr)
                    if searched_for:
                        print(strings("message.searched_for", query=searched_for), file=sys.stderr)
                case Thinking(text):
                    thinking = True
                    print(dim(printable(text)), end="", flush=True, file=sys.stderr)
                case Token(text):
                    if thinking:
                        print("\n", file=sys.stderr)
                    thinking, said = False, True
                    print(printable(text), end="", flush=True)
                case Replaced(text):
                    print(dim(strings("cli.replaced")), file=sys.stderr)
                    print(printable(text), end="", flush=True)
                case Asked(provenance) if provenance.fusing or not (said or provenance.fallback):
                    happens = happening(strings, provenance)
                    if happens != happened:
                        print(dim(("\n" if said else "") + happens), file=sys.stderr)
                    happened = happens
                case _:
                    pass
    raise AssertionError("an answer ends with Finished, Stopped or Failed")


def source_line(number: int, title: str, page: int | None, heading: str | None, strings: Strings) -> str:
    """A source in one line: its number, its document, and where in it."""
    where = strings("citation.page", page=page) if page is not None else heading
    parts = [strings.isolate(printable(part)) for part in (title, where) if part]
    return f"[{strings.number(number)}] " + " · ".join(parts)


def _print_footer(answer: ChatMessage, strings: Strings) -> None:
    if answer.citations:
        print("\n" + strings("cli.sources"))
    for source in answer.citations:
        line = source_line(source.number, source.document_title, source.page, source.heading, strings)
        given = names_of(strings, answer.provenance, source.given_by) if source.given_by else ""
        print("  " + line + (f" · {strings('citation.given_by', names=given)}" if given else ""))
    sys.stdout.flush()
    if answer.state in (MessageState.CUT_OFF, MessageState.REPEATING, MessageState.STOPPED):
        print(strings(f"message.state.{answer.state}"), file=sys.stderr)
    if answer.provenance is not None:
        print_origin(answer.provenance, strings)
    if answer.usage is not None:
        usage = answer.usage
        parts = [
            strings.isolate(answer.model or ""),
            strings("message.usage.tokens", count=usage.answer_tokens),
            strings("message.usage.speed", speed=strings.number(usage.tokens_per_second, 1)),
            strings("message.usage.first", seconds=strings.number(usage.time_to_first_token, 2)),
        ]
        print(dim(" · ".join(parts)), file=sys.stderr)
