"""Where other programs keep their models, as data: to add a program, add a line to `PROGRAMS`.

A folder is written with `~` for the home folder and `$NAME` for a variable of the environment; one with a
variable that is not set counts as not there.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_VARIABLE = re.compile(r"\$([A-Z_]+)")


class Layout(StrEnum):
    """How a program orders its files."""

    FILES = "files"
    """GGUF files under their own names, in folders."""
    HUB = "hub"
    """`models--owner--name/snapshots/commit/file.gguf`, a link to `models--owner--name/blobs/hash`."""
    OLLAMA = "ollama"
    """`manifests/registry/namespace/model/tag`, JSON that names files `blobs/sha256-hash`."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program that keeps models in a folder of its own."""

    id: str
    name: str
    layout: Layout
    anywhere: tuple[str, ...] = ()
    """Its folders, whatever the system."""
    linux: tuple[str, ...] = ()
    macos: tuple[str, ...] = ()
    windows: tuple[str, ...] = ()

    def folders(self, platform: str, home: Path, environment: Mapping[str, str]) -> list[Path]:
        """Its folders on a system, whether they are there or not."""
        own = {"linux": self.linux, "darwin": self.macos, "win32": self.windows}.get(platform, ())
        found = (_resolved(folder, home, environment) for folder in (*self.anywhere, *own))
        return [folder for folder in found if folder is not None]


PROGRAMS = (
    Program(
        "huggingface",
        "Hugging Face",
        Layout.HUB,
        anywhere=(
            "$HF_HUB_CACHE",
            "$HF_HOME/hub",
            "$XDG_CACHE_HOME/huggingface/hub",
            "~/.cache/huggingface/hub",
        ),
    ),
    Program(
        "lm-studio", "LM Studio", Layout.FILES, anywhere=("~/.lmstudio/models", "~/.cache/lm-studio/models")
    ),
    Program(
        "ollama",
        "Ollama",
        Layout.OLLAMA,
        anywhere=("$OLLAMA_MODELS", "~/.ollama/models"),
        linux=("/usr/share/ollama/.ollama/models", "/var/lib/ollama/models"),
    ),
    Program(
        "gpt4all",
        "GPT4All",
        Layout.FILES,
        linux=("~/.local/share/nomic.ai/GPT4All",),
        macos=("~/Library/Application Support/nomic.ai/GPT4All",),
        windows=("$LOCALAPPDATA/nomic.ai/GPT4All",),
    ),
    Program(
        "jan",
        "Jan",
        Layout.FILES,
        anywhere=("~/jan/models",),
        linux=(
            "~/.local/share/Jan/data/models",
            "~/.local/share/Jan/data/llamacpp/models",
            "~/.config/Jan/data/models",
            "~/.config/Jan/data/llamacpp/models",
        ),
        macos=(
            "~/Library/Application Support/Jan/data/models",
            "~/Library/Application Support/Jan/data/llamacpp/models",
        ),
        windows=("$APPDATA/Jan/data/models", "$APPDATA/Jan/data/llamacpp/models"),
    ),
    Program(
        "llama.cpp",
        "llama.cpp",
        Layout.FILES,
        anywhere=("$LLAMA_CACHE",),
        linux=("$XDG_CACHE_HOME/llama.cpp", "~/.cache/llama.cpp"),
        macos=("~/Library/Caches/llama.cpp",),
        windows=("$LOCALAPPDATA/llama.cpp",),
    ),
)
"""Sources: the programs' own documentation; huggingface_hub's for the layout of its cache."""


def programs_possible(platform: str = sys.platform) -> bool:
    """Whether other programs' files can be read at all: on phones each app sees only its own."""
    return platform in ("linux", "darwin", "win32")


def _resolved(folder: str, home: Path, environment: Mapping[str, str]) -> Path | None:
    names = _VARIABLE.findall(folder)
    if not all(environment.get(name) for name in names):
        return None
    text = _VARIABLE.sub(lambda found: environment[found[1]], folder)
    if text == "~" or text.startswith("~/"):
        return home / text.removeprefix("~").removeprefix("/")
    path = Path(text)
    return path if path.is_absolute() else None
