"""Puts a model file into memory, and says precisely why where that fails."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from engines.errors import (
    EngineError,
    ModelFileDamaged,
    NotAChatModel,
    NotEnoughMemory,
    OptionRejected,
    UnsupportedModel,
)
from engines.flash_attention import BATCH_WITHOUT, uses_flash_attention
from engines.gguf import FileKind, GgufHeader, read_header
from engines.llama_cpp import cores, native
from engines.memory import available_memory, estimate_memory
from engines.options import LOAD_LIMITS, MOST_ADAPTER_SCALE
from engines.protocol import LoadOptions, LoraAdapter

_MOST_BLOCKS = 512  # LLAMA_MAX_LAYERS; llama.cpp ends the process beyond it
_CACHE_TYPES = {"f16": "GGML_TYPE_F16", "q8_0": "GGML_TYPE_Q8_0", "q4_0": "GGML_TYPE_Q4_0"}

# What llama.cpp writes into its log; the first that fits decides.
_REASONS: tuple[tuple[str, type[ModelFileDamaged] | type[UnsupportedModel] | type[NotEnoughMemory]], ...] = (
    (r"unknown model architecture|unknown pre-tokenizer|unsupported|not supported|unknown tokenizer",
     UnsupportedModel),
    (r"alloc|out of memory|mmap failed|cannot allocate|bad_alloc", NotEnoughMemory),
)  # fmt: skip


def check_options(options: LoadOptions) -> None:
    """Refuse options that would end the process or the machine's peace.

    Raises:
        OptionRejected: names the first one.
    """
    for option, (least, most) in LOAD_LIMITS.items():
        value = getattr(options, option)
        if value is not None and not least <= value <= most:
            raise OptionRejected(option, f"{value} is not within {least} and {most}")
    if options.kv_cache_type not in _CACHE_TYPES:
        raise OptionRejected("kv_cache_type", f"{options.kv_cache_type} is none of {', '.join(_CACHE_TYPES)}")
    if options.kv_cache_type != "f16" and options.flash_attention is False:
        raise OptionRejected("kv_cache_type", "other types than f16 need flash attention")
    check_scales(options.adapters)


def check_scales(adapters: Sequence[LoraAdapter]) -> None:
    """Refuse scales that make noise of every answer.

    Raises:
        OptionRejected: names the option.
    """
    for adapter in adapters:
        if not -MOST_ADAPTER_SCALE <= adapter.scale <= MOST_ADAPTER_SCALE:  # also not a number
            raise OptionRejected("adapters", f"scale {adapter.scale} is not within ±{MOST_ADAPTER_SCALE}")


def check_file(path: Path) -> GgufHeader:
    """Read the header, and refuse files that are no chat models.

    Raises:
        ModelFileMissing, ModelFileUnreadable, NotAModel, ModelFileDamaged, UnsupportedModel: see
            `engines.gguf.read_header`.
        NotAChatModel: an adapter, projector, embedding model or the like.
    """
    header = read_header(path)
    if header.kind is not FileKind.LANGUAGE_MODEL:
        raise NotAChatModel(path, header.kind.value)
    if not 1 <= header.block_count <= _MOST_BLOCKS:
        raise ModelFileDamaged(path, f"{header.block_count} blocks")
    return header


def load_model(
    library: ModuleType, header: GgufHeader, options: LoadOptions, progress: Callable[[], None]
) -> Any:
    """Load the weights; `progress` is called now and then meanwhile.

    Raises:
        ModelFileDamaged, UnsupportedModel, NotEnoughMemory: by what llama.cpp's log says.
    """
    parameters = library.llama_model_default_params()
    layers = -1 if options.gpu_layers is None else options.gpu_layers
    parameters.n_gpu_layers = layers if library.llama_supports_gpu_offload() else 0
    if hasattr(parameters, "load_mode"):
        mode = ["MMAP"] * options.use_mmap + ["MLOCK"] * options.use_mlock
        parameters.load_mode = getattr(library, f"LLAMA_LOAD_MODE_{'_'.join(mode) or 'NONE'}")
    else:
        parameters.use_mmap, parameters.use_mlock = options.use_mmap, options.use_mlock

    def go_on(_: float, __: object) -> bool:
        progress()
        return True

    callback = library.llama_progress_callback(go_on)
    parameters.progress_callback = callback
    native.log.clear()
    model = library.llama_model_load_from_file(os.fsencode(header.path), parameters)
    if not model:
        raise failure(header, options, native.log.problems())
    if not library.llama_model_has_decoder(model) or library.llama_model_has_encoder(model):
        library.llama_model_free(model)
        raise UnsupportedModel(header.path, "has an encoder")
    if library.llama_model_is_diffusion(model):
        library.llama_model_free(model)
        raise UnsupportedModel(header.path, "a diffusion model")
    return model


def make_context(library: ModuleType, model: Any, header: GgufHeader, options: LoadOptions) -> Any:
    """Reserve the memory in which a conversation is held.

    The context never exceeds what the model was trained on: beyond it, answers turn into noise.

    Raises:
        NotEnoughMemory: it cannot be had.
        UnsupportedModel: llama.cpp refuses for another reason.
    """
    trained = header.trained_context or options.context_tokens
    physical = cores.physical_cores()
    parameters = library.llama_context_default_params()
    parameters.n_ctx = min(options.context_tokens, trained)
    on_card = bool(library.llama_supports_gpu_offload()) and options.gpu_layers != 0
    flash_attention = uses_flash_attention(options, graphics_card=on_card)
    parameters.n_batch = options.batch_tokens
    parameters.n_ubatch = (
        options.batch_tokens if flash_attention else min(options.batch_tokens, BATCH_WITHOUT)
    )
    parameters.type_k = parameters.type_v = getattr(library, _CACHE_TYPES[options.kv_cache_type])
    parameters.n_threads = options.threads or cores.generation_threads(physical)
    parameters.n_threads_batch = options.prompt_threads or physical
    parameters.flash_attn_type = (
        library.LLAMA_FLASH_ATTN_TYPE_AUTO if flash_attention else library.LLAMA_FLASH_ATTN_TYPE_DISABLED
    )
    # Keeps all of Gemma's local layers: going back in a conversation would otherwise silently read a hole.
    parameters.swa_full = True
    parameters.no_perf = True
    native.log.clear()
    context = library.llama_init_from_model(model, parameters)
    if not context:
        problems = native.log.problems()
        if re.search(r"alloc|memory|buffer", problems, re.IGNORECASE):
            raise _not_enough_memory(header, options, problems)
        raise UnsupportedModel(header.path, problems)
    return context


def failure(header: GgufHeader, options: LoadOptions, problems: str) -> EngineError:
    """Why a model could not be loaded, by what llama.cpp wrote into its log."""
    for pattern, kind in _REASONS:
        if re.search(pattern, problems, re.IGNORECASE):
            if kind is NotEnoughMemory:
                return _not_enough_memory(header, options, problems)
            return UnsupportedModel(header.path, problems)
    return ModelFileDamaged(header.path, problems)


def _not_enough_memory(header: GgufHeader, options: LoadOptions, problems: str) -> NotEnoughMemory:
    return NotEnoughMemory(estimate_memory(header, options).total, available_memory(), problems)
