"""The list of installed models, and the ways in and out of it.

The models' folder is the truth: any GGUF file in it is installed, also one that somebody put there by hand.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from engines.errors import (
    ModelFileError,
    ModelFileMissing,
    NotAChatModel,
    NotEnoughDiskSpace,
)
from engines.gguf import FileKind, GgufHeader, is_folder, read_header
from engines.library.adapters import AdapterFolder
from engines.library.checking import CheckedFiles, ContentCheck, check_content
from engines.library.copying import Progress, copy_parts_into, free_bytes, free_paths, move_parts
from engines.library.downloaded import DownloadedFiles, ModelSource
from engines.library.installed import InstalledModel, Origin, describe
from engines.library.links import LinkedFiles
from engines.library.starter import find_starter
from engines.library.unfinished import remove_abandoned
from engines.split_files import content_hash, part_name, parts_beside

logger = logging.getLogger(__name__)

Stamp = tuple[int, int] | None


class ModelLibrary:
    """The models in `folder`, which is made when the first one is added. Thread-safe.

    What copies that were killed have left there is removed on opening.
    """

    def __init__(self, folder: Path) -> None:
        self.adapters = AdapterFolder(folder / "adapters")
        self._folder = folder
        self._links = LinkedFiles(folder)
        self._downloaded = DownloadedFiles(folder)
        self._checked = CheckedFiles(folder)
        self._lock = threading.RLock()
        self._adding = threading.Lock()
        self._headers: dict[Path, tuple[tuple[Stamp, ...], GgufHeader]] = {}
        if freed := remove_abandoned(folder):
            logger.info("%d bytes of unfinished copies removed", freed)

    @property
    def folder(self) -> Path:
        """Where the models lie."""
        return self._folder

    def relocate(self, folder: Path) -> None:
        """The models lie in another folder now, under the same names."""
        with self._adding, self._lock:
            self._folder = folder
            self._links, self._downloaded = LinkedFiles(folder), DownloadedFiles(folder)
            self._checked = CheckedFiles(folder)
            self._headers.clear()
            self.adapters.relocate(folder / "adapters")

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

    def header(self, model: InstalledModel) -> GgufHeader:
        """What the file of an installed model says of itself.

        Raises:
            ModelFileError: it has been removed or damaged since it was listed.
        """
        with self._lock:
            return self._header(model.path)

    def add(self, path: Path, *, link: bool = False, progress: Progress | None = None) -> InstalledModel:
        """Install a model file: copy it into the folder, or only remember where it lies.

        Of a model in parts any may be named; all of them are installed, from beside it. A model that is
        installed already, under whatever name, is not copied again. When the copying ends
        early, nothing is left behind. Blocks as long as the copying takes.

        Raises:
            ModelFileMissing, ModelPartMissing, ModelFileUnreadable, NotAModel, ModelFileDamaged,
                UnsupportedModel: see `engines.gguf.read_header`.
            NotAChatModel: an adapter or a projector, which is no use alone.
            NotEnoughDiskSpace: there is no room for the copy.
        """
        header = _usable_header(path.absolute())
        path = header.path
        with self._adding:  # not the lock of the lists: a copy takes minutes
            twin = self._find_twin(header)
            if twin is not None:
                return twin
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                if link:
                    self._links.add(path)
                    return describe(header, Origin.LINKED)
                named = part_name(path) if header.file_parts > 1 else None
                stem = named.stem if named else path.stem
                target = copy_parts_into(self._folder, header.paths, stem, header.file_bytes, progress)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                raise NotEnoughDiskSpace(header.file_bytes, free_bytes(self._folder)) from error
            return describe(self._header(target), Origin.SIDELOADED)

    def adopt(self, path: Path, name: str, source: ModelSource) -> InstalledModel:
        """Install a file that was downloaded for the library, by moving it into the folder.

        Args:
            path: the whole, checked file, or the first of its parts, on the same disk as the folder.
            name: what to call it, without `.gguf`; a free name like it is taken.
            source: where it came from.

        Raises:
            NotAModel, ModelFileDamaged, UnsupportedModel, NotAChatModel: as `add`; the file stays at `path`.
        """
        paths = _usable_header(path).paths
        with self._adding:
            self._folder.mkdir(parents=True, exist_ok=True)
            targets = free_paths(
                self._folder, name, len(paths), lambda number, target: _is_free(target, paths[number])
            )
            # The source first: killed in between, it tells of a file that is not there, which does no harm.
            self._downloaded.add(targets[0], source)
            move_parts(paths, targets)
            model = describe(self._header(targets[0]), Origin.DOWNLOADED, source)
            self._checked.note(model)
            return model

    def needs_check(self, model: InstalledModel) -> bool:
        """Whether a downloaded model was written since its content was last known to be right."""
        return model.source is not None and not self._checked.holds(model)

    def verify(self, id: str, progress: Progress | None = None) -> ContentCheck:
        """Read a model's file and compare it with what was downloaded; see `check_content`.

        Raises:
            ModelFileMissing: there is no such model any more.
            ModelFileAltered: it holds something else.
        """
        model = self.get(id)
        if model is None:
            raise ModelFileMissing(self._folder / id)
        check = check_content(model, progress)
        if check.known:
            with self._adding:
                self._checked.note(model)
        return check

    def find_content(self, bytes: int, sha256: str) -> InstalledModel | None:
        """The installed model with this content, whatever it is called and however it came here.

        Reads files of this very size where nobody has noted their hash: seconds per gigabyte.
        """
        for model in self._sound():
            if model.bytes != bytes:
                continue
            try:
                known = model.source.sha256 if model.source is not None else _hash(model.paths)
            except OSError:  # removed in this moment
                continue
            if known == sha256:
                return model
        return None

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
                self._links.remove(model.path)
                return 0
            for path in model.paths:  # the first one first: without it the others are no model
                path.unlink(missing_ok=True)
            self._downloaded.remove(model.path)
            return model.bytes

    def remove_broken(self, path: Path) -> int:
        """Remove a file that `broken` lists and return the bytes freed: 0 for a link, whose file stays.

        Raises:
            ModelFileMissing: `broken` does not list it any more.
            OSError: the system does not let it be deleted.
            ValueError: it is the starter model, which belongs to the app.
        """
        with self._lock:
            if path not in (broken for broken, _ in self.broken()):
                raise ModelFileMissing(path)
            if path == find_starter():
                raise ValueError("the starter model belongs to the app")
            if path in self._links.paths():
                self._links.remove(path)
                return 0
            freed = 0
            for part in parts_beside(path):
                freed += part.stat().st_size if part.exists() else 0
                part.unlink(missing_ok=True)
            self._downloaded.remove(path)
            return freed

    def _sound(self) -> list[InstalledModel]:
        models = [found for _, found in self._scan() if isinstance(found, InstalledModel)]
        return sorted(
            models, key=lambda model: (model.origin is not Origin.STARTER, model.name.casefold(), model.id)
        )

    def _scan(self) -> Iterator[tuple[Path, InstalledModel | ModelFileError]]:
        with self._lock:
            sources = self._downloaded.all()
            for path, origin in self._places():
                try:
                    header = self._header(path)
                    source = sources.get(path.name) if origin is Origin.SIDELOADED else None
                    if source is not None and source.bytes == header.file_bytes:
                        yield path, describe(header, Origin.DOWNLOADED, source)
                    else:
                        yield path, describe(header, origin)
                except ModelFileError as error:
                    logger.warning("A model file cannot be used: %s", type(error).__name__)
                    yield path, error

    def _places(self) -> Iterator[tuple[Path, Origin]]:
        starter = find_starter()
        if starter is not None:
            yield starter, Origin.STARTER
        if self._folder.is_dir():
            seen: set[Path] = set()
            for path in sorted(self._folder.iterdir()):
                if path.suffix.lower() == ".gguf" and not path.name.startswith(".") and not is_folder(path):
                    first = parts_beside(path)[0]  # of a model in parts, there or not
                    if first not in seen:
                        seen.add(first)
                        yield first, Origin.SIDELOADED
        for path in self._links.paths():
            yield path, Origin.LINKED

    def _header(self, path: Path) -> GgufHeader:
        """The header, read again only when the file has changed."""
        stamp = tuple(_stamp(part) for part in parts_beside(path))
        cached = self._headers.get(path)
        if cached is None or cached[0] != stamp:
            cached = (stamp, read_header(path))
            self._headers[path] = cached
        return cached[1]

    def _find_twin(self, header: GgufHeader) -> InstalledModel | None:
        """An installed model with the same content; files of another size need no hash."""
        candidates = [model for model in self._sound() if model.bytes == header.file_bytes]
        for model in candidates:
            if model.path.samefile(header.path):
                return model
        if not candidates:
            return None
        wanted = _hash(header.paths)
        return next((model for model in candidates if _hash(model.paths) == wanted), None)


def _usable_header(path: Path) -> GgufHeader:
    header = read_header(path)
    if header.kind not in (FileKind.LANGUAGE_MODEL, FileKind.EMBEDDING_MODEL):
        raise NotAChatModel(path, header.kind)
    return header


def _is_free(target: Path, source: Path) -> bool:
    """Whether a file may be moved there: nothing is there, or it was moved there before a kill."""
    return not target.exists() or (source.exists() and target.samefile(source))


def _stamp(path: Path) -> Stamp:
    """What changes when a file does; None where there is none to read."""
    try:
        status = path.stat()
    except (OSError, ValueError):  # `read_header` tells what it is
        return None
    return status.st_size, status.st_mtime_ns


def _hash(paths: Sequence[Path]) -> str:
    hashes = []
    for path in paths:
        with path.open("rb") as file:
            hashes.append(hashlib.file_digest(file, "sha256").hexdigest())
    return content_hash(hashes)
