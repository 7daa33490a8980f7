"""A thread that looks at the watched folders from time to time, and lets their documents follow."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from rag.background import BackgroundThread
from rag.documents import supported_suffixes
from rag.errors import (
    CollectionMissing,
    DocumentDeleted,
    WatchedFolderEmpty,
    WatchedFolderMissing,
    WatchedFolderTooLarge,
)
from rag.model import WatchedFolder
from rag.store import Store
from rag.watching.folders import Folders, WatchedFile
from rag.watching.scanning import compare, look

log = logging.getLogger(__name__)

_CALM_SECONDS = 10.0
_SHARE = 0.01
"""Looking takes at most this share of the time: a folder of a slow disk is looked at less often."""


class FolderWatcher:
    """Follows files; a file is never opened here, only handed to the indexer."""

    def __init__(self, folders: Folders, store: Store, changed: Callable[[], None]) -> None:
        """`changed` is called when documents came, changed or went."""
        self._folders = folders
        self._store = store
        self._changed = changed
        self._thread = BackgroundThread("folders", self._round)
        self._looking = threading.Lock()

    def start(self) -> None:
        """Look from now on; only one process may."""
        self._thread.start()

    def wake(self) -> None:
        """Look now."""
        self._thread.wake()

    def close(self) -> None:
        """End after the folder that is looked at."""
        self._thread.close()

    def look(self) -> None:
        """Look at every folder once; returns when their documents follow."""
        with self._looking:
            for folder in self._folders.all():
                if self._thread.closing.is_set():
                    return
                self._follow(folder)

    def _round(self) -> float:
        began = time.monotonic()
        try:
            self.look()
        except Exception:  # whatever it is (a full device), the thread must live
            log.exception("folders cannot be followed now")
        return max(_CALM_SECONDS, (time.monotonic() - began) / _SHARE)

    def _follow(self, folder: WatchedFolder) -> None:
        known = {file.path: file for file in self._folders.files(folder.id)}
        try:
            seen = look(folder.path, supported_suffixes(), time.time())
        except OSError:
            self._tell(folder, WatchedFolderMissing.__name__)
            return
        if known and not seen.files and not seen.growing:
            # Most likely a disk that is not connected: its documents are not thrown away for that.
            self._tell(folder, WatchedFolderEmpty.__name__)
            return
        changes = compare({path: file.signature for path, file in known.items()}, seen)
        try:
            for before, path in changes.renamed:
                self._rename(folder, known[before], path)
            for path in changes.changed:
                self._replace(folder, known[path], seen.files[path])
            for path in changes.added:
                self._add(folder, path, seen.files[path])
            for path in changes.gone:
                self._remove(folder, known[path])
        except CollectionMissing:  # deleted at this moment
            return
        finally:
            if any(changes):
                self._changed()
        self._tell(folder, None if seen.complete else WatchedFolderTooLarge.__name__)

    def _tell(self, folder: WatchedFolder, error: str | None) -> None:
        if error != folder.error:
            self._folders.set_error(folder.id, error)
            self._changed()

    def _add(self, folder: WatchedFolder, path: str, signature: str) -> None:
        if self._thread.closing.is_set():
            return
        document = self._store.add_document(folder.collection_id, Path(path), Path(path).name, owned=False)
        self._folders.keep(folder.id, [WatchedFile(path, signature, document.id)])

    def _replace(self, folder: WatchedFolder, file: WatchedFile, signature: str) -> None:
        if self._thread.closing.is_set():
            return
        number, path = file.document_id, Path(file.path)
        if self._folders.others_with(number) > 1:  # its double stays as it is
            number = self._store.add_document(folder.collection_id, path, path.name, owned=False).id
        else:
            with suppress(DocumentDeleted):  # by the user, who does not want it here
                self._store.replace_document(number, path, path.name, owned=False)
        self._folders.keep(folder.id, [WatchedFile(file.path, signature, number)])

    def _rename(self, folder: WatchedFolder, file: WatchedFile, path: str) -> None:
        self._store.rename_document(file.document_id, Path(file.path), Path(path))
        self._folders.keep(folder.id, [WatchedFile(path, file.signature, file.document_id)])
        self._folders.forget(folder.id, [file.path])

    def _remove(self, folder: WatchedFolder, file: WatchedFile) -> None:
        self._folders.forget(folder.id, [file.path])
        if not self._folders.others_with(file.document_id):
            self._store.delete_document(file.document_id)
