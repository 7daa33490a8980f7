"""Finds models that other programs have brought to this device. Reads only; nothing is ever changed there.

What lies in those folders is not trusted: links that lead out of them, pipes, loops, huge trees and files
that only claim to be models are passed over.
"""

from __future__ import annotations

import logging
import os
import re
import stat
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from engines.errors import ModelFileError
from engines.gguf import FileKind, GgufHeader, read_header
from engines.library.installed import InstalledModel
from engines.library.other_programs import PROGRAMS, Layout, Program, programs_possible
from engines.memory import estimate_memory
from engines.model_name import readable

logger = logging.getLogger(__name__)

_MOST_ENTRIES = 20_000
"""Of one folder of a program, however deep."""
_MOST_FOUND = 500
_DEEPEST = 6
_MOST_MANIFEST_BYTES = 1 << 20
_MODEL_LAYER = "application/vnd.ollama.image.model"
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_HASH = re.compile(r"[0-9a-f]{64}")
_SAMPLES = 16
_SAMPLE_BYTES = 64 << 10
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


@dataclass(frozen=True, slots=True)
class _Candidate:
    path: Path
    root: Path
    """No part of the model may lie outside of it."""
    program: Program
    known_as: str
    sha256: str | None = None


class _Layer(msgspec.Struct):
    mediaType: str = ""  # noqa: N815 - Ollama's own name
    digest: str = ""


class _Manifest(msgspec.Struct):
    layers: list[_Layer] = []


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
            seen = _Seen(installed)
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

    def _candidates(self) -> Iterator[_Candidate]:
        known: set[Path] = set()
        for program in self._programs:
            for folder in self._folders(program):
                if folder in known:
                    continue
                known.add(folder)
                look = {Layout.FILES: _files, Layout.HUB: _hub, Layout.OLLAMA: _ollama}[program.layout]
                yield from look(program, folder)

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

    def _header(self, candidate: _Candidate) -> GgufHeader | None:
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


class _Seen:
    """What is installed or was found already: by file, by hash, and by samples of the content."""

    def __init__(self, installed: Sequence[InstalledModel]) -> None:
        self._files: set[tuple[int, int]] = set()
        self._hashes = {model.source.sha256 for model in installed if model.source is not None}
        self._by_size: dict[int, list[Path]] = {}
        for model in installed:
            self._remember(model.path)

    def is_new(self, header: GgufHeader, sha256: str | None) -> bool:
        """Whether this is none of those; from now on it is one."""
        try:
            status = header.path.stat()
            twins = self._by_size.get(status.st_size, [])
            sample = _sample(header.path) if twins else b""
            if (
                (status.st_dev, status.st_ino) in self._files
                or (sha256 is not None and sha256 in self._hashes)
                or any(_sample(twin) == sample for twin in twins)
            ):
                return False
        except OSError:
            return False
        self._remember(header.path)
        if sha256 is not None:
            self._hashes.add(sha256)
        return True

    def _remember(self, path: Path) -> None:
        try:
            status = path.stat()
        except OSError:
            return
        self._files.add((status.st_dev, status.st_ino))
        self._by_size.setdefault(status.st_size, []).append(path)


def _described(candidate: _Candidate, header: GgufHeader) -> FoundModel:
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
    )


def _files(program: Program, folder: Path) -> Iterator[_Candidate]:
    for path in _walk(folder):
        if path.suffix.lower() == ".gguf" and _inside(path, folder):
            parent = path.parent.relative_to(folder).as_posix()
            yield _Candidate(path, folder, program, "" if parent == "." else parent)


def _hub(program: Program, folder: Path) -> Iterator[_Candidate]:
    for repository in _entries(folder):
        owner_and_name = repository.name.removeprefix("models--")
        if owner_and_name == repository.name or repository.is_symlink():
            continue
        known_as = owner_and_name.replace("--", "/", 1)
        for path in _walk(repository / "snapshots"):
            if path.suffix.lower() == ".gguf" and _inside(path, repository):
                blob = path.resolve().name
                sha256 = blob if _HASH.fullmatch(blob) else None
                yield _Candidate(path, repository, program, known_as, sha256)


def _ollama(program: Program, folder: Path) -> Iterator[_Candidate]:
    manifests = folder / "manifests"
    for path in _walk(manifests):
        parts = path.relative_to(manifests).parts
        if len(parts) < 3 or not _inside(path, manifests):
            continue
        for digest in _model_digests(path):
            blob = folder / "blobs" / f"sha256-{digest}"
            if _inside(blob, folder):
                yield _Candidate(blob, folder, program, _ollama_name(parts), digest)


def _model_digests(manifest: Path) -> list[str]:
    try:
        if not stat.S_ISREG(manifest.stat().st_mode) or manifest.stat().st_size > _MOST_MANIFEST_BYTES:
            return []
        layers = msgspec.json.decode(manifest.read_bytes(), type=_Manifest).layers
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return []
    matches = (_DIGEST.fullmatch(layer.digest) for layer in layers if layer.mediaType == _MODEL_LAYER)
    return [match[1] for match in matches if match]


def _ollama_name(parts: tuple[str, ...]) -> str:
    """As `ollama list` writes it: what is usual is left out."""
    *where, model, tag = parts
    if where and where[0] == "registry.ollama.ai":
        where = where[1:]
    if where == ["library"]:
        where = []
    return "/".join([*where, f"{model}:{tag}"])


def _walk(folder: Path) -> Iterator[Path]:
    """What lies in a folder and below, without following links to folders; bounded."""
    left = _MOST_ENTRIES
    todo = [(folder, 0)]
    while todo:
        current, depth = todo.pop()
        for path in _entries(current):
            left -= 1
            if left < 0:
                logger.info("a folder of another program is too large to look through")
                return
            try:
                mode = path.lstat().st_mode
            except OSError:
                continue
            if stat.S_ISDIR(mode):
                if depth < _DEEPEST:
                    todo.append((path, depth + 1))
            elif stat.S_ISREG(mode) or stat.S_ISLNK(mode):
                yield path


def _entries(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for _, entry in zip(range(_MOST_ENTRIES), entries, strict=False))
    except OSError:
        return []
    return [folder / name for name in names]


def _inside(path: Path, folder: Path) -> bool:
    """Whether it is still inside once its links are followed."""
    try:
        return path.resolve(strict=True).is_relative_to(folder.resolve(strict=True))
    except (OSError, ValueError, RuntimeError):
        return False


def _read(candidate: _Candidate) -> GgufHeader | None:
    try:
        header = read_header(candidate.path)
    except ModelFileError:
        return None
    whole = all(_inside(path, candidate.root) for path in header.paths)
    return header if header.kind in _USABLE and whole else None


def _sample(path: Path) -> bytes:
    """Enough of a file to tell it from others of its size, without reading all of it."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        pieces = []
        for number in range(_SAMPLES):
            file.seek((size - _SAMPLE_BYTES) * number // (_SAMPLES - 1) if size > _SAMPLE_BYTES else 0)
            pieces.append(file.read(_SAMPLE_BYTES))
    return b"".join(pieces)
