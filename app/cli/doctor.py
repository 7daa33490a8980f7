"""`dai doctor`: what this device has, and what is missing."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import apsw
import typer

from app.cli.arguments import AsJson
from app.cli.errors import terminal_strings
from app.cli.text import print_json
from app.core.errors import AppError
from app.core.models_folder import located
from app.core.paths import Paths
from app.core.secrets import system_keyring
from app.core.set_aside import all_set_aside, set_database_aside
from app.core.settings import SettingsStore
from engines.embedders.opening import available_embedders
from engines.errors import EngineUnavailable
from engines.library import ModelLibrary
from engines.llama_cpp.process_channel import children_possible
from engines.memory import available_memory
from engines.opening import ENGINE_VARIABLE, ENGINES, graphics_cards
from engines.xllamacpp.server import PACKAGE as XLLAMACPP
from rag.database import is_sound
from rag.errors import KnowledgeError
from rag.recognition.finding import find_recogniser

FREE_SPACE_NEEDED = 1 << 30
"""Bytes; below this a download or an index soon fails."""


class Health(StrEnum):
    """How a check went."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at."""

    name: str
    health: Health
    details: str


def doctor(
    as_json: AsJson = False,
    set_aside: Annotated[
        bool, typer.Option("--set-aside", help="Rename damaged databases, so that new ones are begun.")
    ] = False,
) -> None:
    """Check this device; exits with 1 if something needed is missing or damaged."""
    if set_aside:
        for path in _damaged_databases():
            set_database_aside(path)
    checks = [_checked(name, check) for name, check in CHECKS.items()]
    if as_json:
        print_json(checks)
    else:
        strings = terminal_strings()
        marks = {Health.OK: "✓", Health.WARNING: "!", Health.FAILED: "✗"}
        for check in checks:
            details = strings.isolate(check.details)
            print(f"{marks[check.health]} {strings(f'doctor.{check.name}')}: {details}")
    if any(check.health is Health.FAILED for check in checks):
        raise typer.Exit(1)


def _checked(name: str, check: Callable[[], tuple[Health, str]]) -> Check:
    try:
        return Check(name, *check())
    except Exception as error:  # noqa: BLE001 - a check that breaks is a finding, not the end
        if isinstance(error, AppError | KnowledgeError | OSError):
            return Check(name, Health.FAILED, terminal_strings().error(error))
        return Check(name, Health.FAILED, f"{type(error).__name__}: {error}")


def _python() -> tuple[Health, str]:
    return Health.OK, f"{platform.python_version()}, {platform.system()} {platform.machine()}"


def _engine() -> tuple[Health, str]:
    found, wrong = [], ""
    try:
        import llama_cpp

        found.append(f"llama-cpp-python {llama_cpp.__version__}")
    except (ImportError, OSError, RuntimeError) as error:
        wrong = f"llama-cpp-python: {type(error).__name__}: {error}"
    if children_possible() and importlib.util.find_spec(XLLAMACPP) is not None:
        found.append(f"{XLLAMACPP} {importlib.metadata.version(XLLAMACPP)}")  # enough alone
    if not found:
        return Health.FAILED, f"dai-chat[{XLLAMACPP}] ({wrong})"
    wanted = os.environ.get(ENGINE_VARIABLE, "")
    if wanted and wanted not in ENGINES.names:
        return Health.WARNING, f"{', '.join(found)} ({ENGINE_VARIABLE}={wanted}?)"
    return Health.OK, ", ".join(found)


def _engines() -> tuple[Health, str]:
    broken = [f"{plugin.package} ({plugin.reason})" for plugin in ENGINES.broken]
    if broken:
        return Health.WARNING, ", ".join([*ENGINES.plugins, *broken])
    return Health.OK, ", ".join(ENGINES.names)


def _graphics() -> tuple[Health, str]:
    strings = terminal_strings()
    try:
        cards = graphics_cards()
    except EngineUnavailable:  # the check of the engine tells which
        return Health.WARNING, strings("doctor.no_engine_asked")
    named = [f"{card.backend}: {card.name}, {strings.size(card.memory_bytes)}" for card in cards]
    return Health.OK, "; ".join(named) or strings("doctor.no_graphics")


def _database() -> tuple[Health, str]:
    connection = apsw.Connection(":memory:")
    connection.execute("CREATE VIRTUAL TABLE probe USING fts5(text)")
    return Health.OK, f"SQLite {apsw.sqlite_lib_version()}"


