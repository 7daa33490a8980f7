"""SmolLM by Hugging Face. The third generation can think."""

from __future__ import annotations

from engines.families import tool_calls
from engines.families.family import Family
from engines.protocol import Sampling

# https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct: "temperature=0.2, top_p=0.9". The penalty is
# ours: without it the 135M model ran into the limit of 1024 tokens with 9 of 10 Persian and 3 of 10 English
# questions, nearly always in a circle. With it 6 of 10 Persian and all English answers end by themselves;
# engines/llama_cpp/repetition.py ends 3 of the others.
SMOLLM2 = Family(
    name="smollm2",
    architectures=frozenset({"llama"}),
    name_pattern="smollm2",
    sampling=Sampling(temperature=0.2, top_k=50, top_p=0.9, min_p=0.0, repeat_penalty=1.1),
)

# https://huggingface.co/HuggingFaceTB/SmolLM3-3B: "temperature=0.6 and top_p=0.95", thinking or not.
SMOLLM3 = Family(
    name="smollm3",
    architectures=frozenset({"smollm3"}),
    sampling=Sampling(temperature=0.6, top_k=50, top_p=0.95, min_p=0.0, repeat_penalty=1.0),
    tool_call_forms=(tool_calls.HERMES,),
)
