"""Our streaming against llama.cpp's own loop, alternately, on the same file with the same threads.

    hatch run dev:python benchmarks/generation.py

Prints ratios as Markdown tables. The raw loop is `llama_decode` and a greedy sampler on the
same library; ours is the whole way: child process, pipe, asyncio, text. Further: going back to another
conversation against reading it again, how long Stop takes, how the time to the first token grows, and what
a JSON schema costs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from contextlib import aclosing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import llama_cpp

from engines.library import find_starter
from engines.llama_cpp.loading import check_file
from engines.llama_cpp.model import LoadedModel
from engines.llama_cpp.native import AbortSwitch
from engines.opening import open_engine
from engines.protocol import Done, Engine, JsonSchema, LoadOptions, Message, Prompt, Sampling, Usage

QUESTION = "Write a very long story about a robot who counts the waves by the sea. Describe every wave."
CONTEXT = 8192
OPTIONS = LoadOptions(context_tokens=CONTEXT, threads=1)


def raw_loop(path: Path, tokens: int) -> float:
    """Tokens per second of llama.cpp's own loop, ignoring the end of the turn."""
    model = llama_cpp.Llama(
        str(path), n_ctx=CONTEXT, n_threads=1, n_threads_batch=2, flash_attn=True, verbose=False
    )
    sampler = llama_cpp.llama_sampler_init_greedy()
    prompt = model.tokenize(QUESTION.encode())
    batch = (llama_cpp.llama_token * len(prompt))(*prompt)
    llama_cpp.llama_decode(model.ctx, llama_cpp.llama_batch_get_one(batch, len(prompt)))
    one = (llama_cpp.llama_token * 1)()
    one[0] = llama_cpp.llama_sampler_sample(sampler, model.ctx, -1)
    started = time.perf_counter()
    for _ in range(tokens - 1):
        llama_cpp.llama_decode(model.ctx, llama_cpp.llama_batch_get_one(one, 1))
        one[0] = llama_cpp.llama_sampler_sample(sampler, model.ctx, -1)
    seconds = time.perf_counter() - started
    llama_cpp.llama_sampler_free(sampler)
    model.close()
    return (tokens - 1) / seconds


async def answered(engine: Engine, messages: list[Message], tokens: int) -> tuple[str, Usage]:
    """An answer of at most so many tokens, and what it cost."""
    prompt = Prompt(tuple(messages), Sampling(temperature=0.0, max_tokens=tokens))
    text = ""
    usage: Usage | None = None
    async with aclosing(engine.stream(prompt)) as deltas:
        async for delta in deltas:
            if isinstance(delta, Done):
                usage = delta.usage
            else:
                text += delta.text
    if usage is None:
        raise RuntimeError("the stream ended without Done")
    return text, usage


async def our_speed(path: Path, tokens: int) -> tuple[float, int]:
    """Tokens per second of our engine, and how many tokens the model really wrote."""
    engine = await open_engine(path, OPTIONS)
    try:
        _, usage = await answered(engine, [Message("user", QUESTION)], tokens)
    finally:
        await engine.close()
    return usage.tokens_per_second, usage.answer_tokens


async def first_token_by_turn(path: Path, turns: int) -> list[Usage]:
    """What each turn of one growing conversation costs; every question has the same length."""
    engine = await open_engine(path, OPTIONS)
    messages: list[Message] = []
    usages = []
    try:
        for turn in range(turns):
            messages.append(Message("user", f"Question {turn}: tell me one more thing about the sea."))
            text, usage = await answered(engine, messages, 60)
            messages.append(Message("assistant", text))
            usages.append(usage)
    finally:
        await engine.close()
    return usages


def conversation_switch(path: Path, sentences: int, rounds: int) -> tuple[int, float, float]:
    """Tokens of a conversation; seconds to put another aside and bring it back, and to read it again."""
    model = LoadedModel(check_file(path), OPTIONS, AbortSwitch())
    topics = [
        model.vocabulary.tokens(f"{topic}: " + "The keeper counted the waves. " * sentences, special=False)
        for topic in ("Sea", "Wind")
    ]
    switching, reading = [], []
    try:
        for number in range(2 * rounds + 2):
            tokens = topics[number % 2]
            began = time.perf_counter()
            known = model.rewind(tokens)
            rewound = time.perf_counter()
            model.read(tokens[known:], lambda: None)
            if known > len(tokens) // 2:
                switching.append(rewound - began)
            else:
                reading.append(time.perf_counter() - rewound)
    finally:
        model.free()
    return len(topics[0]), statistics.median(switching), statistics.median(reading)


