"""The GGUF format: one pass over a file's metadata and tensor records, safe on hostile input.

Files come from strangers, so nothing in them is believed: every length is checked against the file's size and
against a ceiling before a byte is read, and a vocabulary is stepped over, never kept.

Layout of versions 2 and 3, little-endian: magic, version, tensor count, metadata count, the metadata, one
record per tensor, padding to `general.alignment`, the tensors' bytes.
Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn

from engines.errors import ModelFileDamaged, NotAModel, UnsupportedModel
from engines.tensor_types import TENSOR_TYPES, TensorType

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_NEWEST_PLAUSIBLE_VERSION = 64

# Far above every real model (262 144 tokens, a few thousand tensors), far below what could hurt.
_MAX_METADATA = 65_536
_MAX_TENSORS = 65_536
_MAX_DIMENSIONS = 4
_MAX_NAME_BYTES = 65_535
_MAX_KEPT_TEXT_BYTES = 1 << 20
_MAX_KEPT_BYTES = 16 << 20
_MAX_STRINGS_IN_ARRAYS = 4_000_000
_MAX_VOCABULARY = 1 << 20
_MAX_KEPT_NUMBERS = 4_096
_MAX_ALIGNMENT = 1 << 20

_VOCABULARY = "tokenizer.ggml.tokens"
_TEXT, _ARRAY = 8, 9
_SCALARS = {
    0: struct.Struct("<B"),
    1: struct.Struct("<b"),
    2: struct.Struct("<H"),
    3: struct.Struct("<h"),
    4: struct.Struct("<I"),
    5: struct.Struct("<i"),
    6: struct.Struct("<f"),
    7: struct.Struct("<?"),
    10: struct.Struct("<Q"),
    11: struct.Struct("<q"),
    12: struct.Struct("<d"),
}
_U32, _U64 = _SCALARS[4], _SCALARS[10]

Value = str | int | float | bool | tuple[int | float | bool, ...]


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor's record, without its bytes."""

    name: str
    kind: TensorType
    shape: tuple[int, ...]
    """Extents, the one whose elements lie next to each other first."""
    elements: int
    offset: int
    bytes: int

    @property
    def dimensions(self) -> int:
        """How many extents it has."""
        return len(self.shape)


@dataclass(frozen=True, slots=True)
class GgufContents:
    """What stands in a file before the tensors' bytes."""

    version: int
    metadata: dict[str, Value]
    """Without arrays of text and without arrays of more than 4096 numbers."""
    array_lengths: dict[str, int]
    """Elements of every array, kept or not."""
    tensors: tuple[Tensor, ...]
    data_start: int
    """Where the tensors' bytes begin in the file."""


