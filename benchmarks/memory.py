"""Memory: our engine's process against llama-cpp-python alone after the same work; the app without a model.

    hatch run dev:python benchmarks/memory.py

Private memory (USS) is what ends with the process; PSS adds its share of what several processes use, such as
the model file; the peak is the most it ever had (VmHWM). Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psutil

from benchmarks.rounds import print_head, print_row
from engines.library import find_starter
from engines.opening import open_engine
from engines.protocol import LoadOptions, Prompt, Sampling

ROOT = Path(__file__).resolve().parent.parent
CONTEXT, BATCH, WRITTEN = 4096, 512, 64
TEXT = "The keeper counted the waves, one after the other, and wrote them down. " * 60

ALONE = f"""
import sys, llama_cpp
model = llama_cpp.Llama(sys.argv[1], n_ctx={CONTEXT}, n_batch={BATCH}, n_ubatch={BATCH}, n_threads=1,
                        n_threads_batch=2, flash_attn=True, verbose=False)
tokens = model.generate(model.tokenize(sys.argv[2].encode()), temp=0.0)
for _, token in zip(range({WRITTEN}), tokens):
    pass
print("ready", flush=True)
sys.stdin.read()
"""

SERVICES = """
import asyncio, sys
from app.services import open_services
async def main():
    services = open_services()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await services.close()
asyncio.run(main())
"""

NOTHING = "import sys; print('ready', flush=True); sys.stdin.read()"


def taken(number: int) -> tuple[float, float, float]:
    """USS, PSS and peak of a process, in MB."""
    memory = psutil.Process(number).memory_full_info()
    status = Path(f"/proc/{number}/status").read_text(encoding="utf-8")
    peak = re.search(r"VmHWM:\s+(\d+)", status)
    return memory.uss / 1e6, memory.pss / 1e6, int(peak[1]) * 1024 / 1e6 if peak else 0.0


def of_program(code: str, *arguments: str, home: Path | None = None) -> tuple[float, float, float]:
    """What a Python program has taken once it says that it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=_environment(home),
        text=True,
    )
    try:
        for line in process.stdout or ():
            if line.strip() == "ready":
                return taken(process.pid)
        raise RuntimeError("the program has ended")
    finally:
        process.communicate()


def of_app(home: Path) -> tuple[float, float, float]:
    """What `dai web` has taken once its page can be had and nobody has opened it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "app.cli", "web", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=_environment(home), stdout=subprocess.DEVNULL)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).read()
                return taken(process.pid)
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("no page after a minute")
    finally:
        process.terminate()
        process.wait()


async def of_engine(path: Path) -> tuple[float, float, float]:
    """What our engine's process has taken after it has read and written."""
    engine = await open_engine(path, LoadOptions(context_tokens=CONTEXT, batch_tokens=BATCH, threads=1))
    try:
        prompt = Prompt((), Sampling(temperature=0.0, max_tokens=WRITTEN), completion=TEXT)
        async with aclosing(engine.stream(prompt)) as deltas:
            async for _ in deltas:
                pass
        [child] = psutil.Process().children()
        return taken(child.pid)
    finally:
        await engine.close()


def _environment(home: Path | None) -> dict[str, str]:
    return os.environ | ({"DAI_HOME": str(home)} if home else {})


def _row(name: str, figures: Sequence[float], alone: Sequence[float] | None = None) -> None:
    cells = [f"{figure:.0f}" for figure in figures]
    if alone is not None:
        cells = [
            f"{cell} ({own / other:.2f})" for cell, own, other in zip(cells, figures, alone, strict=True)
        ]
    print_row(name, *cells)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=None)
    path = parser.parse_args().model or find_starter()
    alone = of_program(ALONE, str(path), TEXT)
    print_head("MB", "private", "with its share (PSS)", "peak")
    _row("llama-cpp-python alone", alone)
    _row("our engine's process", asyncio.run(of_engine(path)), alone)
    with tempfile.TemporaryDirectory() as folder:
        _row("app, no model: `dai web`", of_app(Path(folder)))
        _row("app, no model: its services, no screen", of_program(SERVICES, home=Path(folder)))
    _row("an empty Python", of_program(NOTHING))


if __name__ == "__main__":
    main()
