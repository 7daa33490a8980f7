"""LoRA adapters of one loaded model: loaded once, put in and out between answers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from engines.errors import AdapterUnusable
from engines.llama_cpp import native
from engines.lora import read_adapter
from engines.protocol import LoraAdapter


class Adapters:
    """Those that were ever asked for stay in memory until the model is freed: they are small."""

    def __init__(self, library: ModuleType, model: Any, architecture: str) -> None:
        self._library = library
        self._model = model
        self._architecture = architecture
        self._handles: dict[Path, Any] = {}

    def load(self, wanted: Sequence[LoraAdapter]) -> None:
        """Bring adapters into memory.

        Raises:
            AdapterUnusable: a file is missing, or is no adapter for this model.
        """
        for adapter in wanted:
            if adapter.path not in self._handles:
                self._handles[adapter.path] = self._read(adapter.path)

    def apply(self, context: Any, wanted: Sequence[LoraAdapter]) -> None:
        """Use exactly these, which are loaded, from the next token on."""
        library = self._library
        handles = (library.llama_adapter_lora_p_ctypes * len(wanted))(
            *(self._handles[adapter.path] for adapter in wanted)
        )
        scales = (library.ctypes.c_float * len(wanted))(*(adapter.scale for adapter in wanted))
        library.llama_set_adapters_lora(context, handles, len(wanted), scales)

    def _read(self, path: Path) -> Any:
        read_adapter(path, self._architecture)
        native.log.clear()
        handle = self._library.llama_adapter_lora_init(self._model, os.fsencode(path))
        if not handle:
            raise AdapterUnusable(path, native.log.problems())
        return handle
