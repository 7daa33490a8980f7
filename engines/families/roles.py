"""Makes a conversation obey the rules of a chat template without losing a word of it."""

from __future__ import annotations

from collections.abc import Sequence

from engines.protocol import Message


def arrange(messages: Sequence[Message], *, system_role: bool, alternating_roles: bool) -> list[Message]:
    """The same words in roles that a template takes.

    Args:
        messages: the conversation.
        system_role: whether a system message may come first; else it is put before the first question.
        alternating_roles: whether user and assistant must take turns, the user first.
    """
    arranged = list(messages)
    if not system_role:
        arranged = _fold_system(arranged)
    if alternating_roles:
        arranged = _merge_neighbours(arranged)
        first = next((index for index, message in enumerate(arranged) if message.role != "system"), 0)
        if arranged and arranged[first].role == "assistant":
            arranged.insert(first, Message("user", ""))
    return arranged


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
        if message.role == "assistant" and not message.content:  # an answer that was stopped before it began
            continue
        if merged and merged[-1].role == message.role:
            merged[-1] = Message(message.role, f"{merged[-1].content}\n\n{message.content}")
        else:
            merged.append(message)
    return merged
