"""Opens a model file: the one way from a path to an `Engine`."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from typing import Literal

from engines.llama_cpp.engine import LlamaCppEngine
from engines.llama_cpp.loading import check_file, check_options
from engines.llama_cpp.process_channel import ProcessChannel, children_possible
from engines.llama_cpp.thread_channel import ThreadChannel
from engines.protocol import Engine, LoadOptions

Host = Literal["auto", "process", "thread"]

HOST_VARIABLE = "DAI_ENGINE_HOST"
"""Environment variable that decides where `host="auto"` leaves it open: "process" or "thread"."""

_DEFAULT_OPTIONS = LoadOptions()

log = logging.getLogger(__name__)


async def open_engine(path: Path, options: LoadOptions = _DEFAULT_OPTIONS, *, host: Host = "auto") -> Engine:
    """Load a chat model. Close the engine after use.

    Args:
        path: a GGUF file.
        options: how to load it.
        host: where the model runs. "process" is a child process, so that a crash of llama.cpp costs one
            answer; "thread" is this process, for phones; "auto" prefers the first.

    A base model, which has no chat template, opens too; its `stream` raises `NoChatTemplate`.

    Raises:
        ModelFileMissing: there is no such file.
        ModelFileUnreadable: the system does not let it be read.
        NotAModel: it is a folder, empty, or not GGUF.
        ModelFileDamaged: it is truncated or contradicts itself.
        UnsupportedModel: llama.cpp does not run its architecture.
        NotAChatModel: it is an adapter, a projector or an embedding model.
        TemplateFailed: its chat template is not Jinja.
        NotEnoughMemory: the system refuses the memory.
        OptionRejected: an option is out of its range.
        EngineUnavailable: llama-cpp-python is not installed.
        EngineCrashed, EngineStuck: its process died or froze while loading.
    """
    check_options(options)
    await asyncio.to_thread(check_file, path)
    if in_process(host):
        engine = LlamaCppEngine(path, options, ProcessChannel)
        try:
            await engine.open()
        except OSError:
            if host == "process":
                raise
            log.warning("no child process can be started; the engine runs in a thread")
        else:
            return engine
    engine = LlamaCppEngine(path, options, ThreadChannel)
    await engine.open()
    return engine


def in_process(host: Host) -> bool:
    """Whether a model opened with this choice gets a process of its own."""
    chosen = os.environ.get(HOST_VARIABLE, "") if host == "auto" else host
    return chosen == "process" or (chosen != "thread" and children_possible())
