"""LoRA adapters as files: what can be known of one before any model is loaded."""

from __future__ import annotations

from pathlib import Path

from engines.errors import AdapterUnusable, ModelFileError
from engines.gguf import FileKind, GgufHeader, read_header, tensor_shapes


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


def check_fit(adapter: Path, model: Path) -> None:
    """Refuse an adapter of another model, though it be of the same architecture: its size differs.

    The same tests as llama.cpp's, which makes them only when the adapter is loaded.

    Raises:
        AdapterUnusable: a matrix that it changes is not in the model, or has another shape there.
        ModelFileError: the model cannot be read.
    """
    there = tensor_shapes(model)
    try:
        brought = tensor_shapes(adapter)
    except ModelFileError as error:
        raise AdapterUnusable(adapter, type(error).__name__) from error
    changed = {name.removesuffix(_FIRST) for name in brought if name.endswith(_FIRST)}
    if not changed:
        raise AdapterUnusable(adapter, "changes nothing")
    for name in changed:
        first, second = brought[name + _FIRST], brought.get(name + _SECOND, ())
        wanted = there.get(name, ())
        if name == _EMBEDDING:  # whose first matrix comes transposed
            wanted, shape = wanted[::-1], (*first[1:2], *second[1:2])
        else:
            shape = (*first[:1], *second[1:2])
        if shape != wanted[:2]:
            raise AdapterUnusable(adapter, f"{name} is {shape} there, {wanted} in the model")


_FIRST, _SECOND = ".lora_a", ".lora_b"
_EMBEDDING = "token_embd.weight"
