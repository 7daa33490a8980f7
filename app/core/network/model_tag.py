"""What a model is called between devices."""

from __future__ import annotations

import re

_OTHER = re.compile(r"[^a-z0-9._:/+-]+")
_LONGEST = 64


def model_tag(name: str) -> str:
    """The tag of a model with this name, such as qwen3-1.7b; "model" where nothing is left of it."""
    return _OTHER.sub("-", name.lower()).strip("-._:/+")[:_LONGEST].rstrip("-._:/+") or "model"
