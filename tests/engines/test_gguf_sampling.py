"""What a model's file advises for sampling."""

from __future__ import annotations

import math
from pathlib import Path

import gguf
import pytest

from engines.gguf import read_header
from engines.gguf_sampling import advised_sampling
from engines.llama_cpp.sampling import check_sampling
from engines.protocol import Sampling


def test_the_header_tells_the_advice_of_a_real_writer(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(tmp_path / "advice.gguf", "granite")
    writer.add_sampling_temp(0.25)
    writer.add_sampling_top_k(30)
    writer.add_sampling_top_p(0.5)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    header = read_header(tmp_path / "advice.gguf")
    assert header.sampling == Sampling(temperature=0.25, top_k=30, top_p=0.5)


def test_a_file_without_advice_leaves_all_open(smollm2: Path) -> None:
    assert read_header(smollm2).sampling == Sampling()


@pytest.mark.parametrize("value", ["0.7", True, math.nan, math.inf, -1.0, 1e9, (0.5, 0.5)])
@pytest.mark.parametrize("key", ["temp", "top_k", "top_p", "min_p", "penalty_repeat"])
def test_nonsense_is_no_advice(key: str, value: object) -> None:
    assert advised_sampling({f"general.sampling.{key}": value}) == Sampling()


@pytest.mark.parametrize("key", ["temp", "top_k", "top_p", "min_p", "penalty_repeat"])
@pytest.mark.parametrize("value", [0, 0.05, 0.1, 1, 5, 1 << 20])
def test_what_is_advice_can_be_sampled_with(key: str, value: float) -> None:
    check_sampling(advised_sampling({f"general.sampling.{key}": value}))
