"""The files that the user means by paths on the command line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from app.cli.errors import CommandError
from app.cli.text import readable
from rag.documents import supported_suffixes
from rag.web.address import looks_like_address


def files_and_pages(given: Iterable[str]) -> tuple[list[Path], list[str]]:
    """What the user wants to add: files as `documents_in` finds them, and addresses of pages of the web.

    Raises:
        CommandError: see `documents_in`.
    """
    named = list(given)
    pages = [one for one in named if looks_like_address(one)]
    paths = [Path(one) for one in named if not looks_like_address(one)]
    return documents_in(paths) if paths else [], pages


def documents_in(paths: Iterable[Path]) -> list[Path]:
    """The files themselves; of a folder, all that can be read, but nothing hidden.

    Raises:
        CommandError: one does not exist, or has a name that is no text, or there is nothing to read.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += sorted(file for file in path.rglob("*") if _is_document(file, path))
        elif path.exists():
            files.append(path)
        else:
            raise CommandError("cli.no_such_file", path=path)
    for file in files:
        if readable(str(file)) != str(file):
            raise CommandError("cli.unreadable_name", path=readable(str(file)))
    if not files:
        raise CommandError("cli.nothing_to_add")
    return files


def _is_document(file: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
    return not hidden and file.suffix.lower() in supported_suffixes() and file.is_file()
