"""Phi by Microsoft, the third and the fourth generation, which share an architecture."""

from __future__ import annotations

from engines.families import tool_calls
from engines.families.family import Family
from engines.protocol import Sampling

_ARCHITECTURES = frozenset({"phi3", "phimoe"})

# https://huggingface.co/microsoft/Phi-4-reasoning: "temperature=0.8, top_k=50, top_p=0.95"
PHI_REASONING = Family(
    name="phi-reasoning",
    architectures=_ARCHITECTURES,
    name_pattern="reasoning",
    sampling=Sampling(temperature=0.8, top_k=50, top_p=0.95, min_p=0.0, repeat_penalty=1.0),
    always_thinks=True,
)

# Microsoft's examples (https://huggingface.co/microsoft/Phi-3.5-mini-instruct,
# https://huggingface.co/microsoft/Phi-4-mini-instruct) say temperature 0.0. With that, answering again would
# give the same answer again, so it is as low as still makes a difference.
PHI = Family(
    name="phi",
    architectures=_ARCHITECTURES,
    sampling=Sampling(temperature=0.3, top_k=40, top_p=0.95, min_p=0.0, repeat_penalty=1.0),
    tool_call_forms=(tool_calls.PHI,),
)
