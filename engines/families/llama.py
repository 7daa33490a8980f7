"""Llama by Meta, and TinyLlama, which has Llama's architecture."""

from __future__ import annotations

from engines.families import tool_calls
from engines.families.family import Family
from engines.protocol import Sampling

# https://huggingface.co/TinyLlama/TinyLlama-1.1B-Chat-v1.0: "temperature=0.7, top_k=50, top_p=0.95"
TINYLLAMA = Family(
    name="tinyllama",
    architectures=frozenset({"llama"}),
    name_pattern="tiny ?llama",
    sampling=Sampling(temperature=0.7, top_k=50, top_p=0.95, min_p=0.0, repeat_penalty=1.0),
)

# https://huggingface.co/meta-llama/Llama-3.2-1B-Instruct/blob/main/generation_config.json. Where a maker says
# nothing of top_k, it is llama.cpp's 40.
LLAMA = Family(
    name="llama",
    architectures=frozenset({"llama", "llama4"}),
    sampling=Sampling(temperature=0.6, top_k=40, top_p=0.9, min_p=0.0, repeat_penalty=1.0),
    tool_call_forms=(tool_calls.LLAMA, tool_calls.HERMES),
)
