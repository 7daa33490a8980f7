"""The makers' own chat templates, each with a model that has it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engines.families import FAMILIES, Family
from engines.llama_cpp.chat_template import ChatTemplate

FOLDER = Path(__file__).parents[1] / "templates"


@dataclass(frozen=True)
class RealTemplate:
    """A chat template and what is known of models that have it."""

    file: str
    architecture: str
    model: str
    family: str

    @property
    def source(self) -> str:
        return (FOLDER / f"{self.file}.jinja").read_text(encoding="utf-8")

    def open(self) -> ChatTemplate:
        return ChatTemplate(self.source, family_named(self.family), bos="<BOS>", eos="<EOS>")


TEMPLATES = (
    RealTemplate("google-gemma-2-2b-it", "gemma2", "Gemma 2 2B It", "gemma"),
    RealTemplate("google-gemma-4-31B-it", "gemma4", "Gemma 4 31B It", "gemma4"),
    RealTemplate("HuggingFaceTB-SmolLM3-3B", "smollm3", "SmolLM3 3B", "smollm3"),
    RealTemplate("Qwen-Qwen2.5-7B-Instruct", "qwen2", "Qwen2.5 7B Instruct", "qwen2"),
    RealTemplate("Qwen-Qwen3-0.6B", "qwen3", "Qwen3 0.6B", "qwen3"),
    RealTemplate("Qwen3-Coder", "qwen3moe", "Qwen3 Coder 30B A3B Instruct", "qwen3"),
    RealTemplate("Qwen3.5-4B", "qwen35", "Qwen3.5 4B", "qwen3.5"),
    RealTemplate("Qwen-QwQ-32B", "qwen2", "QwQ 32B", "qwq"),
    RealTemplate(
        "deepseek-ai-DeepSeek-R1-Distill-Llama-8B", "llama", "DeepSeek-R1-Distill-Llama-8B", "deepseek-r1"
    ),
    RealTemplate(
        "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B", "qwen2", "DeepSeek R1 Distill Qwen 32B", "deepseek-r1"
    ),
    RealTemplate("meta-llama-Llama-3.1-8B-Instruct", "llama", "Meta Llama 3.1 8B Instruct", "llama"),
    RealTemplate("meta-llama-Llama-3.2-3B-Instruct", "llama", "Llama 3.2 3B Instruct", "llama"),
    RealTemplate("microsoft-Phi-3.5-mini-instruct", "phi3", "Phi 3.5 mini instruct", "phi"),
    RealTemplate(
        "Mistral-Small-3.2-24B-Instruct-2506", "llama", "Mistral Small 3.2 24B Instruct 2506", "mistral-small"
    ),
    RealTemplate("mistralai-Mistral-Nemo-Instruct-2407", "llama", "Mistral Nemo Instruct 2407", "mistral"),
    RealTemplate(
        "mistralai-Ministral-3-14B-Reasoning-2512",
        "mistral3",
        "Ministral 3 14B Reasoning 2512",
        "mistral-reasoning",
    ),
)


def family_named(name: str) -> Family:
    return next(family for family in FAMILIES if family.name == name)
