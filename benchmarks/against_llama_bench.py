"""`dai bench` against llama-bench's own loops, alternately, on the same file with the same threads.

    hatch run dev:python benchmarks/against_llama_bench.py

Prints ratios as a Markdown table. The raw loops are those of llama-bench, through the same library: pp512 is
one call for 512 random tokens in an empty context, tg128 are 128 calls for one random token each, nothing is
sampled. Ours is `engines.benchmark`: the whole way from a question to text, in a child process.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import llama_cpp

from engines.benchmark import BenchmarkPlan, measure
from engines.benchmark.device import system_load
from engines.library import find_starter
from engines.protocol import LoadOptions

CONTEXT = 1024
THREADS = 1
PROMPT, GENERATED = 512, 128


def raw(path: Path) -> tuple[float, float]:
    """Tokens per second of reading and of generating, as llama-bench measures them."""
    model = llama_cpp.Llama(
        str(path),
        n_ctx=CONTEXT,
        n_batch=PROMPT,
        n_threads=THREADS,
        n_threads_batch=THREADS,
        flash_attn=True,
        verbose=False,
    )
    memory = llama_cpp.llama_get_memory(model.ctx)
    vocabulary = model.n_vocab()
    tokens = (llama_cpp.llama_token * PROMPT)(*random.choices(range(vocabulary), k=PROMPT))

    def decode(batch: object) -> None:
        if llama_cpp.llama_decode(model.ctx, batch):
            raise RuntimeError("llama_decode failed")
        llama_cpp.llama_synchronize(model.ctx)

    def read() -> float:
        llama_cpp.llama_memory_clear(memory, True)  # noqa: FBT003
        started = time.perf_counter()
        decode(llama_cpp.llama_batch_get_one(tokens, PROMPT))
        return PROMPT / (time.perf_counter() - started)

    def generate() -> float:
        llama_cpp.llama_memory_clear(memory, True)  # noqa: FBT003
        one = (llama_cpp.llama_token * 1)()
        started = time.perf_counter()
        for index in range(GENERATED):
            one[0] = tokens[index]
            decode(llama_cpp.llama_batch_get_one(one, 1))
        return GENERATED / (time.perf_counter() - started)

    decode(llama_cpp.llama_batch_get_one(tokens, 16))  # as llama-bench does, to warm up
    result = read(), generate()
    model.close()
    return result


def ours(path: Path) -> tuple[float, float]:
    """The same from `dai bench`, one repetition."""
    options = LoadOptions(context_tokens=CONTEXT, threads=THREADS, prompt_threads=THREADS)
    plan = BenchmarkPlan(repetitions=1, prompt_tokens=PROMPT, generated_tokens=GENERATED)
    result = asyncio.run(measure(path, plan, options, versions={}))
    return result.prompt.median, result.generation.median


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=None)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    path = options.model or find_starter()
    print(f"load before: {system_load()}")
    rounds = [(ours(path), raw(path)) for _ in range(options.rounds)]
    print(f"load after: {system_load()}\n")
    print("| | llama-bench's loop, tokens/s | dai bench, tokens/s | ratio (median of rounds) |")
    print("| --- | --- | --- | --- |")
    for index, name in enumerate((f"pp{PROMPT}", f"tg{GENERATED}")):
        own = [pair[0][index] for pair in rounds]
        bare = [pair[1][index] for pair in rounds]
        ratio = statistics.median(mine / theirs for mine, theirs in zip(own, bare, strict=True))
        print(f"| {name} | {statistics.median(bare):.1f} | {statistics.median(own):.1f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
