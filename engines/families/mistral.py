"""Mistral by Mistral AI. Most of its models have Llama's architecture, and each has its own temperature."""

from __future__ import annotations

from engines.families import thinking, tool_calls
from engines.families.family import Family
from engines.protocol import Sampling

_ARCHITECTURES = frozenset({"llama", "mistral3", "mistral4"})
_TOOL_CALLS = (tool_calls.MISTRAL_LIST, tool_calls.MISTRAL)

# https://huggingface.co/mistralai/Magistral-Small-2509 and Ministral-3-14B-Reasoning-2512: "top_p: 0.95",
# "temperature: 0.7". They think only if their system prompt tells them to; this is the maker's own, without
# what it says of Markdown and formulas.
MISTRAL_REASONING = Family(
    name="mistral-reasoning",
    architectures=_ARCHITECTURES,
    name_pattern="magistral|ministral.* reasoning",
    sampling=Sampling(temperature=0.7, top_k=40, top_p=0.95, min_p=0.0, repeat_penalty=1.0),
    thinking_tags=(thinking.MISTRAL, thinking.THINK),
    thinking_request=(
        "First draft your thinking process (inner monologue) until you arrive at a response. Write both "
        "your thoughts and the response in the same language as the input.\n\n"
        "Your thinking process must follow the template below:[THINK]Your thoughts or/and draft, like "
        "working through an exercise on scratch paper. Be as casual and as long as you want until you are "
        "confident to generate the response to the user.[/THINK]Here, provide a self-contained response."
    ),
    alternating_roles=True,
    tool_call_forms=_TOOL_CALLS,
)

# https://huggingface.co/mistralai/Mistral-Small-3.2-24B-Instruct-2506: "a relatively low temperature, such as
# temperature=0.15"
MISTRAL_SMALL = Family(
    name="mistral-small",
    architectures=_ARCHITECTURES,
    name_pattern="mistral small|devstral|ministral 3",
    sampling=Sampling(temperature=0.15, top_k=40, top_p=0.95, min_p=0.0, repeat_penalty=1.0),
    thinking_tags=(thinking.MISTRAL, thinking.THINK),
    alternating_roles=True,
    tool_call_forms=_TOOL_CALLS,
)

# https://huggingface.co/mistralai/Mistral-Nemo-Instruct-2407: "We recommend to use a temperature of 0.3"
MISTRAL = Family(
    name="mistral",
    architectures=_ARCHITECTURES,
    name_pattern="mi(ni)?stral",
    sampling=Sampling(temperature=0.3, top_k=40, top_p=0.95, min_p=0.0, repeat_penalty=1.0),
    alternating_roles=True,
    tool_call_forms=_TOOL_CALLS,
)
