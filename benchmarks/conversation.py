"""How long a person waits: for the first word turn by turn, for another conversation, and for Stop.

    hatch run dev:python benchmarks/conversation.py

- first token: questions of equal length in one growing conversation;
- going back: two conversations in turn in one loaded model; the time to put one aside and bring the other
  back, against the time to read it;
- Stop: from `cancel()` to the end of the stream, while an answer is written and 0.3 s into a long prompt.
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

from benchmarks.rounds import print_head, print_load, print_row, spread
from engines.library import find_starter
from engines.llama_cpp.loading import check_file
from engines.llama_cpp.model import LoadedModel
from engines.llama_cpp.native import AbortSwitch
from engines.opening import open_engine
from engines.protocol import Done, Engine, LoadOptions, Message, Prompt, Sampling, Usage

OPTIONS = LoadOptions(context_tokens=8192, threads=1)
QUESTION = "Write a very long story about a robot who counts the waves by the sea. Describe every wave."
TURNS = 10
WARMING = "Hello."


async def _answered(engine: Engine, messages: list[Message], tokens: int) -> tuple[str, Usage]:
    """An answer of at most so many tokens, and what it cost."""
    prompt = Prompt(tuple(messages), Sampling(temperature=0.0, max_tokens=tokens))
    text = ""
    async with aclosing(engine.stream(prompt)) as deltas:
        async for delta in deltas:
            if isinstance(delta, Done):
                return text, delta.usage
            text += delta.text
    raise RuntimeError("the stream ended without Done")


async def first_tokens(path: Path, rounds: int) -> list[list[Usage]]:
    """What each turn costs, in one conversation per round; the model has answered something before."""
    engine = await open_engine(path, OPTIONS)
    conversations = []
    try:
        for number in range(rounds):
            await _answered(engine, [Message("user", WARMING)], 1)
            messages: list[Message] = []
            usages = []
            for turn in range(TURNS):
                messages.append(
                    Message("user", f"Question {number}{turn}: tell me one more thing about the sea.")
                )
                text, usage = await _answered(engine, messages, 60)
                messages.append(Message("assistant", text))
                usages.append(usage)
            conversations.append(usages)
    finally:
        await engine.close()
    return conversations


def going_back(path: Path, sentences: int, rounds: int) -> tuple[int, list[float], list[float]]:
    """Tokens of a conversation; milliseconds to put another aside and bring it back, and to read it again."""
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
                switching.append((rewound - began) * 1000)
            else:
                reading.append((time.perf_counter() - rewound) * 1000)
    finally:
        model.free()
    return len(topics[0]), switching, reading


async def stopping(path: Path, rounds: int) -> tuple[list[float], list[float]]:
    """Milliseconds from Stop to the end of the stream: while it writes, and while it reads."""
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
                writing.append((time.perf_counter() - began) * 1000)
            long = Message("user", f"{number} " + QUESTION * 200)
            task = asyncio.create_task(_answered(engine, [long], 1))
            await asyncio.sleep(0.3)
            began = time.perf_counter()
            engine.cancel()
            await task
            reading.append((time.perf_counter() - began) * 1000)
    finally:
        await engine.close()
    return writing, reading


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=None)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    path = options.model or find_starter()
    print_load("before")
    conversations = asyncio.run(first_tokens(path, options.rounds))
    print_head("turn", "new tokens", "first token, ms", "against turn 1")
    first = 0.0
    for turn in (0, 1, TURNS - 1):
        usages = [conversation[turn] for conversation in conversations]
        new = statistics.median(usage.prompt_tokens - usage.reused_tokens for usage in usages)
        waits = [usage.time_to_first_token * 1000 for usage in usages]
        first = first or statistics.median(waits)
        print_row(turn + 1, f"{new:.0f}", spread(waits, 0), f"{statistics.median(waits) / first:.2f}")
    print_head("conversation, tokens", "back, ms", "read again, ms", "ratio")
    for sentences in (50, 150, 600):
        tokens, back, again = going_back(path, sentences, options.rounds)
        times = statistics.median(again) / statistics.median(back)
        print_row(tokens, spread(back), spread(again, 0), f"{times:.0f}")
    writing, reading = asyncio.run(stopping(path, options.rounds))
    print_head("Stop", "ms")
    print_row("while writing", spread(writing))
    print_row("while reading", spread(reading))
    print_load("after")


if __name__ == "__main__":
    main()
