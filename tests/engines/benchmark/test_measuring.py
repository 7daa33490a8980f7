"""A benchmark of a real engine."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from typing import Any

import pytest

from engines.benchmark import BenchmarkPlan, BenchmarkProgress, BenchmarkStage, measure
from engines.benchmark import measuring as measuring_module
from engines.benchmark.questions import Questions
from engines.benchmark.result import Sample, decode, encode
from engines.errors import ModelFileMissing, OptionRejected
from engines.protocol import LoadOptions, LoraAdapter
from tests.engines.tiny_gguf import make_tiny_gguf
from tests.engines.tiny_lora import make_tiny_lora

HOSTS = [pytest.param("process", marks=pytest.mark.desktop("child processes")), "thread"]
SMALL = BenchmarkPlan(repetitions=2, prompt_tokens=64, generated_tokens=16)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_tiny_gguf(tmp_path / "endless.gguf", loop=True, name="Endless")


@pytest.mark.parametrize("host", HOSTS)
async def test_all_figures_are_measured_and_survive_a_file(model: Path, host: Any) -> None:
    result = await measure(model, SMALL, versions={"dai": "1"}, host=host)
    assert decode(encode(result)) == result
    assert (result.prompt.tokens, len(result.prompt.rates)) == (64, 2)
    assert (result.generation.tokens, len(result.generation.rates)) == (16, 2)
    assert all(math.isfinite(rate) and rate > 0 for rate in (*result.prompt.rates, *result.generation.rates))
    assert result.first_token_seconds > 0
    assert result.load_seconds > 0
    assert (result.model.name, result.model.file, result.versions) == (
        "Endless",
        "endless.gguf",
        {"dai": "1"},
    )
    assert result.device.cores >= 1
    assert str(model.parent) not in encode(result).decode()


@pytest.mark.desktop("child processes")
async def test_peak_memory_is_that_of_the_engines_process(model: Path) -> None:
    result = await measure(model, SMALL, versions={}, host="process")
    assert result.peak_memory_bytes is not None
    assert 10 << 20 < result.peak_memory_bytes < 500 << 20


async def test_a_model_that_says_little_is_asked_until_it_has_said_enough(tmp_path: Path) -> None:
    terse = make_tiny_gguf(tmp_path / "terse.gguf", reply="one two three")
    result = await measure(terse, SMALL, versions={}, host="thread")
    assert result.generation.median > 0


async def test_a_prompt_is_read_as_if_new_though_prompts_have_the_same_beginning(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What counts is what was read: so many tokens as the plan says, whatever the template repeats."""
    read: list[int] = []
    ask = measuring_module._Run._ask

    async def spy(self: Any, message: Any, tokens: int) -> Any:
        usage = await ask(self, message, tokens)
        if tokens == 1:
            read.append(usage.prompt_tokens - usage.reused_tokens)
        return usage

    monkeypatch.setattr(measuring_module._Run, "_ask", spy)
    await measure(model, SMALL, versions={}, host="thread")
    assert read == [pytest.approx(64, abs=3)] * 2


async def test_prompts_have_the_wanted_length_with_a_real_vocabulary(smollm2: Path, opened: Any) -> None:
    engine = await opened(smollm2, host="thread")
    message, counted = await Questions(1).of_length(engine, 512)
    assert counted == await engine.count_tokens([message])
    assert counted == pytest.approx(512, abs=2)


def test_questions_differ_from_each_other_from_the_start() -> None:
    questions = Questions(7)
    texts = [questions.short().content for _ in range(50)]
    assert len({text[:4] for text in texts}) > 45
    assert texts[0] == Questions(7).short().content


async def test_progress_goes_through_the_stages(model: Path) -> None:
    seen: list[BenchmarkProgress] = []
    plan = BenchmarkPlan(repetitions=1, prompt_tokens=32, generated_tokens=8, minutes=0.001)
    result = await measure(model, plan, versions={}, progress=seen.append, host="thread")
    assert list(dict.fromkeys(step.stage for step in seen)) == list(BenchmarkStage)
    assert len(result.sustained) == sum(step.stage is BenchmarkStage.SUSTAINED for step in seen) > 0


async def test_a_cancelled_benchmark_ends_and_frees_the_engine(model: Path) -> None:
    begun = asyncio.Event()

    def progress(step: BenchmarkProgress) -> None:
        if step.stage is BenchmarkStage.SUSTAINED:
            begun.set()

    plan = BenchmarkPlan(repetitions=1, prompt_tokens=32, generated_tokens=8, minutes=60)
    task = asyncio.create_task(measure(model, plan, versions={}, progress=progress, host="thread"))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_window_too_small_for_the_prompt_is_widened(model: Path) -> None:
    result = await measure(model, SMALL, LoadOptions(context_tokens=32), versions={}, host="thread")
    assert result.settings.context_tokens >= 64 + 64


async def test_an_adapter_is_kept_by_its_name_only(model: Path, tmp_path: Path) -> None:
    adapter = make_tiny_lora(tmp_path / "pirate.gguf", model, skip_to="a")
    options = LoadOptions(adapters=(LoraAdapter(adapter),))
    result = await measure(model, SMALL, options, versions={}, host="thread")
    assert result.settings.adapters == (LoraAdapter(Path("pirate.gguf")),)
    assert decode(encode(result)) == result


async def test_what_cannot_be_measured_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelFileMissing):
        await measure(tmp_path / "gone.gguf", SMALL, versions={})


async def test_a_base_model_is_measured_too(tmp_path: Path) -> None:
    base = make_tiny_gguf(tmp_path / "base.gguf", chat_template=None, loop=True)
    result = await measure(base, SMALL, versions={}, host="thread")
    assert len(result.prompt.rates) == len(result.generation.rates) == SMALL.repetitions
    assert result.prompt.median > 0
    assert result.generation.median > 0


@pytest.mark.parametrize(
    "values",
    [{"repetitions": 0}, {"minutes": -1.0}, {"minutes": float("nan")}, {"prompt_tokens": 0}],
)
def test_a_plan_that_makes_no_sense_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(OptionRejected) as refused:
        BenchmarkPlan(**values)
    assert refused.value.option in values


async def test_the_sustained_share_compares_the_last_fifth_with_the_first(model: Path) -> None:
    from msgspec.structs import replace

    result = await measure(model, SMALL, versions={}, host="thread")
    assert result.sustained_share is None
    rates = [10.0, 10.0, 8.0, 7.0, 6.0, 6.0, 5.0, 5.0, 5.0, 5.0]
    warm = replace(result, sustained=tuple(Sample(float(at), rate) for at, rate in enumerate(rates)))
    assert warm.sustained_share == 0.5
