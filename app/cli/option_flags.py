"""The flags of `dai ask` and `dai chat` that set options of the conversation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
import typer

from app.core.model_options import AnswerOptions, ModelOptions, changed

Temperature = Annotated[
    float | None, typer.Option("--temperature", help="How freely words are chosen; 0: the likeliest always.")
]
TopP = Annotated[
    float | None,
    typer.Option("--top-p", help="Only the likeliest words that together have this probability."),
]
TopK = Annotated[int | None, typer.Option("--top-k", help="Only so many of the likeliest words; 0: all.")]
Seed = Annotated[int | None, typer.Option("--seed", help="The same seed gives the same answer again.")]
MaxTokens = Annotated[
    int | None, typer.Option("--max-tokens", help="Cut the answer off after so many tokens.")
]
System = Annotated[str | None, typer.Option("--system", help="Instructions before the conversation.")]
Stop = Annotated[
    list[str] | None, typer.Option("--stop", help="End the answer before this text; can be repeated.")
]
Thinking = Annotated[
    bool | None, typer.Option("--thinking/--no-thinking", help="Let a model that can think do so first.")
]
Context = Annotated[
    int | None, typer.Option("--context", help="Context window in tokens, for as long as this command runs.")
]


def answer_options(
    temperature: float | None,
    top_p: float | None,
    top_k: int | None,
    seed: int | None,
    max_tokens: int | None,
    system: str | None,
    stop: Sequence[str] | None,
    thinking: bool | None,
) -> AnswerOptions:
    """The options that were given.

    Raises:
        OptionError: its leaf says what is wrong with which.
    """
    given = {
        "temperature": temperature,
        "top_p": top_p,
        "top_k": top_k,
        "seed": seed,
        "max_answer_tokens": max_tokens,
        "system_prompt": system,
        "stop": tuple(stop) if stop else None,
        "thinking": thinking,
    }
    options = AnswerOptions()
    for name, value in given.items():
        options = changed(options, name, value)
    return options


def load_options(context: int | None) -> ModelOptions:
    """The options of loading that were given.

    Raises:
        OptionError: its leaf says what is wrong with which.
    """
    return changed(ModelOptions(), "context_tokens", context)


def over(options: AnswerOptions, others: AnswerOptions) -> AnswerOptions:
    """The options, and where they say nothing, the others."""
    said = {name: value for name, value in msgspec.structs.asdict(options).items() if value is not None}
    return msgspec.structs.replace(others, **said)
