"""Every architecture that llama.cpp runs and no family here claims."""

from __future__ import annotations

from engines.families import thinking, tool_calls
from engines.families.family import Family
from engines.protocol import Sampling

# The defaults of llama.cpp's own programs, without its penalties.
GENERIC = Family(
    name="generic",
    architectures=frozenset(),
    sampling=Sampling(temperature=0.8, top_k=40, top_p=0.95, min_p=0.05, repeat_penalty=1.0),
    thinking_tags=thinking.ALL,
    tool_call_forms=(tool_calls.HERMES, tool_calls.TAGGED),
)
