"""How far an answer has come, read from what was passed on of it."""

from __future__ import annotations

from network.broker.protocol import Claim, Passed
from network.errors import MessageError
from network.protocol import frames
from network.protocol.answers import AnswerChunk, AnswerStart


def progress(before: Passed, data: bytes, claim: Claim) -> Passed:
    """What is known after one more message for the asker; those of others change nothing."""
    try:
        message = frames.to_asker(data)
    except MessageError:
        return before
    if not isinstance(message, AnswerStart | AnswerChunk):
        return before
    if (message.job, message.node, message.attempt) != (claim.job, claim.node, claim.attempt):
        return before
    parts = 0 if isinstance(message, AnswerStart) else message.index + 1
    ended = isinstance(message, AnswerChunk) and message.last
    return Passed(max(before.parts, parts), before.ended or ended)
