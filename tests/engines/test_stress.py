"""Hundreds of random operations on an engine: every answer ends, and nothing is left behind."""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engines.errors import EngineCrashed, EngineNotLoaded
from engines.opening import open_engine
from engines.protocol import (
    Done,
    Engine,
    Finish,
    JsonSchema,
    LoadOptions,
    Message,
    Priority,
    Prompt,
    Sampling,
)
from tests.engines.asking import Answer, ask, question
from tests.engines.child_processes import children
from tests.engines.leftovers import leftovers, own_temporary_folder, settled
from tests.engines.tiny_gguf import make_tiny_gguf

SECONDS = 60.0
"""Nothing takes longer, however busy the machine is."""
WORDS = "one two three four"
HOSTS = [
    pytest.param("process", marks=pytest.mark.desktop("a child process")),
    "thread",
    pytest.param("xllamacpp", marks=[pytest.mark.desktop("xllamacpp"), pytest.mark.slow]),
]


class Life:
    """One engine, asked, stopped, left, closed, opened and killed at random."""

    def __init__(self, path: Path, host: str, seed: int) -> None:
        self._path = path
        self._host = host
        self._dice = random.Random(f"{host} {seed}")
        self._engine: Engine | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.ends: dict[str, int] = {}

    async def live(self, operations: int) -> None:
        for _ in range(operations):
            await self._step()
            if len(self._tasks) > 6:
                await self._settle()
        await self._settle()
        engine = await self._opened()
        async with asyncio.timeout(SECONDS):
            assert (await ask(engine, question(max_tokens=4))).text == WORDS
        await engine.close()

    async def _opened(self) -> Engine:
        if self._engine is None:
            where: dict[str, Any] = (
                {"engine": "xllamacpp"} if self._host == "xllamacpp" else {"host": self._host}
            )
            options = LoadOptions(context_tokens=512, batch_tokens=self._dice.choice((32, 512)))
            self._engine = await open_engine(self._path, options, **where)
        return self._engine

    async def _step(self) -> None:
        engine = await self._opened()
        match self._dice.randrange(12):
            case 0 | 1 | 2:
                self._start(self._read(engine, self._prompt(), self._dice.choice((1, 5, 40))))
            case 3:
                self._start(self._leave(engine, self._prompt(), self._dice.randrange(4)))
            case 4:
                task = self._start(self._read(engine, self._prompt(), 200))
                for _ in range(self._dice.randrange(12)):
                    await asyncio.sleep(0)
                task.cancel()
            case 5 | 6:
                engine.cancel()
            case 7:
                self._start(self._count(engine))
            case 8:
                self._start(self._read(engine, self._prompt(priority=Priority.BACKGROUND, group="b"), 60))
            case 9:
                form = JsonSchema('{"type": "object", "properties": {"a": {"type": "integer"}}}')
                self._start(self._read(engine, self._prompt(response=form), 10))
            case 10 if self._dice.random() < 0.3:
                self._engine = None
                await engine.close()
            case 11 if self._host == "process" and self._dice.random() < 0.3:
                for child in children():
                    child.kill()
            case _:
                await asyncio.sleep(0)

    def _prompt(self, **options: Any) -> Prompt:
        topic = self._dice.choice(("weather ", "business ", "art "))
        return question(topic * self._dice.choice((1, 10, 20)), **options)

    def _start(self, work: Any) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        return task

    async def _settle(self) -> None:
        engine, tasks = self._engine, self._tasks
        self._tasks = set()
        async with asyncio.timeout(SECONDS):
            while pending := [task for task in tasks if not task.done()]:
                if engine is not None:
                    engine.cancel()
                await asyncio.wait(pending, timeout=0.05)
        for task in tasks:
            if not task.cancelled():
                task.result()

    async def _read(self, engine: Engine, prompt: Prompt, tokens: int) -> None:
        answer = Answer()
        try:
            await ask(engine, replace(prompt, sampling=Sampling(max_tokens=tokens)), answer=answer)
        except (EngineNotLoaded, EngineCrashed) as error:
            self._note(type(error).__name__)
            return
        self._note(answer.finish)
        if prompt.response is None and answer.text:
            assert answer.text.startswith(WORDS[: len(answer.text)])
        if answer.finish is Finish.MAX_TOKENS:
            assert answer.usage.answer_tokens == tokens

    async def _leave(self, engine: Engine, prompt: Prompt, after: int) -> None:
        try:
            async with aclosing(engine.stream(prompt)) as deltas:
                for _ in range(after):
                    if isinstance(await anext(deltas), Done):
                        break
        except (EngineNotLoaded, EngineCrashed) as error:
            self._note(type(error).__name__)

    async def _count(self, engine: Engine) -> None:
        try:
            assert (await engine.count_texts(["one two", ""]))[1] == 0
            assert await engine.count_tokens([Message("user", "hello")]) > 0
        except (EngineNotLoaded, EngineCrashed) as error:
            self._note(type(error).__name__)

    def _note(self, end: str) -> None:
        self.ends[end] = self.ends.get(end, 0) + 1


async def live_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, operations: int) -> None:
    folder = own_temporary_folder(tmp_path, monkeypatch)
    path = make_tiny_gguf(tmp_path / "model.gguf", reply=WORDS, loop=True)
    await Life(path, host, seed=0).live(5)  # what is made once for the whole program is there from now on
    before = leftovers(folder)

    life = Life(path, host, seed=1)
    await life.live(operations)

    after = await settled(folder, before)
    assert (after.processes, after.files) == (0, 0)
    assert after.threads <= before.threads, "those of tests before this one do not count"
    assert after.descriptors <= before.descriptors
    assert len(life.ends) > 1


@pytest.mark.parametrize("host", HOSTS)
async def test_random_use_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    await live_through(tmp_path, monkeypatch, host, operations=40)


@pytest.mark.slow
@pytest.mark.parametrize("host", HOSTS)
async def test_much_random_use_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    await live_through(tmp_path, monkeypatch, host, operations=300)
