"""Families of models: what differs between llama, gemma, qwen and others, as data."""

from __future__ import annotations

from dataclasses import replace

from engines.families.deepseek import DEEPSEEK_R1
from engines.families.family import Family
from engines.families.gemma import GEMMA, GEMMA4
from engines.families.generic import GENERIC
from engines.families.llama import LLAMA, TINYLLAMA
from engines.families.mistral import MISTRAL, MISTRAL_REASONING, MISTRAL_SMALL
from engines.families.phi import PHI, PHI_REASONING
from engines.families.qwen import QWEN2, QWEN3, QWEN35, QWQ
from engines.families.smollm import SMOLLM2, SMOLLM3
from engines.families.thinking import ThinkingTags
from engines.families.tool_calls import ToolCall
from engines.gguf import GgufHeader

__all__ = ["FAMILIES", "Family", "ThinkingTags", "ToolCall", "find_family"]

FAMILIES = (
    DEEPSEEK_R1,
    SMOLLM2,
    TINYLLAMA,
    MISTRAL_REASONING,
    MISTRAL_SMALL,
    MISTRAL,
    LLAMA,
    SMOLLM3,
    GEMMA4,
    GEMMA,
    QWEN35,
    QWEN3,
    QWQ,
    QWEN2,
    PHI_REASONING,
    PHI,
)
"""In the order in which they are asked: special ones before general ones."""


def find_family(header: GgufHeader) -> Family:
    """The family of a model, by its architecture and its names; `GENERIC` where none fits.

    What the file itself advises counts only there: for the others its maker says more than fits into a file.
    """
    names = f"{header.name} {header.declared_name}"
    for family in FAMILIES:
        if family.fits(header.architecture, names):
            return family
    return replace(GENERIC, sampling=GENERIC.complete(header.sampling, thinking=False))
