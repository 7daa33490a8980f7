"""Qwen by Alibaba. The third generation can think before it answers."""

from __future__ import annotations

from engines.families.family import Family
from engines.protocol import Sampling

# https://huggingface.co/Qwen/Qwen3-0.6B: "Best Practices". Greedy decoding makes its thoughts go in circles.
QWEN3 = Family(
    name="qwen3",
    architectures=frozenset({"qwen3", "qwen3moe", "qwen3next"}),
    sampling=Sampling(temperature=0.7, top_k=20, top_p=0.8, min_p=0.0, repeat_penalty=1.0),
    thinking_sampling=Sampling(temperature=0.6, top_k=20, top_p=0.95, min_p=0.0, repeat_penalty=1.0),
)

# generation_config.json of Qwen/Qwen2.5-0.5B-Instruct
QWEN2 = Family(
    name="qwen2",
    architectures=frozenset({"qwen2", "qwen2moe"}),
    sampling=Sampling(temperature=0.7, top_k=20, top_p=0.8, min_p=0.0, repeat_penalty=1.1),
)
