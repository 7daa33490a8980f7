"""Which format suits a device."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.core.format_advice import QUALITIES, Quality, advise
from engines.compression import FORMATS, PredictedSize
from engines.gguf import FileKind
from engines.library import InstalledModel, Origin
from engines.memory import MemoryNeed

GB = 1_000_000_000
SHARES = dict(
    zip((known.name for known in FORMATS), (1.0, 0.53, 0.41, 0.36, 0.31, 0.29, 0.25, 0.2), strict=True)
)
MODEL = InstalledModel(
    id="a",
    name="A",
    path=Path("a.gguf"),
    bytes=8 * GB,
    kind=FileKind.LANGUAGE_MODEL,
    architecture="llama",
    family="llama",
    quantisation="F16",
    parameters=4 * GB,
    trained_context=8192,
    has_chat_template=True,
    origin=Origin.SIDELOADED,
)
NEED = MemoryNeed(weights=8 * GB, kv_cache=GB, compute=GB)


def sizes(*, original=True):
    return [
        PredictedSize(known, round(SHARES[known.name] * MODEL.bytes), MODEL.bytes, original)
        for known in FORMATS
    ]


def recommended(model=MODEL, available=100 * GB, *, original=True):
    advice = advise(model, sizes(original=original), NEED, available)
    return [one.format for one in advice if one.recommended]


def test_every_format_has_a_word_on_its_quality():
    assert QUALITIES.keys() == {known.name for known in FORMATS}
    order = list(Quality)
    assert [QUALITIES[known.name] for known in FORMATS] == sorted(QUALITIES.values(), key=order.index)


def test_only_formats_that_make_it_smaller_are_offered_with_the_memory_they_save():
    advice = advise(MODEL, sizes(), NEED, 100 * GB)
    assert [one.format for one in advice] == [known.name for known in FORMATS if known.name != "F16"]
    assert advice[0].needed_bytes == NEED.total - (MODEL.bytes - advice[0].bytes)


def test_a_format_that_cannot_be_written_is_left_out():
    none = [replace(size, bytes=None) for size in sizes()]
    assert advise(MODEL, none, NEED, 100 * GB) == []


@pytest.mark.parametrize(
    ("parameters", "available", "expected"),
    [
        (4 * GB, 100 * GB, ["Q4_K_M"]),  # more would hardly be better, but slower
        (GB // 2, 100 * GB, ["Q8_0"]),  # a small model has little to spare
        (4 * GB, 5 * GB, ["Q4_K_M"]),  # tight, but far better than what fits easily
        (4 * GB, 4_400_000_000, ["Q4_0"]),
        (4 * GB, 4_100_000_000, ["Q3_K_M"]),
        (4 * GB, 3_800_000_000, []),  # only the poorest fits: a smaller model is better
    ],
)
def test_the_best_that_fits_is_recommended(parameters, available, expected):
    assert recommended(replace(MODEL, parameters=parameters), available) == expected


def test_a_compressed_model_that_fits_is_best_left_as_it_is():
    assert recommended(original=False) == []
    assert recommended(available=6 * GB, original=False) != []
