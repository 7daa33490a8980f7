"""Programs that serve models, and where they usually listen: what the form for a server begins with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServerPreset:
    """One program."""

    id: str
    name: str
    """The program's own name; empty for any other."""
    port: int | None
    """Where it listens unless it was told otherwise."""
    needs_key: bool = False
    """Whether it usually wants a key."""

    @property
    def here(self) -> str:
        """Its address on this device; empty where nobody can know it."""
        return f"http://127.0.0.1:{self.port}" if self.port else ""

    @property
    def example(self) -> str:
        """What an address on another computer looks like."""
        return f"http://192.168.1.20:{self.port}" if self.port else "https://ai.example.org"


PRESETS = (
    ServerPreset("ollama", "Ollama", 11434),
    ServerPreset("lm-studio", "LM Studio", 1234),
    ServerPreset("llama-server", "llama.cpp", 8080),
    ServerPreset("vllm", "vLLM", 8000),
    ServerPreset("jan", "Jan", 1337, needs_key=True),
    ServerPreset("other", "", None, needs_key=True),
)
"""Sources: the programs' own documentation of their default ports."""
