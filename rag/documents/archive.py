"""The ZIP archives that Office files and books are: opened without trust, read part by part, never unpacked.

Bounded are the list of the parts, what all reading together may unfold to, and how much more that is than
the archive holds. A part is only ever found by its name in that list, so no name leads outside.
"""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Self

from rag.errors import DocumentDamaged, DocumentError, EncryptedDocument, UnsafeDocument

_LARGEST_READ = 4 * 1024 * 1024
"""The list of parts is read at once: of so many bytes at most, which is some 50,000 parts."""
_MOST_UNFOLDED = 2 * 1024 * 1024 * 1024
"""A sheet of a million rows unfolds to less."""
_UNSUSPICIOUS = 64 * 1024 * 1024
_MOST_TIMES = 300
"""Beyond `_UNSUSPICIOUS` bytes; sheets full of the same number reach 100 times, a bomb 1,000."""
_READABLE = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_BLOCK = 64 * 1024
_ENCRYPTED = 0x1


class Archive:
    """An archive that is open. Part names are compared without case, as Office does."""

    def __init__(self, path: Path, name: str) -> None:
        """Open it.

        Args:
            path: The file.
            name: What errors call it.

        Raises:
            DocumentDamaged: It is no whole archive.
            UnsafeDocument: Its list of parts is absurdly long.
        """
        self.name = name
        self._packed = path.stat().st_size
        self._unfolded = 0
        self._file = _BoundedFile(path, name)
        try:
            with damage(name):
                self._zip = zipfile.ZipFile(self._file)
        except BaseException:
            self._file.close()
            raise
        self._parts = {_tidy(info.filename).casefold(): info for info in self._zip.infolist()}

    def close(self) -> None:
        """Nothing is read any more."""
        self._zip.close()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __contains__(self, part: str) -> bool:
        return _tidy(part).casefold() in self._parts

    def blocks(self, part: str) -> Iterator[bytes]:
        """The content of a part, unfolded block by block.

        Raises:
            DocumentDamaged: The part is missing, cut off, or not what its checksum says.
            EncryptedDocument: It asks for a password.
            UnsafeDocument: It unfolds to more than a document has.
        """
        info = self._parts.get(_tidy(part).casefold())
        if info is None:
            raise DocumentDamaged(self.name, "a part is missing")
        if info.flag_bits & _ENCRYPTED:
            raise EncryptedDocument(self.name, "an encrypted part")
        if info.compress_type not in _READABLE:
            raise DocumentDamaged(self.name, f"compression {info.compress_type}")
        with damage(self.name), self._zip.open(info) as stream:
            while block := stream.read(_BLOCK):
                self._count(len(block))
                yield block

    def content(self, part: str, most: int) -> bytes:
        """The whole content of a part of at most `most` bytes; raises as `blocks` does."""
        gathered = bytearray()
        for block in self.blocks(part):
            gathered += block
            if len(gathered) > most:
                raise UnsafeDocument(self.name, f"a part of more than {most} bytes")
        return bytes(gathered)

    def _count(self, size: int) -> None:
        self._unfolded += size
        times = self._unfolded / max(self._packed, 1)
        if self._unfolded > _MOST_UNFOLDED or (self._unfolded > _UNSUSPICIOUS and times > _MOST_TIMES):
            raise UnsafeDocument(self.name, f"unfolds {times:.0f} times")


class _BoundedFile(FileIO):
    """A file whose reader cannot be talked into reading all of it at once."""

    def __init__(self, path: Path, name: str) -> None:
        super().__init__(path)
        self._shown = name

    def read(self, size: int | None = -1) -> bytes:
        """Read as `io.RawIOBase.read`, but all that is asked for, and never the whole of a large file."""
        if size is None or size < 0:
            size = os.fstat(self.fileno()).st_size - self.tell()
        if size > _LARGEST_READ:
            raise UnsafeDocument(self._shown, "an absurdly long list of parts")
        parts: list[bytes] = []
        while size > 0 and (part := super().read(size)):  # a raw file may give less than was asked for
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


@contextmanager
def damage(name: str) -> Iterator[None]:
    """What zipfile raises on a broken archive, as damage of the document."""
    try:
        yield
    except DocumentError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, struct.error) as error:
        raise DocumentDamaged(name, type(error).__name__) from error


def _tidy(part: str) -> str:
    return part.replace("\\", "/").lstrip("/")
