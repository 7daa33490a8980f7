"""Which family a model belongs to, and what its maker advises."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engines.families import FAMILIES, Family, find_family
from engines.families.gemma import GEMMA
from engines.families.generic import GENERIC
from engines.gguf import read_header
from engines.library import InstalledModel, Origin
from engines.library.installed import describe
from engines.protocol import Sampling
from tests.engines.families.real_templates import TEMPLATES
from tests.engines.test_memory import SMOLLM2 as SMOLLM2_HEADER

ADVISED = ("temperature", "top_k", "top_p", "min_p", "repeat_penalty")
ALL = [*FAMILIES, GENERIC]


@pytest.mark.parametrize(
    ("architecture", "name", "declared", "family"),
    [
        ("llama", "SmolLM2 135M Instruct", "Smollm2 135M 8k Lc100K Mix1 Ep2", "smollm2"),
        ("llama", "my favourite", "Smollm2 135M 8k Lc100K Mix1 Ep2", "smollm2"),
        ("llama", "SmolLM2 360M Instruct", "Models", "smollm2"),
        ("llama", "tinyllama-1.1b-chat-v1.0", "tinyllama_tinyllama-1.1b-chat-v1.0", "tinyllama"),
        ("llama", "mistral-7b-instruct-v0.2", "", "mistral"),
        ("llama", "Magistral Small 2509", "", "mistral-reasoning"),
        ("llama", "Devstral Small 2507", "", "mistral-small"),
        ("mistral3", "Ministral 3 3B Instruct 2512", "", "mistral-small"),
        ("mistral3", "Ministral 3 3B Reasoning 2512", "", "mistral-reasoning"),
        ("llama", "Hermes 3 Llama 3.1 8B", "", "llama"),
        ("llama4", "Llama 4 Scout", "", "llama"),
        ("gemma", "Gemma 2B", "", "gemma"),
        ("gemma3", "Gemma 3 1B It", "", "gemma"),
        ("gemma3n", "Gemma 3n E2B", "", "gemma"),
        ("qwen2moe", "Qwen1.5 MoE A2.7B", "", "qwen2"),
        ("qwen3next", "Qwen3 Next 80B A3B", "", "qwen3"),
        ("qwen3", "DeepSeek R1 0528 Qwen3 8B", "", "deepseek-r1"),
        ("phi3", "Phi 4 mini instruct", "", "phi"),
        ("phi3", "Phi-4-mini-reasoning", "", "phi-reasoning"),
        ("phi3", "A smollm2 that is none", "", "phi"),
        ("granite", "A mistral that is none", "", "generic"),
        *((real.architecture, real.model, "", real.family) for real in TEMPLATES),
    ],
)
def test_a_model_finds_its_family(architecture: str, name: str, declared: str, family: str) -> None:
    header = replace(SMOLLM2_HEADER, architecture=architecture, name=name, declared_name=declared)
    assert find_family(header).name == family


def test_families_have_names_of_their_own() -> None:
    assert len({family.name for family in ALL}) == len(ALL)


def test_an_unknown_model_is_sampled_as_its_file_advises() -> None:
    advice = Sampling(temperature=0.3, top_p=0.5)
    header = replace(SMOLLM2_HEADER, architecture="granite", name="", declared_name="", sampling=advice)
    complete = find_family(header).complete(Sampling(top_p=0.9), thinking=False)
    assert (complete.temperature, complete.top_p) == (0.3, 0.9)
    assert complete.top_k == GENERIC.sampling.top_k
    assert find_family(replace(header, architecture="gemma3")).complete(Sampling(), thinking=False) == (
        GEMMA.sampling
    )


def test_every_family_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "add-a-family.md").read_text(encoding="utf-8")
    assert [family.name for family in ALL if f"`{family.name}`" not in page] == []


def test_the_list_of_models_tells_the_family_that_will_answer(smollm2: Path) -> None:
    model: InstalledModel = describe(read_header(smollm2), Origin.STARTER)
    assert model.family == "smollm2"


@pytest.mark.parametrize("family", ALL, ids=lambda family: family.name)
@pytest.mark.parametrize("thinking", [False, True])
def test_a_family_advises_every_basic_value(family: Family, thinking: bool) -> None:
    complete = family.complete(Sampling(), thinking=thinking)
    assert all(getattr(complete, name) is not None for name in ADVISED)
    assert (complete.seed, complete.max_tokens) == (None, None)


@pytest.mark.parametrize("family", ALL, ids=lambda family: family.name)
def test_what_the_caller_says_comes_before_the_advice(family: Family) -> None:
    values = {"temperature": 0.0, "top_k": 1, "top_p": 0.5, "min_p": 0.1, "repeat_penalty": 1.5, "seed": 3}
    complete = family.complete(Sampling(**values), thinking=False)
    assert {name: getattr(complete, name) for name in values} == values
