"""Runs a benchmark through an `Engine`, as a question of the user would run.

The figures are those of llama-bench (https://github.com/ggml-org/llama.cpp/tree/master/tools/llama-bench):
pp512 is the speed of reading a prompt of 512 unknown tokens, tg128 the speed of generating 128. Theirs are
those of the bare library; ours contain all that the app adds: the template, the choice of tokens, the text,
the way between processes. And here tg128 begins behind a short question, there in an empty context.
"""

from __future__ import annotations

import asyncio
import datetime
import secrets
import statistics
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from time import perf_counter

from engines.benchmark.device import describe_device, system_load
from engines.benchmark.energy import EnergyMeter
from engines.benchmark.process_memory import child_processes, peak_memory
from engines.benchmark.questions import Questions
from engines.benchmark.result import BenchmarkedModel, BenchmarkResult, Energy, Sample, Speed
from engines.errors import OptionRejected
from engines.families import find_family
from engines.gguf import GgufHeader, read_header
from engines.opening import Host, open_engine
from engines.protocol import Done, Engine, LoadOptions, Message, Prompt, Sampling, Usage

_SPARE_TOKENS = 64
"""Room in the context window behind the prompt of pp512."""
_MOST_ANSWERS = 64
"""For one measurement of tg128: models that say little are asked again and again."""
_MOST_MINUTES = 24 * 60
_MOST_REPETITIONS = 100
_DEFAULT_OPTIONS = LoadOptions()


@dataclass(frozen=True, slots=True)
class BenchmarkPlan:
    """What is to be measured."""

    repetitions: int = 3
    prompt_tokens: int = 512
    generated_tokens: int = 128
    minutes: float = 0.0
    """Of a series of answers without a break; 0 for none."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense.

        Raises:
            OptionRejected: names the first value.
        """
        limits = {
            "repetitions": (1, _MOST_REPETITIONS),
            "prompt_tokens": (16, 1 << 20),
            "generated_tokens": (2, 1 << 20),
            "minutes": (0, _MOST_MINUTES),
        }
        for option, (least, most) in limits.items():
            if not least <= getattr(self, option) <= most:
                raise OptionRejected(option, f"not within {least} and {most}")


class BenchmarkStage(StrEnum):
    """What is being measured."""

    LOADING = "loading"
    PROMPT = "prompt"
    GENERATION = "generation"
    SUSTAINED = "sustained"


@dataclass(frozen=True, slots=True)
class BenchmarkProgress:
    """How far it is."""

    stage: BenchmarkStage
    share: float
    """Of this stage, from 0 to 1."""
    tokens_per_second: float | None = None
    """What was measured last."""


Listener = Callable[[BenchmarkProgress], None]


async def measure(
    path: Path,
    plan: BenchmarkPlan,
    options: LoadOptions = _DEFAULT_OPTIONS,
    *,
    versions: Mapping[str, str],
    progress: Listener = lambda _: None,
    host: Host = "auto",
) -> BenchmarkResult:
    """Open a model, measure it, and close it again. Cancelling the task ends that within milliseconds.

    Args:
        path: a chat model, or a base model, which is measured with plain text.
        plan: what to measure.
        options: how to load it; a context window too small for the plan is widened.
        versions: kept with the result.
        progress: called when a stage begins, and after every measurement.
        host: see `engines.opening.open_engine`.

    Raises:
        EngineError: it cannot be loaded, or cannot answer; see `open_engine` and `Engine.stream`.
    """
    header = await asyncio.to_thread(read_header, path)
    least = max(plan.prompt_tokens, 2 * plan.generated_tokens) + 2 * _SPARE_TOKENS
    if options.context_tokens < least:
        options = replace(options, context_tokens=least)
    load_before, others = system_load(), child_processes()
    progress(BenchmarkProgress(BenchmarkStage.LOADING, 0.0))
    began = perf_counter()
    engine = await open_engine(path, options, host=host)
    loaded = perf_counter() - began
    try:
        run = _Run(engine, plan, progress)
        prompt = await run.prompts()
        generation, energy = await run.generation()
        sustained = await run.sustained()
        peak = peak_memory(child_processes() - others)
    finally:
        await engine.close()
    now = datetime.datetime.now(datetime.UTC)
    return BenchmarkResult(
        id=f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}",
        measured_at=now.isoformat(timespec="seconds"),
        model=_describe(header),
        device=describe_device(load_before),
        settings=_without_folders(options),
        versions=dict(versions),
        prompt=prompt,
        generation=generation,
        first_token_seconds=statistics.median(run.waits) if run.waits else 0.0,
        load_seconds=loaded,
        peak_memory_bytes=peak,
        energy=energy,
        sustained=sustained,
    )


