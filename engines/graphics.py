"""Which graphics cards the engines of this installation can use.

Only the library of an engine knows: it is built for a kind of card or for none. It is asked in a child
process where models run in one, so that this program stays without it.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from functools import cache

import msgspec

from engines.errors import EngineCrashed, EngineUnavailable
from engines.llama_cpp.process_channel import child_environment

_SECONDS = 60.0
"""A driver that is asked for the first time may take several."""


class GraphicsCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A card, or a part of the processor, that can compute the layers of a model."""

    backend: str
    """What llama.cpp computes with on it, such as "CUDA", "Metal" or "Vulkan"."""
    name: str
    memory_bytes: int
    """Of the card as a whole; of one that shares the device's memory, its share."""


@cache
def cards_of(program: str, *, isolated: bool) -> tuple[GraphicsCard, ...]:
    """What a module's `find_cards` finds, looked up once; takes about half a second.

    Args:
        program: a module that also prints what it finds, as JSON, when it is run.
        isolated: run it in a process of its own.

    Raises:
        EngineUnavailable: its library is not installed, or does not load here.
        EngineCrashed: the library, or the driver of a card, ends the process or does not answer.
    """
    if not isolated:
        found: tuple[GraphicsCard, ...] = importlib.import_module(program).find_cards()
        return found
    try:
        ended = subprocess.run(  # noqa: S603 - a module of this house
            [sys.executable, "-m", program],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=child_environment(),
            timeout=_SECONDS,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        answer = msgspec.json.decode(ended.stdout, type=tuple[GraphicsCard, ...] | str)
    except (OSError, subprocess.SubprocessError, msgspec.DecodeError) as error:
        raise EngineCrashed(f"{program}: {type(error).__name__}") from error
    if isinstance(answer, str):
        raise EngineUnavailable(program, answer)
    return answer