def _vectors() -> tuple[Health, str]:
    if importlib.util.find_spec("sqlite_vec") is None:
        return Health.WARNING, "numpy (sqlite-vec: dai-chat[desktop])"
    import sqlite_vec

    connection = apsw.Connection(":memory:")
    connection.enable_load_extension(True)
    connection.load_extension(sqlite_vec.loadable_path())
    return Health.OK, f"sqlite-vec {importlib.metadata.version('sqlite-vec')}"


def _recognition() -> tuple[Health, str]:
    recogniser = find_recogniser()
    if recogniser is None:
        return Health.WARNING, terminal_strings()("doctor.no_recognition")
    return Health.OK, recogniser.name


def _embedders() -> tuple[Health, str]:
    installed = [choice.name for choice in available_embedders(_paths().models) if choice.installed]
    if not installed:
        return Health.FAILED, "dai-chat[starter]"
    return Health.OK, ", ".join(installed)


def _models() -> tuple[Health, str]:
    names = [model.name for model in ModelLibrary(_paths().models).installed()]
    if not names:
        return Health.FAILED, "dai-chat[starter]"
    return Health.OK, ", ".join(names)


def _models_folder() -> tuple[Health, str]:
    folder = _paths().models
    if not folder.is_dir():
        return Health.FAILED, f"{folder}: {terminal_strings()('folder.missing')}"
    return _writable_with_room(folder)


def _broken_models() -> tuple[Health, str]:
    strings = terminal_strings()
    broken = ModelLibrary(_paths().models).broken()
    if not broken:
        return Health.OK, strings.number(0)
    named = [f"{path.name}: {strings.error_named(type(error).__name__)}" for path, error in broken]
    return Health.WARNING, " ".join(named)


def _keyring() -> tuple[Health, str]:
    found = system_keyring()
    if found is None:
        return Health.WARNING, terminal_strings()("doctor.no_keyring")
    return Health.OK, type(found).__module__.removeprefix("keyring.backends.")


def _memory() -> tuple[Health, str]:
    free = available_memory()
    return Health.OK if free > 1 << 30 else Health.WARNING, terminal_strings().size(free)


def _storage() -> tuple[Health, str]:
    return _writable_with_room(Paths.default().create().data)


def _writable_with_room(folder: Path) -> tuple[Health, str]:
    """Raises OSError where nothing can be written."""
    with tempfile.TemporaryFile(dir=folder):
        pass
    free = shutil.disk_usage(folder).free
    health = Health.OK if free > FREE_SPACE_NEEDED else Health.WARNING
    return health, f"{folder}, {terminal_strings().size(free)}"


def _paths() -> Paths:
    paths = Paths.default().create()
    return located(paths, SettingsStore(paths.settings))


def _data() -> tuple[Health, str]:
    damaged = _damaged_databases()
    if damaged:
        return Health.FAILED, terminal_strings()("doctor.data_damaged", files=", ".join(map(str, damaged)))
    return Health.OK, str(Paths.default().data)


def _damaged_databases() -> list[Path]:
    paths = Paths.default()
    return [path for path in (paths.conversations, paths.knowledge) if path.exists() and not is_sound(path)]


def _set_aside() -> tuple[Health, str]:
    found = all_set_aside(Paths.default().data)
    if not found:
        return Health.OK, terminal_strings().number(0)
    return Health.WARNING, ", ".join(path.name for path in found)


def _web() -> tuple[Health, str]:
    if importlib.util.find_spec("flet_web") is None:
        return Health.WARNING, "dai-chat[desktop]"
    return Health.OK, f"flet-web {importlib.metadata.version('flet-web')}"


CHECKS: dict[str, Callable[[], tuple[Health, str]]] = {
    "python": _python,
    "engine": _engine,
    "engines": _engines,
    "graphics": _graphics,
    "database": _database,
    "vectors": _vectors,
    "recognition": _recognition,
    "embedders": _embedders,
    "models": _models,
    "models_folder": _models_folder,
    "broken_models": _broken_models,
    "memory": _memory,
    "storage": _storage,
    "data": _data,
    "set_aside": _set_aside,
    "keyring": _keyring,
    "web": _web,
}
"""What is looked at, by the name in the catalogue (`doctor.…`)."""