class GgufReader:
    """One pass over one open file of `size` bytes.

    Raises:
        NotAModel, ModelFileDamaged, UnsupportedModel: see `engines.gguf.read_header`.
    """

    def __init__(self, path: Path, file: BinaryIO, size: int) -> None:
        self._path = path
        self._file = file
        self._size = size
        self._position = 0
        self._kept = 0
        self._strings = 0
        self._metadata: dict[str, Value] = {}
        self._array_lengths: dict[str, int] = {}

    def read(self) -> GgufContents:
        """Read everything up to the tensors' bytes and check that those lie within the file."""
        version = self._read_version()
        tensor_count = self._count(_MAX_TENSORS, "tensors")
        metadata_count = self._count(_MAX_METADATA, "metadata")
        for _ in range(metadata_count):
            self._read_metadata()
        tensors = tuple(self._read_tensor() for _ in range(tensor_count))
        data_start = self._check_tensors(tensors)
        return GgufContents(version, self._metadata, self._array_lengths, tensors, data_start)

    def _read_version(self) -> int:
        if self._size < len(_MAGIC) or self._take(len(_MAGIC)) != _MAGIC:
            raise NotAModel(self._path, "empty" if self._size == 0 else "no GGUF magic")
        version = self._integer(_U32)
        if version in _VERSIONS:
            return version
        swapped = int.from_bytes(version.to_bytes(4, "little"), "big")
        if swapped in _VERSIONS:
            raise UnsupportedModel(self._path, "big-endian GGUF")
        if not 0 < version <= _NEWEST_PLAUSIBLE_VERSION:
            self._damaged(f"GGUF version {version}")
        raise UnsupportedModel(self._path, f"GGUF version {version}")

    def _read_metadata(self) -> None:
        key = self._text(_MAX_NAME_BYTES)
        if not key:
            self._damaged("a metadata key without a name")
        kind = self._integer(_U32)
        if kind == _TEXT:
            length = self._integer(_U64)
            if length > _MAX_KEPT_TEXT_BYTES:
                self._skip(length)
            else:
                self._metadata[key] = self._keep(length).decode("utf-8", "replace")
        elif kind == _ARRAY:
            self._read_array(key)
        else:
            scalar = self._scalar_type(kind)
            self._metadata[key] = scalar.unpack(self._keep(scalar.size))[0]

    def _read_array(self, key: str) -> None:
        kind = self._integer(_U32)
        count = self._integer(_U64)
        self._array_lengths[key] = count
        if kind == _TEXT:
            # Two equal tokens make llama.cpp end the process.
            self._skip_strings(count, distinct=key == _VOCABULARY and count <= _MAX_VOCABULARY)
            return
        scalar = self._scalar_type(kind)
        if count > _MAX_KEPT_NUMBERS:
            self._skip(count * scalar.size)
        else:
            numbers = self._keep(count * scalar.size)
            self._metadata[key] = tuple(value for (value,) in scalar.iter_unpack(numbers))

    def _skip_strings(self, count: int, *, distinct: bool = False) -> None:
        """Step over an array; `distinct` refuses one that holds a text twice, empty ones aside."""
        self._strings += count
        if self._strings > _MAX_STRINGS_IN_ARRAYS or count * _U64.size > self._size - self._position:
            self._damaged(f"an array of {count} strings")
        read, unpack = self._file.read, _U64.unpack
        position, size = self._position, self._size
        seen: set[int] = set()
        unseen = 0
        for _ in range(count):  # the hot loop: a vocabulary has up to a quarter of a million strings
            prefix = read(8)
            if len(prefix) < 8:
                self._damaged("the file ends within a vocabulary")
            length = unpack(prefix)[0]
            position += 8 + length
            if position > size:
                self._damaged("a string reaches beyond the file")
            if length > _MAX_NAME_BYTES:
                self._file.seek(position)
                unseen += 1
            elif distinct and length:
                seen.add(hash(read(length)))
            else:
                read(length)
                unseen += 1
        self._position = position
        if distinct and len(seen) + unseen < count:
            self._damaged("a token stands twice in the vocabulary")

    def _read_tensor(self) -> Tensor:
        name = self._text(_MAX_NAME_BYTES)
        dimensions = self._integer(_U32)
        if not 1 <= dimensions <= _MAX_DIMENSIONS:
            self._damaged(f"a tensor of {dimensions} dimensions")
        shape = tuple(self._integer(_U64) for _ in range(dimensions))
        elements, row = math.prod(shape), shape[0]
        number = self._integer(_U32)
        offset = self._integer(_U64)
        kind = TENSOR_TYPES.get(number)
        if kind is None:
            if number > 255:
                self._damaged(f"tensor type {number}")
            raise UnsupportedModel(self._path, f"tensor type {number}")
        if elements == 0 or row % kind.block_elements:
            self._damaged(f"tensor {name[:80]!r} has rows of {row} elements")
        size = elements // kind.block_elements * kind.block_bytes
        return Tensor(name, kind, shape, elements, offset, size)

    def _check_tensors(self, tensors: tuple[Tensor, ...]) -> int:
        """Where their bytes begin; all of them must lie within the file."""
        alignment = self._metadata.get("general.alignment", 32)
        if (
            not isinstance(alignment, int)
            or not 0 < alignment <= _MAX_ALIGNMENT
            or alignment & (alignment - 1)
        ):
            self._damaged("a tensor alignment that is no power of two")
        start = -(-self._position // alignment) * alignment
        for tensor in tensors:
            if tensor.offset % alignment:
                self._damaged("a tensor that is not aligned")
            if start + tensor.offset + tensor.bytes > self._size:
                self._damaged("a tensor reaches beyond the file")
        return start

    def _count(self, ceiling: int, what: str) -> int:
        count = self._integer(_U64)
        if count > ceiling:
            self._damaged(f"{count} {what}")
        return count

    def _scalar_type(self, kind: int) -> struct.Struct:
        scalar = _SCALARS.get(kind)
        if scalar is None:
            self._damaged(f"metadata type {kind}")
        return scalar

    def _text(self, ceiling: int) -> str:
        length = self._integer(_U64)
        if length > ceiling:
            self._damaged(f"a name of {length} bytes")
        return self._keep(length).decode("utf-8", "replace")

    def _integer(self, kind: struct.Struct) -> int:
        return int(kind.unpack(self._take(kind.size))[0])

    def _keep(self, count: int) -> bytes:
        self._kept += count
        if self._kept > _MAX_KEPT_BYTES:
            self._damaged("too much metadata")
        return self._take(count)

    def _take(self, count: int) -> bytes:
        self._position += count
        if self._position > self._size:
            self._damaged("the file ends within its header")
        data = self._file.read(count)
        if len(data) < count:
            self._damaged("the file became shorter while it was read")
        return data

    def _skip(self, count: int) -> None:
        self._position += count
        if self._position > self._size:
            self._damaged("the file ends within its header")
        self._file.seek(self._position)

    def _damaged(self, details: str) -> NoReturn:
        raise ModelFileDamaged(self._path, details)
