"""Where the programs that bring models to this device keep the files, by the layout of their folders.

What lies in those folders is not trusted: links that lead out of them, pipes, loops and huge trees are passed
over.
"""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from engines.library.other_programs import Layout, Program

logger = logging.getLogger(__name__)

_MOST_ENTRIES = 20_000
"""Of one folder of a program, however deep."""
_DEEPEST = 6
_MOST_MANIFEST_BYTES = 1 << 20
_MODEL_LAYER = "application/vnd.ollama.image.model"
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that may be a model."""

    path: Path
    root: Path
    """No part of the model may lie outside of it."""
    program: Program
    known_as: str
    """What the program calls it; empty where that is the file's name."""
    sha256: str | None = None
    """Of its content, where the program says it."""


class _Layer(msgspec.Struct):
    mediaType: str = ""  # noqa: N815 - Ollama's own name
    digest: str = ""


class _Manifest(msgspec.Struct):
    layers: list[_Layer] = []


def candidates(program: Program, folder: Path) -> Iterator[Candidate]:
    """The files in one of a program's folders that may be models; their content is not looked at."""
    look = {Layout.FILES: _files, Layout.HUB: _hub, Layout.OLLAMA: _ollama}[program.layout]
    return look(program, folder)


def inside(path: Path, folder: Path) -> bool:
    """Whether it is still inside once its links are followed."""
    try:
        return path.resolve(strict=True).is_relative_to(folder.resolve(strict=True))
    except (OSError, ValueError, RuntimeError):
        return False


def _files(program: Program, folder: Path) -> Iterator[Candidate]:
    for path in _walk(folder):
        if path.suffix.lower() == ".gguf" and inside(path, folder):
            parent = path.parent.relative_to(folder).as_posix()
            yield Candidate(path, folder, program, "" if parent == "." else parent)


def _hub(program: Program, folder: Path) -> Iterator[Candidate]:
    for repository in _entries(folder):
        owner_and_name = repository.name.removeprefix("models--")
        if owner_and_name == repository.name or repository.is_symlink():
            continue
        known_as = owner_and_name.replace("--", "/", 1)
        for path in _walk(repository / "snapshots"):
            if path.suffix.lower() == ".gguf" and inside(path, repository):
                blob = path.resolve().name
                sha256 = blob if _HASH.fullmatch(blob) else None
                yield Candidate(path, repository, program, known_as, sha256)


def _ollama(program: Program, folder: Path) -> Iterator[Candidate]:
    manifests = folder / "manifests"
    for path in _walk(manifests):
        parts = path.relative_to(manifests).parts
        if len(parts) < 3 or not inside(path, manifests):
            continue
        for digest in _model_digests(path):
            blob = folder / "blobs" / f"sha256-{digest}"
            if inside(blob, folder):
                yield Candidate(blob, folder, program, _ollama_name(parts), digest)


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
