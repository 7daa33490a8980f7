"""From an error to the one line that the terminal shows."""

from __future__ import annotations

import contextlib
import logging
import re
import traceback

import apsw
import typer

from app.core.errors import AppError, NoModelInstalled
from app.core.logs import start_logging
from app.core.paths import Paths
from app.core.settings import SettingsStore
from app.core.strings import Strings
from engines.errors import EngineError
from network.errors import NetworkError
from rag.errors import KnowledgeError

log = logging.getLogger(__name__)

_USAGE_ERROR = typer.BadParameter.__mro__[1]
"""Base of what Typer refuses; the class is not public."""

_USAGE_SENTENCES = {
    "cli.usage.command": re.compile(r"No such command '(?P<name>.*)'"),
    "cli.usage.option": re.compile(r"No such option:? '?(?P<name>--?[^\s']+)"),
    "cli.usage.missing": re.compile(r"Missing \w+ '(?P<name>[^']+)'"),
    "cli.usage.value": re.compile(r"Invalid value for '(?P<name>[^']+)'"),
    "cli.usage.needs_value": re.compile(r"Option '(?P<name>[^']+)' requires"),
    "cli.usage.extra": re.compile(r"Got unexpected extra argument\S* \((?P<name>.*)\)"),
}


class CommandError(Exception):
    """A command was used in a way it cannot work; its text is a key of the catalogue."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.values = values


def describe(error: BaseException) -> str:
    """The line for the user, in the language of the settings; empty where Typer has said all."""
    strings = terminal_strings()
    if isinstance(error, _USAGE_ERROR):
        return _usage(error, strings)
    if isinstance(error, CommandError):
        return strings(error.key, **error.values)
    if isinstance(error, NoModelInstalled):
        return strings("cli.no_model")
    if isinstance(error, apsw.FullError):
        return strings("errors.disk_full")
    if isinstance(error, apsw.CantOpenError | apsw.ReadOnlyError | apsw.PermissionsError):
        return strings("errors.OSError")
    if isinstance(error, AppError | EngineError | KnowledgeError | NetworkError | OSError):
        return strings.error(error)
    path = Paths.default().log
    with contextlib.suppress(OSError):
        start_logging(path)
    # Without the error's own text, which may quote a question or a document.
    trace = "".join(traceback.format_tb(error.__traceback__))
    log.error("the command broke: %s\n%s", type(error).__name__, trace)
    return strings("cli.fault", error=type(error).__name__, path=path)


def exit_status(error: BaseException) -> int:
    """2 for a command that was not understood, as is the custom, else 1."""
    return 2 if isinstance(error, _USAGE_ERROR) else 1


def terminal_strings() -> Strings:
    """The catalogue in the language of the settings."""
    settings = SettingsStore(Paths.default().settings).current
    return Strings(settings.language, persian_digits=settings.persian_digits)


def _usage(error: BaseException, strings: Strings) -> str:
    text = str(getattr(error, "format_message", error.__str__)())
    command = getattr(getattr(error, "ctx", None), "command_path", None) or "dai"
    for key, pattern in _USAGE_SENTENCES.items():
        if found := pattern.match(text):
            return strings(key, name=found["name"], help=f"{command} --help")
    return text and strings("cli.usage.other", message=text, help=f"{command} --help")
