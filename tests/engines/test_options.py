from __future__ import annotations

from pathlib import Path

import pytest

from engines.errors import OptionRejected
from tests.engines.asking import ask, question

COUNTING = "one two three four"


@pytest.mark.parametrize(
    "options",
    [
        {"kv_cache_type": "q8_0"},
        {"kv_cache_type": "q4_0"},
        {"use_mmap": False},
        {"use_mlock": True},
        {"use_mmap": False, "use_mlock": True},
        {"batch_tokens": 7},
        {"gpu_layers": 0},
    ],
    ids=str,
)
async def test_every_way_to_load_a_model_gives_its_answer(scripted, options) -> None:
    engine = await scripted(COUNTING, load=options)

    assert (await ask(engine, "x" * 100)).text == COUNTING


@pytest.mark.parametrize(
    "options",
    [
        {"context_tokens": 0},
        {"threads": -3},
        {"batch_tokens": 0},
        {"gpu_layers": -1},
        {"prefix_cache_bytes": -1},
        {"kv_cache_type": "q2_k"},
        {"kv_cache_type": "q8_0", "flash_attention": False},
    ],
    ids=str,
)
async def test_an_option_that_cannot_be_worked_with_is_named(scripted, options) -> None:
    with pytest.raises(OptionRejected) as caught:
        await scripted(load=options)

    assert caught.value.option == next(iter(options))


@pytest.mark.parametrize(
    "value",
    [
        {"presence_penalty": 3.0},
        {"frequency_penalty": float("nan")},
        {"repeat_last_n": -2},
        {"dry_multiplier": -1.0},
        {"dry_base": 0.5},
        {"dry_allowed_length": 0},
    ],
    ids=str,
)
async def test_a_sampling_value_out_of_range_is_named(scripted, value) -> None:
    engine = await scripted()

    with pytest.raises(OptionRejected) as caught:
        await ask(engine, question(**value))

    assert caught.value.option == next(iter(value))


@pytest.mark.parametrize(
    "value",
    [
        {"presence_penalty": 2.0, "repeat_last_n": -1},
        {"frequency_penalty": 2.0, "repeat_last_n": 200},
        {"dry_multiplier": 5.0, "dry_allowed_length": 1},
    ],
    ids=str,
)
async def test_penalties_end_a_real_models_repetition(opened, smollm2: Path, value) -> None:
    # One way to round, so that it repeats itself as much wherever this runs.
    engine = await opened(smollm2, context_tokens=1024, flash_attention=True)
    prompt = "Repeat after me, a hundred times: sea sea sea sea sea sea"
    plain = await ask(engine, question(prompt, temperature=0.0, max_tokens=48))

    punished = await ask(engine, question(prompt, temperature=0.0, max_tokens=48, **value))

    assert punished.text != plain.text
    assert len(set(punished.text.split())) > len(set(plain.text.split()))


async def test_without_a_look_back_nothing_is_penalised(opened, smollm2: Path) -> None:
    engine = await opened(smollm2, context_tokens=1024)
    plain = question("Count.", temperature=0.0, max_tokens=24, repeat_penalty=1.0)
    off = question("Count.", temperature=0.0, max_tokens=24, repeat_penalty=2.0, repeat_last_n=0)

    assert (await ask(engine, off)).text == (await ask(engine, plain)).text
