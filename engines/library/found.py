"""Finds models that other programs have brought to this device. Reads only; nothing is ever changed there.

What lies in those folders is not trusted: links that lead out of them, pipes, loops, huge trees and files
that only claim to be models are passed over.
"""

from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engines.errors import ModelFileError
from engines.gguf import FileKind, GgufHeader, read_header
from engines.library.installed import InstalledModel
from engines.library.other_programs import PROGRAMS, Layout, Program, programs_possible
from engines.library.program_files import Candidate, candidates, inside
from engines.library.twins import Seen
from engines.memory import estimate_memory
from engines.model_name import readable

_MOST_FOUND = 500
_USABLE = (FileKind.LANGUAGE_MODEL, FileKind.EMBEDDING_MODEL)


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model of another program that can be used where it lies."""

    path: Path
    program: str
    """The program's own name."""
    name: str
    known_as: str
    """What that program calls it, such as "qwen3:4b" or "owner/name"; empty where that is the file's name."""
    bytes: int
    needed_bytes: int
    """What it takes in memory with the usual options."""
    architecture: str
    quantisation: str
    kind: FileKind
    chats: bool = False
    """Whether it can hold a conversation: no embedding model, no base model."""


class ModelFinder:
    """Looks for models of other programs. Remembers the headers that it has read; thread-safe.

    Args:
        programs: the programs to look for.
        platform: as `sys.platform`.
        home: the user's home folder.
        environment: the variables that move the programs' folders.
    """

    def __init__(
        self,
        programs: Sequence[Program] = PROGRAMS,
        *,
        platform: str = sys.platform,
        home: Path | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._programs = programs
        self._platform = platform
        self._home = home
        self._environment = environment
        self._headers: dict[tuple[Path, int, int], GgufHeader | None] = {}
        self._lock = threading.Lock()

    @property
    def possible(self) -> bool:
        """Whether there can be anything to find: not on phones."""
        return programs_possible(self._platform)

    def find(
        self, installed: Sequence[InstalledModel] = (), stop: threading.Event | None = None
    ) -> list[FoundModel]:
        """All sound models of other programs that are not installed, by program and name.

        Takes seconds where there are many: call it in a thread.

        Args:
            installed: what to leave out, also where it lies twice.
            stop: set by whoever does not want the rest any more.
        """
        if not self.possible:
            return []
        with self._lock:
            seen = Seen(installed)
            found: list[FoundModel] = []
            for candidate in self._candidates():
                if (stop is not None and stop.is_set()) or len(found) >= _MOST_FOUND:
                    break
                header = self._header(candidate)
                if header is not None and seen.is_new(header, candidate.sha256):
                    found.append(_described(candidate, header))
        order = [program.name for program in self._programs]
        return sorted(
            found, key=lambda model: (order.index(model.program), model.name.casefold(), model.path)
        )

    def _candidates(self) -> Iterator[Candidate]:
        known: set[Path] = set()
        for program in self._programs:
            for folder in self._folders(program):
                if folder in known:
                    continue
                known.add(folder)
                yield from candidates(program, folder)

    def _folders(self, program: Program) -> Iterator[Path]:
        try:
            home = self._home or Path.home()
        except RuntimeError:  # nobody is logged in
            return
        for folder in program.folders(self._platform, home, self._environment):
            try:
                resolved = folder.resolve(strict=True)
            except (OSError, ValueError, RuntimeError):
                continue
            if resolved.is_dir():
                yield resolved

    def _header(self, candidate: Candidate) -> GgufHeader | None:
        """The header of a model to use; None for anything else."""
        path = candidate.path
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                return None
            key = (path, status.st_size, status.st_mtime_ns)
            if key not in self._headers:
                self._headers[key] = _read(candidate)
            return self._headers[key]
        except OSError:
            return None


def _described(candidate: Candidate, header: GgufHeader) -> FoundModel:
    named = header.name
    if candidate.program.layout is Layout.OLLAMA:
        named = header.declared_name or candidate.known_as  # the file's own name is a hash
    return FoundModel(
        path=header.path,
        program=candidate.program.name,
        name=named,
        known_as=readable(candidate.known_as),
        bytes=header.file_bytes,
        needed_bytes=estimate_memory(header).total,
        architecture=header.architecture,
        quantisation=header.quantisation,
        kind=header.kind,
        chats=header.kind is FileKind.LANGUAGE_MODEL and header.has_chat_template,
    )


def _read(candidate: Candidate) -> GgufHeader | None:
    try:
        header = read_header(candidate.path)
    except ModelFileError:
        return None
    whole = all(inside(path, candidate.root) for path in header.paths)
    return header if header.kind in _USABLE and whole else None
