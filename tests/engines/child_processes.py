"""The engines' child processes of this test run."""

from __future__ import annotations

from typing import Any

import pytest

LLAMA_CPP = "engines.llama_cpp.child"
XLLAMACPP = "engines.xllamacpp.child"


def children(module: str = LLAMA_CPP) -> list[Any]:
    """The living children of this process that run a module, as `psutil.Process`."""
    psutil = pytest.importorskip("psutil")

    def command(process: Any) -> list[str]:
        try:
            words: list[str] = process.cmdline()
        except (psutil.NoSuchProcess, psutil.ZombieProcess):  # another test's, ending just now
            return []
        return words

    return [each for each in psutil.Process().children() if module in command(each)]
