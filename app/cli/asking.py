"""`dai ask --ask-network`: what would leave is shown, and the user's word is taken."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer

from app.cli.errors import CommandError
from app.cli.session import strings_of
from app.cli.text import readable
from app.core.asking_wishes import NO_WISHES, AskingWishes
from app.core.attachments import AttachmentDraft
from app.core.departed_amounts import amounts
from app.core.foreign_text import visible
from app.core.network.departure import Departure
from app.core.network.model_tag import model_tag
from app.core.provenance import PrivacyLevel
from app.services import Services


class NetworkLevel(StrEnum):
    """How far a question may travel, as it is typed."""

    MY_DEVICES = "my-devices"
    CIRCLE = "circle"
    PUBLIC = "public"


AskNetwork = Annotated[
    NetworkLevel | None,
    typer.Option(
        "--ask-network",
        help="Ask other devices: your own, those of your circles too, or strangers too. "
        "What leaves is shown first for the public.",
    ),
]
Hide = Annotated[
    list[str] | None,
    typer.Option("--hide", help="Keep this name or word here, with a placeholder in its place; repeatable."),
]
HideNumbers = Annotated[
    bool, typer.Option("--hide-numbers", help="Keep mail addresses, telephone, card and other numbers here.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Agree to what leaves without being asked.")]


NetworkModel = Annotated[
    str | None,
    typer.Option(
        "--network-model",
        help="Only devices that offer this model shall answer; `dai network models` lists them.",
    ),
]
Fuse = Annotated[
    bool,
    typer.Option(
        "--fuse", help="Let this device's own model write one answer from those of the other devices."
    ),
]


@dataclass(frozen=True, slots=True)
class Others:
    """Whom to ask beside this device, and what to keep from them."""

    level: PrivacyLevel
    names: tuple[str, ...] = ()
    numbers: bool = False
    yes: bool = False
    wishes: AskingWishes = NO_WISHES


def wishes_of(level: PrivacyLevel, model: str | None, *, fuse: bool) -> AskingWishes:
    """What is wished of other devices.

    Raises:
        CommandError: none are asked.
    """
    if level is PrivacyLevel.DEVICE and (model is not None or fuse):
        raise CommandError("cli.needs_ask_network")
    return AskingWishes(
        model=model_tag(model) if model is not None else None, joining="fuse" if fuse else None
    )


def level_of(typed: NetworkLevel | None) -> PrivacyLevel:
    """The same step of the ladder."""
    return PrivacyLevel.DEVICE if typed is None else PrivacyLevel(typed.replace("-", "_"))


async def agreed(
    opened: Services, conversation_id: int, text: str, attached: AttachmentDraft | None, others: Others
) -> Departure | None:
    """What may leave; None where nothing does.

    Raises:
        CommandError: it would go to strangers, and nobody is there to agree.
        typer.Abort: the user does not agree.
    """
    departure = await opened.answering.departure(conversation_id, text, attached)
    if departure is None:
        return None
    if others.names or others.numbers:
        departure = departure.redacted(others.names, numbers=others.numbers)
    if others.level is PrivacyLevel.PUBLIC and not others.yes and not departure.nothing_found:
        if not sys.stdin.isatty():
            raise CommandError("cli.public_needs_yes")
        strings = strings_of(opened)
        print(strings("departure.title"), file=sys.stderr)
        for turn in departure.turns:
            words = visible(readable(turn.text))
            print(f"\n{strings(f'departure.role.{turn.role}')}:\n{words}", file=sys.stderr)
        print(f"\n{amounts(strings, departure.departed)}", file=sys.stderr)
        typer.confirm(strings("cli.public_confirm"), abort=True, err=True)
    return departure.approve()
