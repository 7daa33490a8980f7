"""Our streaming against llama.cpp's own loop, alternately, on the same file with the same threads.

    hatch run dev:python benchmarks/generation.py

The raw loop is `llama_decode` and a greedy sampler on the same library; ours is the whole way: child process,
pipe, asyncio, text. Both are given the numbers to 59 and count on: a small model neither ends that nor goes
in circles, and both write the same tokens. Further: what a JSON schema costs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from contextlib import aclosing
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import llama_cpp

from benchmarks.rounds import alternate, print_head, print_load, print_row, ratio, spread
from engines.library import find_starter
from engines.opening import open_engine
from engines.protocol import Done, JsonSchema, LoadOptions, Message, Prompt, Sampling

COUNTING = ", ".join(map(str, range(1, 60))) + ","
CONTEXT = 8192
OPTIONS = LoadOptions(context_tokens=CONTEXT, threads=1)
LINES = {"type": "array", "items": {"type": "string"}, "minItems": 40}
QUESTION = "Write a very long story about a robot who counts the waves by the sea. Describe every wave."


def raw_speed(path: Path, tokens: int) -> float:
    """Tokens per second of llama.cpp's own loop, in a fresh process and session as our engine has one.

    A busy machine shares its time between sessions: in this one, the loop would get half as much.
    """
    command = [sys.executable, __file__, "raw", str(path), str(tokens)]
    return float(subprocess.run(command, check=True, capture_output=True, start_new_session=True).stdout)


def raw_loop(path: str, tokens: int) -> float:
    """The loop itself."""
    model = llama_cpp.Llama(
        path, n_ctx=CONTEXT, n_threads=1, n_threads_batch=2, flash_attn=True, verbose=False
    )
    sampler = llama_cpp.llama_sampler_init_greedy()
    prompt = model.tokenize(COUNTING.encode())
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


async def _speeds(path: Path, prompts: list[Prompt]) -> list[float]:
    """Tokens per second of each answer."""
    engine = await open_engine(path, OPTIONS)
    speeds = []
    try:
        for prompt in prompts:
            async with aclosing(engine.stream(prompt)) as deltas:
                [usage] = [delta.usage async for delta in deltas if isinstance(delta, Done)]
            if usage.answer_tokens != prompt.sampling.max_tokens:
                raise RuntimeError(f"the answer ended after {usage.answer_tokens} tokens")
            speeds.append(usage.tokens_per_second)
    finally:
        await engine.close()
    return speeds


def our_speed(path: Path, tokens: int) -> float:
    """Tokens per second of our engine."""
    sampling = Sampling(temperature=0.0, repeat_penalty=1.0, max_tokens=tokens)
    [speed] = asyncio.run(_speeds(path, [Prompt((), sampling, completion=COUNTING)]))
    return speed


def cost_of_a_schema(path: Path, rounds: int) -> float:
    """Speed of an answer held to a schema against a free one: the median of ratios."""
    sampling = Sampling(temperature=0.0, max_tokens=128)
    free = Prompt((Message("user", QUESTION),), sampling)
    held = Prompt(free.messages, sampling, response=JsonSchema(json.dumps(LINES)))
    speeds = asyncio.run(_speeds(path, [held, free] * rounds))
    return ratio(speeds[::2], speeds[1::2])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, nargs="*", default=[128, 1000, 4000])
    options = parser.parse_args()
    path = options.model or find_starter()
    print_load("before")
    print_head("tokens", "raw loop, tokens/s", "ours, tokens/s", "ours / raw (median of rounds)")
    for tokens in options.tokens:
        figures = alternate(
            {"ours": partial(our_speed, path, tokens), "raw": partial(raw_speed, path, tokens)},
            options.rounds,
        )
        own, raw = figures["ours"], figures["raw"]
        print_row(tokens, spread(raw), spread(own), f"{ratio(own, raw):.2f}")
    print(f"\nHeld to a JSON schema: {cost_of_a_schema(path, options.rounds):.2f} of the speed")
    print_load("after")


if __name__ == "__main__":
    if sys.argv[1:2] == ["raw"]:
        print(raw_loop(sys.argv[2], int(sys.argv[3])))
    else:
        main()
