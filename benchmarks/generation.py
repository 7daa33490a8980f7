"""Our streaming against llama.cpp's own loop, alternately, on the same file with the same threads.

    hatch run dev:python benchmarks/generation.py

Prints ratios as a Markdown table. The raw loop is `llama_decode` and a greedy sampler on the
same library; ours is the whole way: child process, pipe, asyncio, text.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from contextlib import aclosing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import llama_cpp

from engines.library import find_starter
from engines.opening import open_engine
from engines.protocol import Done, Engine, LoadOptions, Message, Prompt, Sampling, Usage

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


async def first_token_by_turn(path: Path, turns: int) -> list[float]:
    """Seconds to the first token at each turn of one growing conversation."""
    engine = await open_engine(path, OPTIONS)
    messages: list[Message] = []
    seconds = []
    try:
        for turn in range(turns):
            messages.append(Message("user", f"Question {turn}: tell me one more thing about the sea."))
            text, usage = await answered(engine, messages, 60)
            messages.append(Message("assistant", text))
            seconds.append(usage.time_to_first_token)
    finally:
        await engine.close()
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, nargs="+", default=[128, 1000])
    options = parser.parse_args()
    path = options.model or find_starter()
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
    by_turn = asyncio.run(first_token_by_turn(path, 10))
    print(f"\nTime to first token: turn 1 {by_turn[0]:.3f} s, turn 10 {by_turn[-1]:.3f} s")


if __name__ == "__main__":
    main()
