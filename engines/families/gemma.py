"""Gemma by Google. Its templates know no system role of their own, and roles must alternate."""

from __future__ import annotations

from engines.families.family import Family
from engines.protocol import Sampling

# generation_config.json of google/gemma-2-2b-it and google/gemma-3-1b-it
GEMMA = Family(
    name="gemma",
    architectures=frozenset({"gemma", "gemma2", "gemma3", "gemma3n"}),
    sampling=Sampling(temperature=1.0, top_k=64, top_p=0.95, min_p=0.0, repeat_penalty=1.0),
    system_role=False,
    alternating_roles=True,
)
