"""`--ask-network` of `dai ask` and `dai chat`: what would leave is shown, and the user's word is taken."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import Annotated, Any

import typer

from app.cli.errors import CommandError
from app.cli.session import interruptible, strings_of
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


_FLAGS: dict[str, tuple[Any, Any]] = {
    "ask_network": (
        Annotated[
            NetworkLevel | None,
            typer.Option(
                "--ask-network",
                help="Ask other devices: your own, those of your circles too, or strangers too. "
                "What leaves is shown first for the public.",
            ),
        ],
        None,
    ),
    "network_model": (
        Annotated[
            str | None,
            typer.Option(
                "--network-model",
                help="Only devices that offer this model shall answer; `dai network models` lists them.",
            ),
        ],
        None,
    ),
    "fuse": (
        Annotated[
            bool,
            typer.Option(
                "--fuse",
                help="Let this device's own model write one answer from those of the other devices.",
            ),
        ],
        False,
    ),
    "hide": (
        Annotated[
            list[str] | None,
            typer.Option(
                "--hide", help="Keep this name or word here, with a placeholder in its place; repeatable."
            ),
        ],
        None,
    ),
    "hide_numbers": (
        Annotated[
            bool,
            typer.Option(
                "--hide-numbers", help="Keep mail addresses, telephone, card and other numbers here."
            ),
        ],
        False,
    ),
    "yes": (
        Annotated[bool, typer.Option("--yes", help="Agree to what leaves without being asked.")],
        False,
    ),
}
"""By name, in the order in which the help lists them, each with what it is where it is not given."""


@dataclass(frozen=True, slots=True)
class Others:
    """Whom to ask beside this device, and what to keep from them."""

    level: PrivacyLevel
    names: tuple[str, ...] = ()
    numbers: bool = False
    yes: bool = False
    wishes: AskingWishes = NO_WISHES


def with_network_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command these flags; it is called with `others`, which holds what they say.

    Raises:
        CommandError: when called; something is wished of other devices, and none are asked.
    """

    @wraps(command)
    def with_flags(**values: Any) -> None:
        others = _others(**{name: values.pop(name) for name in _FLAGS})
        command(**values, others=others)

    own = inspect.signature(command, eval_str=True)
    kept = [parameter for name, parameter in own.parameters.items() if name != "others"]
    flags = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=flag)
        for name, (flag, default) in _FLAGS.items()
    ]
    # Typer reads it.
    with_flags.__signature__ = own.replace(parameters=[*kept, *flags])  # type: ignore[attr-defined]
    return with_flags


def _others(
    *,
    ask_network: NetworkLevel | None,
    network_model: str | None,
    fuse: bool,
    hide: list[str] | None,
    hide_numbers: bool,
    yes: bool,
) -> Others:
    level = level_of(ask_network)
    wishes = _wishes_of(level, network_model, fuse=fuse)
    return Others(level, tuple(hide or ()), numbers=hide_numbers, yes=yes, wishes=wishes)


def _wishes_of(level: PrivacyLevel, model: str | None, *, fuse: bool) -> AskingWishes:
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

    Who has typed a level has agreed to it, except for the public: there each question is shown. A
    conversation that already asks others, and is gone on with, shows what the app would show.

    Raises:
        CommandError: it has to be shown, and nobody is there to agree.
        typer.Abort: the user does not agree.
    """
    departure = await opened.answering.departure(conversation_id, text, attached)
    if departure is None:
        return None
    if others.names or others.numbers:
        departure = departure.redacted(others.names, numbers=others.numbers)
    public = departure.level is PrivacyLevel.PUBLIC
    typed = departure.level is others.level and not public
    if not (typed or others.yes or departure.approved or departure.nothing_found):
        who = "public" if public else "others"
        if not sys.stdin.isatty():
            raise CommandError(f"cli.{who}_needs_yes")
        strings = strings_of(opened)
        print(strings("departure.title"), file=sys.stderr)
        for turn in departure.turns:
            words = visible(readable(turn.text))
            print(f"\n{strings(f'departure.role.{turn.role}')}:\n{words}", file=sys.stderr)
        print(f"\n{amounts(strings, departure.departed)}", file=sys.stderr)
        with interruptible():
            typer.confirm(strings(f"cli.{who}_confirm"), abort=True, err=True)
    return departure.approve()
