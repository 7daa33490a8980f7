"""The part of a file that has arrived: `<name>.part`, and beside it a note of which content it belongs to."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import sys
import threading
from pathlib import Path

import msgspec

logger = logging.getLogger(__name__)

_CHUNK_BYTES = 4 << 20


class Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which content a part belongs to; two downloads of one address may bring different ones."""

    total: int
    """Bytes of the whole file."""
    content: str | None = None
    """What the hub calls the content, the same whichever host sends it: for large files the SHA-256."""
    etag: str | None = None
    """A strong ETag of the host that sends it, for where the hub says nothing."""

    @property
    def sha256(self) -> str | None:
        """The hash of the content, where its name is that."""
        return self.content if self.content and re.fullmatch(r"[0-9a-f]{64}", self.content) else None

    def continues(self, earlier: Identity) -> bool:
        """Whether what follows now belongs behind what came earlier."""
        if self.total != earlier.total:
            return False
        if self.content or earlier.content:
            return self.content == earlier.content
        return self.etag is not None and self.etag == earlier.etag


class Part:
    """One download's part, open for appending. Whoever opens it must be the only one."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self.path = part_path(target)
        self._note = note_path(target)
        self._file = self.path.open("ab", buffering=0)  # so nothing waits in a buffer when a write fails
        self._hash = hashlib.sha256()
        self.size = os.fstat(self._file.fileno()).st_size
        self.pieced = self.size > 0
        """Whether more than one response has brought it."""
        self.identity = self._read_note()
        if self.identity is None or self.size > self.identity.total:
            self.discard()  # nobody knows what it is, or it is none of that

    def hash_again(self, stop: threading.Event) -> None:
        """Read what is there, so that the hash can go on. Takes seconds per gigabyte: call it in a thread."""
        self._hash = hashlib.sha256()
        with self.path.open("rb") as file:
            while not stop.is_set() and (chunk := file.read(_CHUNK_BYTES)):
                self._hash.update(chunk)

    def begin(self, identity: Identity) -> None:
        """Throw away what is there, and remember what comes instead."""
        self.discard()
        self._write_note(identity)

    def remember(self, identity: Identity) -> None:
        """The same content, under a new ETag perhaps."""
        self.pieced = self.pieced or self.size > 0
        if identity != self.identity:
            self._write_note(identity)

    def write(self, chunk: bytes) -> None:
        """Append; where the system refuses, what it took before counts."""
        rest = memoryview(chunk)
        while rest:
            written = self._file.write(rest)
            self._hash.update(rest[:written])
            self.size += written
            rest = rest[written:]

    def sha256(self) -> str:
        """Of all that has arrived."""
        return self._hash.copy().hexdigest()

    def publish(self) -> Path:
        """Write everything down to the disk and give the file its name."""
        os.fsync(self._file.fileno())
        self._file.close()
        self.path.replace(self._target)
        _sync_folder(self._target.parent)
        self._note.unlink(missing_ok=True)
        return self._target

    def close(self) -> None:
        """Stop writing; what has arrived stays."""
        self._file.close()
        if self.size == 0:
            discard_part(self._target)

    def discard(self) -> None:
        """Throw away what has arrived."""
        # The bytes go first: a note that outlives its bytes does no harm, the other way round it would.
        os.ftruncate(self._file.fileno(), 0)
        self._note.unlink(missing_ok=True)
        self.identity = None
        self._hash = hashlib.sha256()
        self.size = 0
        self.pieced = False

    def _read_note(self) -> Identity | None:
        try:
            return msgspec.json.decode(self._note.read_bytes(), type=Identity)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError):
            logger.warning("The note beside a partial download is damaged; it starts again")
            return None

    def _write_note(self, identity: Identity) -> None:
        new = self._note.with_name(self._note.name + ".new")
        new.write_bytes(msgspec.json.encode(identity))
        new.replace(self._note)
        self.identity = identity


def part_path(target: Path) -> Path:
    """Where the part of a file lies."""
    return target.with_name(target.name + ".part")


def note_path(target: Path) -> Path:
    """Where the note about it lies."""
    return target.with_name(target.name + ".part.json")


def lock_path(target: Path) -> Path:
    """Where the lock lies while somebody writes the part."""
    return target.with_name(target.name + ".part.lock")


def discard_part(target: Path) -> int:
    """Delete what has arrived of a file; returns the bytes freed."""
    path = part_path(target)
    freed = path.stat().st_size if path.exists() else 0
    path.unlink(missing_ok=True)
    note_path(target).unlink(missing_ok=True)
    return freed


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power cut, where the system has a way to ask for that."""
    if sys.platform == "win32":
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:  # not every file system can
        logger.debug("The folder cannot be synchronised")
    finally:
        os.close(descriptor)
