"""What the use cases refuse, beside the errors of engines and knowledge base.

AppError
├── NoModelInstalled       there is no model that can chat on this device
├── ModelMissing           the chosen model was removed
├── ConversationMissing    the conversation or message was deleted meanwhile
├── EmptyQuestion          nothing but white space was asked
├── AlreadyAnswering       one answer at a time in a conversation
└── NothingToAnswer        there is no question to answer again, or no answer to continue
"""

from __future__ import annotations


class AppError(Exception):
    """Base of what the use cases refuse."""


class NoModelInstalled(AppError):
    """There is no model that can chat on this device."""


class ModelMissing(AppError):
    """The chosen model was removed."""


class ConversationMissing(AppError):
    """The conversation or message was deleted meanwhile."""


class EmptyQuestion(AppError):
    """Nothing but white space was asked."""


class AlreadyAnswering(AppError):
    """An answer is being written in this conversation; stop it first."""


class NothingToAnswer(AppError):
    """There is no question to answer again, or no answer to continue."""
