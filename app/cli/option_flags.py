"""The flags of `dai ask` and `dai chat` that set options of the conversation."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Annotated, Any

import msgspec
import typer

from app.core.model_options import AnswerOptions, ModelOptions, changed

_OPTIONS = {"max_tokens": "max_answer_tokens", "system": "system_prompt"}
"""What the options are called whose flags have shorter names."""
_FLAGS: dict[str, Any] = {
    "temperature": Annotated[
        float | None,
        typer.Option("--temperature", help="How freely words are chosen; 0: the likeliest always."),
    ],
    "top_p": Annotated[
        float | None,
        typer.Option("--top-p", help="Only the likeliest words that together have this probability."),
    ],
    "top_k": Annotated[
        int | None, typer.Option("--top-k", help="Only so many of the likeliest words; 0: all.")
    ],
    "seed": Annotated[int | None, typer.Option("--seed", help="The same seed gives the same answer again.")],
    "max_tokens": Annotated[
        int | None, typer.Option("--max-tokens", help="Cut the answer off after so many tokens.")
    ],
    "system": Annotated[str | None, typer.Option("--system", help="Instructions before the conversation.")],
    "stop": Annotated[
        list[str] | None, typer.Option("--stop", help="End the answer before this text; can be repeated.")
    ],
    "thinking": Annotated[
        bool | None, typer.Option("--thinking/--no-thinking", help="Let a model that can think do so first.")
    ],
    "context": Annotated[
        int | None,
        typer.Option("--context", help="Context window in tokens, for as long as this command runs."),
    ],
}
"""By name, in the order in which the help lists them; each is None where it is not given."""


def with_option_flags(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command these flags; it is called with `options` and `load`, which hold what they say.

    Raises:
        OptionError: when called; its leaf says what is wrong with which.
    """

    @wraps(command)
    def with_flags(**values: Any) -> None:
        given = {name: values.pop(name) for name in _FLAGS}
        context = given.pop("context")
        options = _answer_options(given)
        command(**values, options=options, load=changed(ModelOptions(), "context_tokens", context))

    own = inspect.signature(command, eval_str=True)
    kept = [parameter for name, parameter in own.parameters.items() if name not in ("options", "load")]
    flags = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=flag)
        for name, flag in _FLAGS.items()
    ]
    # Typer reads it.
    with_flags.__signature__ = own.replace(parameters=[*kept, *flags])  # type: ignore[attr-defined]
    return with_flags


def _answer_options(given: Mapping[str, Any]) -> AnswerOptions:
    options = AnswerOptions()
    for name, value in given.items():
        said = (tuple(value) or None) if isinstance(value, list) else value
        options = changed(options, _OPTIONS.get(name, name), said)
    return options


def over(options: AnswerOptions, others: AnswerOptions) -> AnswerOptions:
    """The options, and where they say nothing, the others."""
    said = {name: value for name, value in msgspec.structs.asdict(options).items() if value is not None}
    return msgspec.structs.replace(others, **said)
