"""Reads what a GGUF file says of itself, without loading the model."""

from __future__ import annotations

import errno
import os
import stat
from collections import Counter
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from engines.errors import (
    ModelFileDamaged,
    ModelFileError,
    ModelFileMissing,
    ModelFileUnreadable,
    ModelPartMissing,
    NotAModel,
)
from engines.gguf_format import GgufContents, GgufReader, Tensor, Value
from engines.gguf_sampling import advised_sampling
from engines.model_name import model_name, readable
from engines.protocol import Sampling
from engines.split_files import part_name, parts_beside
from engines.tensor_types import FILE_TYPES

_MAX_BLOCKS = 4_096
_NO_ADVICE = Sampling()
_NO_SUCH_FILE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL})

_EMBEDDING_ARCHITECTURES = frozenset(
    {
        "bert",
        "eurobert",
        "gemma-embedding",
        "jina-bert-v2",
        "jina-bert-v3",
        "llama-embed",
        "modern-bert",
        "neo-bert",
        "nomic-bert",
        "nomic-bert-moe",
        "t5encoder",
    }
)


class FileKind(StrEnum):
    """What a GGUF file is for."""

    LANGUAGE_MODEL = "language_model"
    EMBEDDING_MODEL = "embedding_model"
    ADAPTER = "adapter"
    """A LoRA or a control vector: changes another model."""
    PROJECTOR = "projector"
    """The eyes or ears of another model."""
    OTHER = "other"
    """A vocabulary, an importance matrix, and the like."""


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """The facts of a model file that are known before it is loaded."""

    path: Path
    file_bytes: int
    """Of all parts together."""
    version: int
    kind: FileKind
    architecture: str
    name: str
    """What people call it: see `engines.model_name`."""
    declared_name: str
    """What the metadata call it, which may be the name of a training run; empty where they do not tell."""
    quantisation: str
    """As people write it: "Q4_K_M", "F16"."""
    parameters: int
    tensor_count: int
    tensor_bytes: int
    trained_context: int
    """Tokens that the model was trained on at once; 0 where the file does not tell."""
    vocabulary: int
    tokenizer: str
    """The tokenizer's kind, such as "gpt2", "llama" or "bert"."""
    chat_template: str | None
    embedding_length: int
    block_count: int
    head_count: int
    kv_heads: tuple[int, ...]
    """Key-value heads of each block; 0 for a block without attention."""
    key_length: int
    """Components of one key head."""
    value_length: int
    """Components of one value head."""
    sliding_window: int
    """Tokens that the local layers look back; 0 for a model without such layers."""
    pooling: int
    """How an embedding model makes one vector out of many (llama.cpp's numbers); 0 for none."""
    file_parts: int
    """Files that the model was split into; 1 for nearly all. Then `path` is the first of them."""
    data_start: int
    """Where the tensors' bytes begin in the file; in the first, if there are several."""
    sampling: Sampling = _NO_ADVICE
    """What the file advises, as far as it does."""

    @property
    def has_chat_template(self) -> bool:
        """Whether the model can hold a conversation; a base model only continues text."""
        return self.chat_template is not None

    @property
    def paths(self) -> tuple[Path, ...]:
        """All files of the model."""
        return parts_beside(self.path) if self.file_parts > 1 else (self.path,)


def read_header(path: Path) -> GgufHeader:
    """Read and check a model file's header, or those of all parts it is split into; any of them may be named.

    Takes less than 0.1 s for the largest vocabularies. The tensors' bytes are not read, but each must lie
    within the file, so a download that was cut off is found here.

    Raises:
        ModelFileMissing: there is no such file.
        ModelPartMissing: another part is not there, or not under its name.
        ModelFileUnreadable: the system does not let it be read.
        NotAModel: it is empty, a folder, or not GGUF.
        ModelFileDamaged: it is truncated or contradicts itself.
        UnsupportedModel: a GGUF version, byte order or tensor type that no engine here reads.
    """
    return _describe(*_read_model(path))


def tensor_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The extents of every tensor by its name, the one whose elements lie next to each other first.

    Raises:
        ModelFileError: as `read_header`.
    """
    return {tensor.name: tensor.shape for tensor in _read_model(path)[2].tensors}


def _read_model(path: Path) -> tuple[Path, int, GgufContents]:
    """The file, its size and what it holds; of a split model the first part, and the others' tensors too."""
    size, contents = _read(path)
    count = contents.metadata.get("split.count")
    if not isinstance(count, int) or count <= 1:
        return path, size, contents
    return _read_parts(path, count, {path: (size, contents)})


def _read(path: Path) -> tuple[int, GgufContents]:
    """A file's size and what it holds; raises as `read_header`."""
    try:
        with path.open("rb", buffering=1 << 20) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise NotAModel(path, "not a regular file")
            return status.st_size, GgufReader(path, file, status.st_size).read()
    except IsADirectoryError as error:
        raise NotAModel(path, "a folder") from error
    except OSError as error:
        if is_folder(path):  # Windows says "permission denied"
            raise NotAModel(path, "a folder") from error
        raise unreadable(path, error) from error
    except ValueError as error:  # a path with a NUL character
        raise ModelFileMissing(path, str(error)) from error


