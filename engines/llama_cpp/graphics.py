"""The graphics cards that llama-cpp-python can use; `python -m engines.llama_cpp.graphics` prints them."""

from __future__ import annotations

import ctypes
import importlib
from collections.abc import Callable
from typing import Any

import msgspec

from engines.errors import EngineError
from engines.graphics import GraphicsCard
from engines.llama_cpp import native
from engines.llama_cpp.child import take_pipes

GRAPHICS_TYPES = frozenset({1, 2})
"""GGML_BACKEND_DEVICE_TYPE_GPU and _IGPU of ggml-backend.h; the others are processors."""


def find_cards() -> tuple[GraphicsCard, ...]:
    """The cards of this device; none where the library was built without support for any.

    Raises:
        EngineUnavailable: llama-cpp-python is not installed, or does not load here.
    """
    library = native.load_library()
    if not library.llama_supports_gpu_offload():
        return ()
    return _listed()


def print_cards(find: Callable[[], tuple[GraphicsCard, ...]]) -> None:
    """Print the cards as JSON and nothing else; where there is no telling, the reason as a text."""
    _, answer = take_pipes()
    found: tuple[GraphicsCard, ...] | str
    try:
        found = find()
    except EngineError as error:
        found = str(error)
    with answer:
        answer.write(msgspec.json.encode(found))


def _listed() -> tuple[GraphicsCard, ...]:
    """ggml's own list, for which llama-cpp-python has no functions; without it, a card without a name."""
    try:
        ggml: Any = importlib.import_module("llama_cpp._ggml").libggml
        count, device = ggml.ggml_backend_dev_count, ggml.ggml_backend_dev_get
        kind, registry = ggml.ggml_backend_dev_type, ggml.ggml_backend_dev_backend_reg
        description, backend = ggml.ggml_backend_dev_description, ggml.ggml_backend_reg_name
        memory = ggml.ggml_backend_dev_memory
    except (ImportError, AttributeError):  # of another version
        return (GraphicsCard("", "", 0),)
    count.restype = ctypes.c_size_t
    device.restype, device.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    kind.restype, kind.argtypes = ctypes.c_int, [ctypes.c_void_p]
    registry.restype = ctypes.c_void_p
    description.restype = backend.restype = ctypes.c_char_p
    for call in (registry, description, backend):
        call.argtypes = [ctypes.c_void_p]
    sizes = ctypes.POINTER(ctypes.c_size_t)
    memory.restype, memory.argtypes = None, [ctypes.c_void_p, sizes, sizes]

    def card(one: int) -> GraphicsCard:
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        memory(one, ctypes.byref(free), ctypes.byref(total))
        return GraphicsCard(_text(backend(registry(one))), _text(description(one)), total.value)

    devices = [device(number) for number in range(count())]
    return tuple(card(one) for one in devices if kind(one) in GRAPHICS_TYPES)


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode("utf-8", "replace")


if __name__ == "__main__":
    print_cards(find_cards)
