from __future__ import annotations

from pathlib import Path

import pytest

from engines.gguf import read_header
from engines.model_name import model_name
from tests.engines.tiny_gguf import make_tiny_gguf


@pytest.mark.parametrize(
    ("declared", "stem", "name"),
    [
        ("Smollm2 135M 8k Lc100K Mix1 Ep2", "SmolLM2-135M-Instruct.Q4_1", "SmolLM2 135M Instruct"),
        ("Smollm2 135M 8k Lc100K Mix1 Ep2", "SmolLM2-135M-Instruct.Q4_1 (2)", "SmolLM2 135M Instruct"),
        ("Llama 3.2 1B Instruct", "Llama-3.2-1B-Instruct-Q4_K_M", "Llama 3.2 1B Instruct"),
        ("Gemma 3 1b It", "gemma-3-1b-it-UD-Q4_K_XL", "Gemma 3 1b It"),
        ("LLaMA v2", "llama-2-7b-chat.Q4_K_M", "llama 2 7B chat"),
        ("Hf", "mixtral-8x7b-instruct-v0.1.Q3_K_S", "mixtral 8x7B instruct v0.1"),
        ("Phi3", "Phi-3-mini-4k-instruct-q4", "Phi 3 mini 4k instruct"),
        ("Models", "gemma-3-270m", "gemma 3 270M"),
        ("", "gpt-oss-20b-MXFP4", "gpt oss 20B"),
        ("", "Qwen3-30B-A3B.i1-IQ2_XXS", "Qwen3 30B A3B"),
    ],
)
def test_a_file_named_as_publishers_do_tells_the_name(declared: str, stem: str, name: str) -> None:
    assert model_name(declared, stem) == name


@pytest.mark.parametrize(
    ("declared", "stem", "name"),
    [
        ("Qwen3 Cooking", "ggml-model-q4_0", "Qwen3 Cooking"),
        ("Qwen3 Cooking", "unsloth.Q4_K_M", "Qwen3 Cooking"),
        ("Qwen3 0.6B", "download (1)", "Qwen3 0.6B"),
        ("Qwen3 0.6B", "9f86d081884c7d65", "Qwen3 0.6B"),
        ("مدل فارسی", "7b", "مدل فارسی"),
        ("", "مدل من 🌙", "مدل من 🌙"),
        ("  \n ", "my model", "my model"),
        ("", "Q4_K_M", "Q4_K_M"),
        ("", "", ""),
    ],
)
def test_any_other_file_name_comes_after_the_metadata(declared: str, stem: str, name: str) -> None:
    assert model_name(declared, stem) == name


def test_a_name_cannot_disturb_the_list_it_stands_in() -> None:
    assert model_name("good\n\u202eexe.fdp\0\ud800", "x") == "good exe.fdp"
    assert model_name("می‌نویسد", "x") == "می‌نویسد"
    long = model_name("word " * 10_000, "x")
    assert len(long) <= 80
    assert long.endswith("…")


def test_a_model_without_any_name_is_called_by_its_architecture(tmp_path: Path) -> None:
    path = make_tiny_gguf(tmp_path / "\u202e.gguf", name="\u200b\u202e")
    assert read_header(path).name == "qwen3"


def test_the_starter_is_called_what_people_call_it(smollm2: Path) -> None:
    header = read_header(smollm2)
    assert header.name == "SmolLM2 135M Instruct"
    assert header.declared_name == "Smollm2 135M 8k Lc100K Mix1 Ep2"


def test_the_real_gemma_is_called_what_people_call_it(gemma_base: Path) -> None:
    assert read_header(gemma_base).name.lower() == "gemma 3 270m"
