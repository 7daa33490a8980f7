"""What a family of models has in common: its architectures, its maker's advice, its rules for roles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engines.protocol import Message, Sampling


@dataclass(frozen=True, slots=True)
class ThinkingTags:
    """What a model writes around its thoughts."""

    opening: str = "<think>"
    closing: str = "</think>"


@dataclass(frozen=True, slots=True)
class Family:
    """Models that are talked to in one way. Data only: all families share one runtime.

    To add a family:

    1. write one file beside this one with a `Family` (or several, the most special first);
    2. list it in `engines/families/__init__.py`;
    3. add its architectures to the table in `tests/engines/test_families.py`.
    """

    name: str
    architectures: frozenset[str]
    """`general.architecture` of its GGUF files; empty for the family of all others."""
    sampling: Sampling
    """What the maker recommends; says every value but `seed` and `max_tokens`."""
    thinking_sampling: Sampling | None = None
    """The same for answers that begin with a thought, where the maker distinguishes."""
    name_contains: str = ""
    """Only models with this in their name (lower case), where several families share an architecture."""
    thinking_tags: ThinkingTags = ThinkingTags()
    """Used only where the model's chat template speaks of thinking."""
    system_role: bool = True
    """Whether its templates take a system message; else it is put before the first question."""
    alternating_roles: bool = False
    """Whether its templates insist on user and assistant in turn, the user first."""

    def fits(self, architecture: str, names: str) -> bool:
        """Whether a model of this architecture, with these names in any spelling, belongs to the family."""
        return architecture in self.architectures and self.name_contains in names.lower()

    def arrange(self, messages: Sequence[Message]) -> list[Message]:
        """Make a conversation obey the family's rules without losing a word of it."""
        arranged = list(messages)
        if not self.system_role:
            arranged = _fold_system(arranged)
        if self.alternating_roles:
            arranged = _merge_neighbours(arranged)
            first = next((index for index, message in enumerate(arranged) if message.role != "system"), 0)
            if arranged and arranged[first].role == "assistant":
                arranged.insert(first, Message("user", ""))
        return arranged

    def complete(self, sampling: Sampling, *, thinking: bool) -> Sampling:
        """Fill what the caller leaves open with the maker's recommendation."""
        advice = (thinking and self.thinking_sampling) or self.sampling
        chosen = {
            name: given if (given := getattr(sampling, name)) is not None else getattr(advice, name)
            for name in Sampling.__slots__
        }
        return Sampling(**chosen)


def _fold_system(messages: list[Message]) -> list[Message]:
    system = "\n\n".join(message.content for message in messages if message.role == "system")
    turns = [message for message in messages if message.role != "system"]
    if not system:
        return turns
    if turns and turns[0].role == "user":
        return [Message("user", f"{system}\n\n{turns[0].content}"), *turns[1:]]
    return [Message("user", system), *turns]


def _merge_neighbours(messages: list[Message]) -> list[Message]:
    merged: list[Message] = []
    for message in messages:
        if merged and merged[-1].role == message.role:
            merged[-1] = Message(message.role, f"{merged[-1].content}\n\n{message.content}")
        else:
            merged.append(message)
    return merged
