"""DeepSeek R1's distillations: Llama and Qwen models that were taught to think by it, and always do."""

from __future__ import annotations

from engines.families import tool_calls
from engines.families.family import Family
from engines.protocol import Sampling

# https://huggingface.co/deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B, "Usage Recommendations": temperature 0.6,
# top-p 0.95, and "avoid adding a system prompt; all instructions should be contained within the user prompt".
DEEPSEEK_R1 = Family(
    name="deepseek-r1",
    architectures=frozenset({"llama", "qwen2", "qwen3"}),
    name_pattern="deepseek r1|r1 (distill|0528)",
    sampling=Sampling(temperature=0.6, top_k=40, top_p=0.95, min_p=0.0, repeat_penalty=1.0),
    system_role=False,
    always_thinks=True,
    tool_call_forms=(tool_calls.DEEPSEEK,),
)
