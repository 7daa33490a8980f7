"""From an error to the one line that the terminal shows."""

from __future__ import annotations

from app.core.errors import AppError
from app.core.paths import Paths
from app.core.settings import SettingsStore
from app.core.strings import Strings
from engines.errors import EngineError
from rag.errors import KnowledgeError


class CommandError(Exception):
    """A command was used in a way it cannot work; its text is a key of the catalogue."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.values = values


def describe(error: BaseException) -> str | None:
    """The line for the user, in the language of the settings; None for a fault of ours."""
    strings = terminal_strings()
    if isinstance(error, CommandError):
        return strings(error.key, **error.values)
    if isinstance(error, AppError | EngineError | KnowledgeError | OSError):
        return strings.error(error)
    return None


def terminal_strings() -> Strings:
    """The catalogue in the language of the settings."""
    settings = SettingsStore(Paths.default().settings).current
    return Strings(settings.language, persian_digits=settings.persian_digits)
