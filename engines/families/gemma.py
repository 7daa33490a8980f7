"""Gemma by Google. Only the fourth generation has a system role, can think, and has a form to call tools."""

from __future__ import annotations

from engines.families import thinking, tool_calls
from engines.families.family import Family
from engines.protocol import Sampling

# https://huggingface.co/google/gemma-3-1b-it/blob/main/generation_config.json, and the same in
# https://ai.google.dev/gemma/docs/core/model_card_4 for the fourth generation, thinking or not.
_SAMPLING = Sampling(temperature=1.0, top_k=64, top_p=0.95, min_p=0.0, repeat_penalty=1.0)

GEMMA4 = Family(
    name="gemma4",
    architectures=frozenset({"gemma4"}),
    sampling=_SAMPLING,
    thinking_tags=(thinking.GEMMA,),
    tool_call_forms=(tool_calls.GEMMA,),
)

# The templates of the first two refuse a system message and roles out of turn; that of the third puts the
# system's words before the user's, as is done here for all of them.
GEMMA = Family(
    name="gemma",
    architectures=frozenset({"gemma", "gemma2", "gemma3", "gemma3n"}),
    sampling=_SAMPLING,
    system_role=False,
    alternating_roles=True,
)