class _Run:
    """The measurements on one opened engine."""

    def __init__(self, engine: Engine, plan: BenchmarkPlan, progress: Listener) -> None:
        self._engine = engine
        self._plan = plan
        self._tell = progress
        self._questions = Questions(secrets.randbits(64))
        self.waits: list[float] = []
        """Seconds to the first token of every short question."""

    async def prompts(self) -> Speed:
        """pp512. What all prompts have in common, such as the template's own words, is read only once by the
        engine; so the prompts are that much longer, and only what is read counts."""
        plan, rates = self._plan, []
        self._tell(BenchmarkProgress(BenchmarkStage.PROMPT, 0.0))
        await self._ask(self._questions.short(), 2)
        common = (await self._ask(self._questions.short(), 2)).reused_tokens
        for number in range(plan.repetitions):
            message, _ = await self._questions.of_length(self._engine, plan.prompt_tokens + common)
            usage = await self._ask(message, 1)
            read = usage.prompt_tokens - usage.reused_tokens
            rates.append(read / usage.time_to_first_token if usage.time_to_first_token > 0 else 0.0)
            self._tell(BenchmarkProgress(BenchmarkStage.PROMPT, (number + 1) / plan.repetitions, rates[-1]))
        return Speed(plan.prompt_tokens, tuple(rates))

    async def generation(self) -> tuple[Speed, Energy | None]:
        """tg128, and what it took out of the battery or the socket."""
        plan, rates, tokens = self._plan, [], 0
        self._tell(BenchmarkProgress(BenchmarkStage.GENERATION, 0.0))
        meter = EnergyMeter()
        for number in range(plan.repetitions):
            rate, written = await self._generate(plan.generated_tokens)
            rates.append(rate)
            tokens += written
            self._tell(BenchmarkProgress(BenchmarkStage.GENERATION, (number + 1) / plan.repetitions, rate))
        joules = meter.joules()
        energy = None
        if meter.source is not None and joules is not None and tokens:
            energy = Energy(meter.source, joules, tokens)
        return Speed(plan.generated_tokens, tuple(rates)), energy

    async def sustained(self) -> tuple[Sample, ...]:
        """One answer after the other, until the time is over."""
        samples: list[Sample] = []
        seconds, began = self._plan.minutes * 60, perf_counter()
        while (passed := perf_counter() - began) < seconds:
            rate, _ = await self._generate(self._plan.generated_tokens)
            samples.append(Sample(passed, rate))
            share = min(1.0, (perf_counter() - began) / seconds)
            self._tell(BenchmarkProgress(BenchmarkStage.SUSTAINED, share, rate))
        return tuple(samples)

    async def _generate(self, tokens: int) -> tuple[float, int]:
        """Tokens per second, and how many tokens, of as many answers as it takes."""
        steps, written, seconds = 0, 0, 0.0
        for _ in range(_MOST_ANSWERS):
            usage = await self._ask(self._questions.short(), max(2, tokens - written))
            self.waits.append(usage.time_to_first_token)
            written += usage.answer_tokens
            steps += max(0, usage.answer_tokens - 1)
            seconds += usage.generation_seconds
            if written >= tokens:
                break
        return (steps / seconds if seconds > 0 else 0.0), written

    async def _ask(self, message: Message, tokens: int) -> Usage:
        """The most probable answer, which takes no time to choose: what counts is the model's work.

        A base model, which knows no questions, goes on with the text instead.
        """
        prompt = Prompt((message,), Sampling(temperature=0.0, repeat_penalty=1.0, max_tokens=tokens))
        if not self._engine.info.has_chat_template:
            prompt = replace(prompt, messages=(), completion=message.content)
        async with aclosing(self._engine.stream(prompt)) as deltas:
            async for delta in deltas:
                if isinstance(delta, Done):
                    return delta.usage
        raise RuntimeError("the stream ended without Done")


def _describe(header: GgufHeader) -> BenchmarkedModel:
    return BenchmarkedModel(
        name=header.name,
        file=header.path.name.encode("utf-8", "replace").decode(),
        bytes=header.file_bytes,
        architecture=header.architecture,
        family=find_family(header).name,
        quantisation=header.quantisation,
        parameters=header.parameters,
    )


def _without_folders(options: LoadOptions) -> LoadOptions:
    """The same options, with the names of adapters' files instead of the places where they lie."""
    adapters = (replace(adapter, path=Path(adapter.path.name)) for adapter in options.adapters)
    return replace(options, adapters=tuple(adapters))