def _read_parts(
    path: Path, count: int, read: dict[Path, tuple[int, GgufContents]]
) -> tuple[Path, int, GgufContents]:
    """The whole model of which `path` is a part."""
    named = part_name(path)
    if named is None or named.count != count:
        raise ModelPartMissing(path, f"one of {count} parts under another name")
    size, tensors = 0, list[Tensor]()
    paths = parts_beside(path)
    for number, part in enumerate(paths):
        try:
            read[part] = read.get(part) or _read(part)
        except ModelFileMissing as error:
            raise ModelPartMissing(part, f"part {number + 1} of {count}") from error
        part_bytes, contents = read[part]
        metadata = contents.metadata
        if (metadata.get("split.no"), metadata.get("split.count")) != (number, count):
            raise ModelFileDamaged(part, "not the part that its name tells")
        size += part_bytes
        tensors += contents.tensors
    first = paths[0]
    contents = read[first][1]
    if contents.metadata.get("split.tensors.count", len(tensors)) != len(tensors):
        raise ModelFileDamaged(first, "parts of different models")
    return first, size, replace(contents, tensors=tuple(tensors))


def is_folder(path: Path) -> bool:
    """Whether it is a folder, as far as the system tells."""
    try:
        return path.is_dir()
    except OSError:  # a link into a folder of somebody else
        return False


def unreadable(path: Path, error: OSError) -> ModelFileError:
    """What a system error on a model file means for the user."""
    kind = ModelFileMissing if error.errno in _NO_SUCH_FILE else ModelFileUnreadable
    return kind(path, error.strerror or type(error).__name__)


def _describe(path: Path, size: int, contents: GgufContents) -> GgufHeader:
    """Put the facts together; what has the wrong type counts as not told."""
    metadata, tensors = contents.metadata, contents.tensors

    def text(key: str) -> str:
        value = metadata.get(key)
        return value if isinstance(value, str) else ""

    def number(key: str) -> int:
        value = metadata.get(key)
        if isinstance(value, tuple):  # some models tell it layer by layer
            value = max((item for item in value if isinstance(item, int)), default=0)
        return value if isinstance(value, int) and 0 <= value < 1 << 40 else 0

    architecture = text("general.architecture")
    if not architecture:
        raise ModelFileDamaged(path, "no architecture")

    def own(key: str) -> int:
        return number(f"{architecture}.{key}")

    heads = own("attention.head_count")
    head_length = own("embedding_length") // heads if heads else 0
    template = text("tokenizer.chat_template")
    return GgufHeader(
        path=path,
        file_bytes=size,
        version=contents.version,
        kind=_kind(architecture, text("general.type"), own("pooling_type"), bool(tensors)),
        architecture=architecture,
        name=model_name(text("general.name"), path.stem) or architecture,
        declared_name=readable(text("general.name")),
        quantisation=_quantisation(metadata.get("general.file_type"), tensors),
        parameters=sum(tensor.elements for tensor in tensors),
        tensor_count=len(tensors),
        tensor_bytes=sum(tensor.bytes for tensor in tensors),
        trained_context=own("context_length"),
        vocabulary=contents.array_lengths.get("tokenizer.ggml.tokens", 0) or own("vocab_size"),
        tokenizer=text("tokenizer.ggml.model"),
        chat_template=template or None,
        embedding_length=own("embedding_length"),
        block_count=own("block_count"),
        head_count=heads,
        kv_heads=_kv_heads(
            metadata.get(f"{architecture}.attention.head_count_kv"), heads, own("block_count")
        ),
        key_length=own("attention.key_length") or head_length,
        value_length=own("attention.value_length") or head_length,
        sliding_window=own("attention.sliding_window"),
        pooling=own("pooling_type"),
        file_parts=max(1, number("split.count")),
        data_start=contents.data_start,
        sampling=advised_sampling(metadata),
    )


def _kind(architecture: str, declared: str, pooling: int, has_tensors: bool) -> FileKind:
    if declared == "adapter" or architecture == "controlvector":
        return FileKind.ADAPTER
    if declared == "mmproj" or architecture == "clip":
        return FileKind.PROJECTOR
    if declared not in ("", "model") or not has_tensors:
        return FileKind.OTHER
    if pooling or architecture in _EMBEDDING_ARCHITECTURES:
        return FileKind.EMBEDDING_MODEL
    return FileKind.LANGUAGE_MODEL


def _quantisation(file_type: Value | None, tensors: tuple[Tensor, ...]) -> str:
    if isinstance(file_type, int) and file_type in FILE_TYPES:
        return FILE_TYPES[file_type]
    bytes_of: Counter[str] = Counter()
    for tensor in tensors:
        if tensor.dimensions > 1:  # norms and biases stay F32 in every file
            bytes_of[tensor.kind.label] += tensor.bytes
    return bytes_of.most_common(1)[0][0] if bytes_of else ""


def _kv_heads(told: Value | None, heads: int, blocks: int) -> tuple[int, ...]:
    if isinstance(told, tuple):
        return tuple(item if isinstance(item, int) and item > 0 else 0 for item in told)
    each = told if isinstance(told, int) and told > 0 else heads
    return (each,) * min(blocks, _MAX_BLOCKS)
