from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

from engines.families import FAMILIES, Family, find_family
from engines.families.gemma import GEMMA
from engines.families.generic import GENERIC
from engines.gguf import read_header
from engines.library import InstalledModel, Origin
from engines.library.installed import describe
from engines.protocol import Message, Sampling
from tests.engines.test_memory import SMOLLM2 as SMOLLM2_HEADER

LEFT_OPEN = {"seed", "max_tokens"}


@pytest.mark.parametrize(
    ("architecture", "name", "declared", "family"),
    [
        ("llama", "SmolLM2 135M Instruct", "Smollm2 135M 8k Lc100K Mix1 Ep2", "smollm2"),
        ("llama", "my favourite", "Smollm2 135M 8k Lc100K Mix1 Ep2", "smollm2"),
        ("llama", "SmolLM2 360M Instruct", "Models", "smollm2"),
        ("llama", "Llama 3.2 1B Instruct", "Llama 3.2 1B Instruct", "llama"),
        ("llama4", "Llama 4 Scout", "", "llama"),
        ("gemma", "Gemma 2B", "", "gemma"),
        ("gemma2", "Gemma 2 2B It", "", "gemma"),
        ("gemma3", "Gemma 3 1B It", "", "gemma"),
        ("gemma3n", "Gemma 3n E2B", "", "gemma"),
        ("qwen2", "Qwen2.5 0.5B Instruct", "", "qwen2"),
        ("qwen2moe", "Qwen1.5 MoE A2.7B", "", "qwen2"),
        ("qwen3", "Qwen3 0.6B", "", "qwen3"),
        ("qwen3moe", "Qwen3 30B A3B", "", "qwen3"),
        ("qwen3next", "Qwen3 Next 80B A3B", "", "qwen3"),
        ("phi3", "Phi 3 mini 4k instruct", "", "generic"),
        ("phi3", "A smollm2 that is none", "", "generic"),
    ],
)
def test_a_model_finds_its_family(architecture: str, name: str, declared: str, family: str) -> None:
    header = replace(SMOLLM2_HEADER, architecture=architecture, name=name, declared_name=declared)
    assert find_family(header).name == family


def test_the_list_of_models_tells_the_family_that_will_answer(smollm2: Path) -> None:
    model: InstalledModel = describe(read_header(smollm2), Origin.STARTER)
    assert model.family == "smollm2"


@pytest.mark.parametrize("family", [*FAMILIES, GENERIC], ids=lambda family: family.name)
def test_a_family_leaves_nothing_open_but_seed_and_length(family: Family) -> None:
    names = {field.name for field in fields(Sampling)} - LEFT_OPEN
    for thinking in (False, True):
        complete = family.complete(Sampling(), thinking=thinking)
        assert all(getattr(complete, name) is not None for name in names)


@pytest.mark.parametrize("family", [*FAMILIES, GENERIC], ids=lambda family: family.name)
def test_what_the_caller_says_comes_before_the_advice(family: Family) -> None:
    values = {"temperature": 0.0, "top_k": 1, "top_p": 0.5, "min_p": 0.1, "repeat_penalty": 1.5, "seed": 3}
    complete = family.complete(Sampling(**values), thinking=False)
    assert {name: getattr(complete, name) for name in values} == values


def test_gemma_hears_the_system_through_the_user_and_every_role_in_turn() -> None:
    arranged = GEMMA.arrange(
        [
            Message("system", "Be brief."),
            Message("assistant", "Hi!"),
            Message("user", "One."),
            Message("user", "Two."),
        ]
    )
    assert [(message.role, message.content) for message in arranged] == [
        ("user", "Be brief."),
        ("assistant", "Hi!"),
        ("user", "One.\n\nTwo."),
    ]
