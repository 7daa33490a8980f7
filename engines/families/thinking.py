"""What models write around their thoughts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ThinkingTags:
    """The marks at the beginning and at the end of a thought."""

    opening: str = "<think>"
    closing: str = "</think>"


THINK = ThinkingTags()
MISTRAL = ThinkingTags("[THINK]", "[/THINK]")
GEMMA = ThinkingTags("<|channel>thought", "<channel|>")
SEED = ThinkingTags("<seed:think>", "</seed:think>")
COMMAND = ThinkingTags("<|START_THINKING|>", "<|END_THINKING|>")

ALL = (MISTRAL, GEMMA, SEED, COMMAND, THINK)
"""The most particular first: a template may speak of `<think>` beside its own marks."""