async def stop_latency(path: Path, rounds: int) -> tuple[float, float]:
    """Seconds from Stop to the end of the stream: while the answer is written, and while a prompt is read."""
    engine = await open_engine(path, OPTIONS)
    writing, reading = [], []
    try:
        for number in range(rounds):
            async with aclosing(engine.stream(Prompt((Message("user", QUESTION),)))) as deltas:
                await anext(deltas)
                began = time.perf_counter()
                engine.cancel()
                async for _ in deltas:
                    pass
                writing.append(time.perf_counter() - began)
            long = Message("user", f"{number} " + QUESTION * 200)
            task = asyncio.create_task(answered(engine, [long], 1))
            await engine.count_texts(["asked for after the answer"])
            await asyncio.sleep(0.3)
            began = time.perf_counter()
            engine.cancel()
            await task
            reading.append(time.perf_counter() - began)
    finally:
        await engine.close()
    return statistics.median(writing), statistics.median(reading)


async def cost_of_a_schema(path: Path, rounds: int) -> float:
    """Speed of an answer held to a schema against a free one: the median of ratios."""
    lines = {"type": "array", "items": {"type": "string"}, "minItems": 40}
    form = JsonSchema(json.dumps(lines))
    engine = await open_engine(path, OPTIONS)
    ratios = []
    try:
        for _ in range(rounds):
            speeds = []
            for response in (form, None):
                prompt = Prompt(
                    (Message("user", QUESTION),), Sampling(temperature=0.0, max_tokens=128), response=response
                )
                async with aclosing(engine.stream(prompt)) as deltas:
                    [usage] = [delta.usage async for delta in deltas if isinstance(delta, Done)]
                speeds.append(usage.tokens_per_second)
            ratios.append(speeds[0] / speeds[1])
    finally:
        await engine.close()
    return statistics.median(ratios)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, nargs="*", default=[128, 1000, 4000])
    options = parser.parse_args()
    path = options.model or find_starter()
    print(f"Load before: {_load()}\n")
    print("| tokens | raw loop, tokens/s | ours, tokens/s | ours / raw (median of rounds) |")
    print("| --- | --- | --- | --- |")
    for wanted in options.tokens:
        pairs = []
        for _ in range(options.rounds):
            ours, written = asyncio.run(our_speed(path, wanted))
            pairs.append((raw_loop(path, written), ours))
        raw = statistics.median(pair[0] for pair in pairs)
        own = statistics.median(pair[1] for pair in pairs)
        ratio = statistics.median(ours / raw_speed for raw_speed, ours in pairs)
        print(f"| {written} | {raw:.1f} | {own:.1f} | {ratio:.2f} |", flush=True)
    print("\n| conversation, tokens | back with the cache, ms | read again, ms | ratio |")
    print("| --- | --- | --- | --- |")
    for sentences in (50, 150, 600):
        tokens, cached, again = conversation_switch(path, sentences, options.rounds)
        print(f"| {tokens} | {cached * 1000:.1f} | {again * 1000:.0f} | {again / cached:.0f} |", flush=True)
    writing, reading = asyncio.run(stop_latency(path, options.rounds))
    print(f"\nStop: {writing * 1000:.1f} ms while writing, {reading * 1000:.1f} ms while reading the prompt")
    usages = asyncio.run(first_token_by_turn(path, 10))
    for turn, usage in ((1, usages[0]), (2, usages[1]), (10, usages[-1])):
        new = usage.prompt_tokens - usage.reused_tokens
        print(f"Turn {turn}: first token after {usage.time_to_first_token:.3f} s, {new} new tokens")
    print(f"\nHeld to a JSON schema: {asyncio.run(cost_of_a_schema(path, options.rounds)):.2f} of the speed")
    print(f"\nLoad after: {_load()}")


def _load() -> str:
    return " ".join(f"{value:.2f}" for value in os.getloadavg()) if hasattr(os, "getloadavg") else "unknown"


if __name__ == "__main__":
    main()
