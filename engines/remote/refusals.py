"""What a server's refusal means. Its words are looked at, but never repeated: they may quote the prompt."""

from __future__ import annotations

import re

from engines.errors import (
    EngineError,
    PromptTooLong,
    RemoteBusy,
    RemoteIncompatible,
    RemoteModelMissing,
    RemoteRefused,
    TemplateFailed,
)
from engines.remote.wire import Fault, decode_refusal

_TOO_LONG = re.compile(
    r"context[ _](?:length|size|window)|exceed_context|maximum context|prompt is too long|too many tokens",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\b\d{2,8}\b")
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_.-]{0,63}", re.IGNORECASE)
_USED_UP = ("insufficient_quota", "billing_hard_limit_reached")
_TRY_AGAIN = (425, 429, 500, 502, 503, 504, 529)


def read_fault(body: bytes) -> Fault:
    """The error that the body of a response tells; an empty one where it tells none."""
    try:
        return decode_refusal(body).fault
    except (ValueError, RecursionError):
        return Fault()


def is_too_long(fault: Fault) -> bool:
    """Whether the prompt is longer than the context window."""
    return _TOO_LONG.search(fault.words) is not None


def can_pass(status: int, fault: Fault) -> bool:
    """Whether the same request may work a moment later."""
    return status in _TRY_AGAIN and fault.code not in _USED_UP and fault.type not in _USED_UP


def refusal(
    host: str, model: str, status: int, fault: Fault, *, prompt_tokens: int = 0, context_tokens: int = 0
) -> EngineError:
    """The error for a response that is none of success.

    Args:
        host: the server's name.
        model: what was asked for.
        status: the HTTP status.
        fault: what the body told.
        prompt_tokens: an estimate, for where the server does not tell.
        context_tokens: the same for the window.
    """
    details = _details(status, fault)
    if is_too_long(fault):
        return PromptTooLong(*_sizes(fault, prompt_tokens, context_tokens))
    said = fault.words.lower()
    if "jinja" in said or "chat template" in said or "raise_exception" in said:
        return TemplateFailed(details)
    if status in (401, 403, 407):
        return RemoteRefused(host, details)
    if status == 404 and "model" in said:
        return RemoteModelMissing(host, model, details)
    if status in (402, *_TRY_AGAIN):
        return RemoteBusy(host, details)
    return RemoteIncompatible(host, details)


def _details(status: int, fault: Fault) -> str:
    """The status and the server's identifiers; nothing that could be a sentence."""
    names = [
        name
        for name in (fault.type, fault.code, fault.param)
        if isinstance(name, str) and _IDENTIFIER.fullmatch(name)
    ]
    return " ".join([f"HTTP {status}", *names])


def _sizes(fault: Fault, prompt_tokens: int, context_tokens: int) -> tuple[int, int]:
    told = (fault.n_prompt_tokens, fault.n_ctx)
    if all(isinstance(number, int) and number > 0 for number in told):
        return told
    numbers = [int(number) for number in _NUMBER.findall(str(fault.message or ""))]
    if len(numbers) >= 2 and max(numbers) != min(numbers):
        return max(numbers), min(numbers)
    return prompt_tokens, numbers[0] if numbers else context_tokens
