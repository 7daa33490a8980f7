"""LoRA adapters as files: what can be known of one before any model is loaded."""

from __future__ import annotations

from pathlib import Path

from engines.errors import AdapterUnusable, ModelFileError
from engines.gguf import FileKind, GgufHeader, read_header


def read_adapter(path: Path, architecture: str) -> GgufHeader:
    """The header of an adapter for models of this architecture.

    Whether it fits the very model, with its size and number of layers, is seen when it is loaded.

    Raises:
        AdapterUnusable: the file is missing or damaged, is no adapter, or is one for another architecture.
    """
    try:
        header = read_header(path)
    except ModelFileError as error:
        raise AdapterUnusable(path, type(error).__name__) from error
    if header.kind is not FileKind.ADAPTER:
        raise AdapterUnusable(path, f"a {header.kind.value}")
    if header.architecture != architecture:
        raise AdapterUnusable(path, f"made for {header.architecture}, not {architecture}")
    return header
