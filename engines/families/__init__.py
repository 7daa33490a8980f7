"""Families of models: what differs between llama, gemma, qwen and others, as data."""

from __future__ import annotations

from engines.families.family import Family, ThinkingTags
from engines.families.gemma import GEMMA
from engines.families.generic import GENERIC
from engines.families.llama import LLAMA, SMOLLM2
from engines.families.qwen import QWEN2, QWEN3
from engines.gguf import GgufHeader

__all__ = ["FAMILIES", "Family", "ThinkingTags", "find_family"]

FAMILIES = (SMOLLM2, LLAMA, GEMMA, QWEN3, QWEN2)
"""In the order in which they are asked: special ones before general ones."""


def find_family(header: GgufHeader) -> Family:
    """The family of a model, by its architecture and its names; `GENERIC` where none fits."""
    names = f"{header.name} {header.declared_name}"
    return next((family for family in FAMILIES if family.fits(header.architecture, names)), GENERIC)
