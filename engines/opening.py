"""Opens a model: the one way from a file or an address to an `Engine`."""

from __future__ import annotations

import asyncio
import logging
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from engines.errors import EngineUnavailable, RemoteAddressInvalid
from engines.graphics import GraphicsCard, cards_of
from engines.llama_cpp.engine import LlamaCppEngine
from engines.llama_cpp.loading import check_file, check_options
from engines.llama_cpp.process_channel import ProcessChannel, children_possible
from engines.protocol import Engine, LoadOptions
from engines.registry import EngineRegistry, Source
from engines.remote.address import is_model_address, read_model_address
from engines.remote.connection import NO_KEY, ServerAccess
from engines.remote.engine import RemoteEngine
from engines.xllamacpp.engine import XllamacppEngine
from engines.xllamacpp.server import PACKAGE

Host = Literal["auto", "process", "thread"]

HOST_VARIABLE = "DAI_ENGINE_HOST"
"""Environment variable that decides where `host="auto"` leaves it open: "process" or "thread"."""

ENGINE_VARIABLE = "DAI_ENGINE"
"""Environment variable that decides where `engine="auto"` leaves open which one runs a file: its name."""

_DEFAULT_OPTIONS = LoadOptions()

log = logging.getLogger(__name__)


class LlamaCpp:
    """Models in GGUF files, run on this device by llama-cpp-python."""

    name = "llama.cpp"

    def can_open(self, source: Source) -> bool:
        """Whether it is a GGUF file."""
        return _is_gguf(source)

    async def open(self, source: Source, options: LoadOptions, access: ServerAccess = NO_KEY) -> Engine:
        """Load a file where the environment wants it to run."""
        return await _open_file(Path(source), options, "auto")


class Xllamacpp:
    """The same files, run by xllamacpp: several answers at once, and no compiler needed to install it."""

    name = "xllamacpp"

    def can_open(self, source: Source) -> bool:
        """Whether it is a GGUF file, and this device has what it takes."""
        return _is_gguf(source) and children_possible() and find_spec(PACKAGE) is not None

    async def open(self, source: Source, options: LoadOptions, access: ServerAccess = NO_KEY) -> Engine:
        """Load a file in a child process."""
        path = Path(source)
        check_options(options)
        await asyncio.to_thread(check_file, path)
        if not children_possible():
            raise EngineUnavailable(PACKAGE, "it needs a child process")
        engine = XllamacppEngine(path, options)
        await engine.open()
        return engine


class Remote:
    """Models of a server: addresses such as `http://192.168.1.20:11434/v1#qwen3:4b`."""

    name = "remote"

    def can_open(self, source: Source) -> bool:
        """Whether it is the address of a model."""
        return isinstance(source, str) and is_model_address(source)

    async def open(self, source: Source, options: LoadOptions, access: ServerAccess = NO_KEY) -> Engine:
        """See whether the server is there; no prompt is sent for that."""
        server, model = read_model_address(str(source))
        engine = RemoteEngine(server, model, options, access)
        try:
            await engine.open()
        except BaseException:
            await engine.close()
            raise
        return engine


_XLLAMACPP = Xllamacpp()
ENGINES = EngineRegistry([LlamaCpp(), _XLLAMACPP, Remote()])
"""All engines of this program."""


async def open_engine(
    source: Source,
    options: LoadOptions = _DEFAULT_OPTIONS,
    *,
    host: Host = "auto",
    engine: str = "auto",
    access: ServerAccess = NO_KEY,
) -> Engine:
    """Open a chat model. Close the engine after use.

    Args:
        source: a file, or the address of a model on a server.
        options: how to load it.
        host: where llama.cpp runs a file. "process" is a child process, so that a crash of llama.cpp costs
            one answer; "thread" is this process, for phones; "auto" prefers the first.
        engine: the name of an engine (`ENGINES.names`); "auto" takes the one that the environment names for
            files, else the first that can open the model, and xllamacpp where llama-cpp-python does not work.
        access: key and proxy, where the model is on a server.

    A base model, which has no chat template, opens too; its `stream` raises `NoChatTemplate`.

    Raises:
        ModelFileMissing: there is no such file.
        ModelFileUnreadable: the system does not let it be read.
        NotAModel: it is a folder, empty, or no model of any engine.
        ModelFileDamaged: it is truncated or contradicts itself.
        UnsupportedModel: llama.cpp does not run its architecture.
        NotAChatModel: it is an adapter, a projector or an embedding model.
        TemplateFailed: its chat template is not Jinja.
        NotEnoughMemory: the system refuses the memory.
        OptionRejected: an option is out of its range.
        EngineUnavailable: there is no such engine, or its library is not installed.
        EngineCrashed, EngineStuck: its process died or froze while loading.
        RemoteError: its leaf says what is wrong with the server.
    """
    if engine == "auto" and isinstance(source, Path):
        engine = os.environ.get(ENGINE_VARIABLE) or "auto"
    kind = await ENGINES.find(source) if engine == "auto" else await asyncio.to_thread(ENGINES.get, engine)
    if kind is not None and kind.name != LlamaCpp.name:
        return await ENGINES.open(kind, source, options, access)
    if isinstance(source, str):
        raise RemoteAddressInvalid("", "no address of a model")
    try:
        return await _open_file(source, options, host)  # also one that is no model: it says in what way
    except EngineUnavailable:
        if engine != "auto" or host == "thread" or not await asyncio.to_thread(_XLLAMACPP.can_open, source):
            raise
        log.warning("llama-cpp-python is missing or broken; xllamacpp runs the model")
        return await _XLLAMACPP.open(source, options)


def graphics_cards() -> tuple[GraphicsCard, ...]:
    """The graphics cards on which a model file would be computed here; none: on the processor.

    An engine of another package tells nothing of cards. The first call takes about half a second.

    Raises:
        EngineUnavailable: no library is installed that could run a file.
        EngineCrashed: the library, or the driver of a card, does not bear being asked.
    """
    engine = os.environ.get(ENGINE_VARIABLE) or "auto"
    if engine == _XLLAMACPP.name:
        return cards_of("engines.xllamacpp.graphics", isolated=True)
    if engine not in ("auto", LlamaCpp.name):
        return ()
    try:
        return cards_of("engines.llama_cpp.graphics", isolated=in_process("auto"))
    except EngineUnavailable:
        if engine != "auto" or not (children_possible() and find_spec(PACKAGE) is not None):
            raise
        return cards_of("engines.xllamacpp.graphics", isolated=True)


def _is_gguf(source: Source) -> bool:
    if not isinstance(source, Path) or not source.is_file():
        return False
    try:
        with source.open("rb") as file:
            return file.read(4) == b"GGUF"
    except OSError:
        return False


async def _open_file(path: Path, options: LoadOptions, host: Host) -> Engine:
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
    # It brings templates and constraints along, which a program with an engine process need not have.
    from engines.llama_cpp.thread_channel import ThreadChannel

    engine = LlamaCppEngine(path, options, ThreadChannel)
    await engine.open()
    return engine


def in_process(host: Host) -> bool:
    """Whether a model opened with this choice gets a process of its own."""
    chosen = os.environ.get(HOST_VARIABLE, "") if host == "auto" else host
    return chosen == "process" or (chosen != "thread" and children_possible())
