"""Qwen by Alibaba. Since the third generation it can think before it answers."""

from __future__ import annotations

from engines.families import tool_calls
from engines.families.family import Family
from engines.protocol import Sampling

_TOOL_CALLS = (tool_calls.HERMES, tool_calls.TAGGED)

# https://huggingface.co/Qwen/Qwen3.5-4B: "Best Practices", for general tasks
QWEN35 = Family(
    name="qwen3.5",
    architectures=frozenset({"qwen35", "qwen35moe"}),
    sampling=Sampling(
        temperature=0.7, top_k=20, top_p=0.8, min_p=0.0, repeat_penalty=1.0, presence_penalty=1.5
    ),
    thinking_sampling=Sampling(
        temperature=1.0, top_k=20, top_p=0.95, min_p=0.0, repeat_penalty=1.0, presence_penalty=1.5
    ),
    tool_call_forms=_TOOL_CALLS,
)

# https://huggingface.co/Qwen/Qwen3-0.6B: "Best Practices". Greedy decoding makes its thoughts go in circles.
QWEN3 = Family(
    name="qwen3",
    architectures=frozenset({"qwen3", "qwen3moe", "qwen3next", "qwen3vl", "qwen3vlmoe"}),
    sampling=Sampling(temperature=0.7, top_k=20, top_p=0.8, min_p=0.0, repeat_penalty=1.0),
    thinking_sampling=Sampling(temperature=0.6, top_k=20, top_p=0.95, min_p=0.0, repeat_penalty=1.0),
    tool_call_forms=_TOOL_CALLS,
)

# https://huggingface.co/Qwen/QwQ-32B: "Usage Guidelines". It always thinks.
QWQ = Family(
    name="qwq",
    architectures=frozenset({"qwen2"}),
    name_pattern="qwq",
    sampling=Sampling(temperature=0.6, top_k=30, top_p=0.95, min_p=0.0, repeat_penalty=1.0),
    always_thinks=True,
    tool_call_forms=_TOOL_CALLS,
)

# generation_config.json of Qwen/Qwen2.5-0.5B-Instruct
QWEN2 = Family(
    name="qwen2",
    architectures=frozenset({"qwen2", "qwen2moe", "qwen2vl"}),
    sampling=Sampling(temperature=0.7, top_k=20, top_p=0.8, min_p=0.0, repeat_penalty=1.1),
    tool_call_forms=_TOOL_CALLS,
)
