"""llama.cpp's server inside this process, as xllamacpp brings it.

It cannot be kept from listening on a port of this device, so a key that nobody else knows guards it. Answers
do not go that way; only what xllamacpp has no function for does: the vocabulary.
"""

from __future__ import annotations

import http.client
import os
import secrets
import tempfile
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from engines.errors import EngineCrashed, EngineUnavailable, OptionRejected
from engines.gguf import GgufHeader
from engines.llama_cpp import cores
from engines.llama_cpp.loading import failure
from engines.protocol import LoadOptions

PACKAGE = "xllamacpp"
ANSWERS_AT_ONCE = 4

_SECONDS = 60.0
_LOG_BYTES = 20_000
_LOG_SECONDS = 5.0
_LOG_PAUSE_SECONDS = 0.05


class LocalServer:
    """A model in memory."""

    def __init__(self, header: GgufHeader, options: LoadOptions) -> None:
        """Load it.

        Raises:
            EngineUnavailable: xllamacpp is not installed.
            OptionRejected: an option that this engine does not have.
            ModelFileDamaged, UnsupportedModel, NotEnoughMemory: by what llama.cpp's log says.
        """
        xllamacpp = load_library()
        self._key = secrets.token_hex(32)
        self.context_tokens = min(options.context_tokens, header.trained_context or options.context_tokens)
        parameters = _parameters(xllamacpp, header, options, self.context_tokens, self._key)
        log = ""
        with _Errors() as errors:
            try:
                self._server = xllamacpp.Server(parameters)
            except RuntimeError:
                log = errors.read()
        if log or not hasattr(self, "_server"):
            raise failure(header, options, log)
        address = urlsplit(self._server.listening_address)
        self._host, self._port = address.hostname or "127.0.0.1", address.port

    def complete(self, request: Mapping[str, object], take: Callable[[dict[str, Any]], bool]) -> None:
        """Answer a prompt; `take` gets each chunk and says whether that is enough. Thread-safe."""
        self._server.handle_completions(dict(request), take)

    def ask(self, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        """Ask the server through its port.

        Raises:
            EngineCrashed: it does not answer.
        """
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_SECONDS)
        try:
            connection.request(
                "GET" if body is None else "POST",
                path,
                None if body is None else msgspec.json.encode(body),
                {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"},
            )
            response = connection.getresponse()
            content = response.read()
            if response.status != http.client.OK:
                raise EngineCrashed(f"{path}: HTTP {response.status}")
            return msgspec.json.decode(content, type=dict[str, Any])
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise EngineCrashed(f"{path}: {type(error).__name__}") from error
        finally:
            connection.close()


def load_library() -> Any:
    """Import xllamacpp.

    Raises:
        EngineUnavailable: it is not installed, or its library does not load on this machine.
    """
    try:
        import xllamacpp
    except (ImportError, OSError) as error:
        raise EngineUnavailable(PACKAGE, str(error)) from error
    return xllamacpp


def _parameters(
    xllamacpp: Any, header: GgufHeader, options: LoadOptions, context_tokens: int, key: str
) -> Any:
    if options.adapters:
        raise OptionRejected("adapters", "only llama.cpp takes adapters")
    physical = cores.physical_cores()
    parameters = xllamacpp.CommonParams()
    parameters.model.path = os.fspath(header.path)
    parameters.n_ctx = context_tokens
    # One pool for all answers: as much memory as for one of them, and one alone may fill it.
    parameters.n_parallel, parameters.kv_unified = ANSWERS_AT_ONCE, True
    parameters.n_batch = parameters.n_ubatch = options.batch_tokens
    parameters.cpuparams.n_threads = options.threads or cores.generation_threads(physical)
    parameters.cpuparams_batch.n_threads = options.prompt_threads or physical
    parameters.n_gpu_layers = -1 if options.gpu_layers is None else options.gpu_layers
    cache_type = getattr(xllamacpp.ggml_type, f"GGML_TYPE_{options.kv_cache_type.upper()}")
    parameters.cache_type_k = parameters.cache_type_v = cache_type
    flash_attention = "DISABLED" if options.flash_attention is False else "AUTO"
    parameters.flash_attn_type = getattr(
        xllamacpp.llama_flash_attn_type, f"LLAMA_FLASH_ATTN_TYPE_{flash_attention}"
    )
    modes = {
        (False, False): "NONE",
        (True, False): "MMAP",
        (False, True): "MLOCK",
        (True, True): "MMAP_MLOCK",
    }
    mode = modes[options.use_mmap, options.use_mlock]
    parameters.load_mode = getattr(xllamacpp.llama_load_mode, f"LLAMA_LOAD_MODE_{mode}")
    parameters.cache_ram_mib = options.prefix_cache_bytes >> 20
    parameters.swa_full = True  # see engines.llama_cpp.loading
    parameters.fit_params = parameters.warmup = False
    # Templates are rendered in engines.llama_cpp.chat_template; a broken one must not end the loading.
    parameters.chat_template = "chatml"
    parameters.api_keys, parameters.hostnames, parameters.ui = [key], ["127.0.0.1"], False
    parameters.cors_origins, parameters.endpoint_slots = "", False
    parameters.verbosity = 1
    return parameters


class _Errors:
    """What C code writes to standard error, within a block."""

    def __enter__(self) -> _Errors:
        self._file = tempfile.TemporaryFile()
        self._saved = os.dup(2)
        os.dup2(self._file.fileno(), 2)
        return self

    def read(self) -> str:
        """All of it, or its end. llama.cpp writes it from another thread, so it may come a moment later."""
        end, deadline = 0, time.monotonic() + _LOG_SECONDS
        while time.monotonic() < deadline:
            before, end = end, self._file.seek(0, os.SEEK_END)
            if before == end > 0:
                break
            time.sleep(_LOG_PAUSE_SECONDS)
        self._file.seek(max(0, end - _LOG_BYTES))
        return self._file.read().decode("utf-8", "replace").strip()

    def __exit__(self, *_: object) -> None:
        os.dup2(self._saved, 2)
        os.close(self._saved)
        self._file.close()
