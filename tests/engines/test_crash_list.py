"""What is known to end a process with llama.cpp in it, or to make it wrong without a word.

Each line of the list is prevented before it reaches llama.cpp, so that it is harmless in a thread too, as on
a phone; where that cannot be, it ends a child process: the error has a name, the text so far stays, the next
prompt starts another child. Where each is tested:

Ends the process
    the file cut off or written over while it is loaded: here; within an answer: test_process_engine
    no memory while an answer is written, or at loading: here
    a grammar that is none, with left recursion, without root: here, test_constrained_answers
    a grammar or schema that would take for ever, or gigabytes: test_grammar_cost
    used after closing; closed within an answer or a prompt, while others wait: conformance, here
    two callers at once: conformance (they wait in a queue), test_stress
    `kv_overrides`: not to be had; a senseless cache type: test_options
    a prompt longer than a batch, a choice before anything was read (an empty prompt): here
    killed from outside, frozen, or by any signal: test_process_engine, test_xllamacpp_engine
    two equal tokens, no or too many blocks: test_opening
Raises something in Python
    missing, empty, cut off, damaged, unknown files; adapters; broken templates: test_opening, here
    endless and greedy templates: conformance, test_template_sandbox
    sizes that make no sense: test_options; a prompt larger than the window: conformance
    lone surrogates, NUL: conformance
Wrong without a word
    damaged weights: test_checking_files; a missing or wrong adapter: test_adapters
    a window larger than trained, long tokens, stray bytes, no chat template: conformance
    JSON schemas that are ignored or cut off: test_constrained_answers; threads below one: test_options

What an app does about a crash is tested in tests/app/core/test_crashes.py.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from engines.errors import (
    EngineCrashed,
    EngineError,
    EngineNotLoaded,
    ModelFileDamaged,
    ModelFileError,
    NotEnoughMemory,
    OptionRejected,
)
from engines.llama_cpp.engine import LlamaCppEngine
from engines.llama_cpp.process_channel import ProcessChannel
from engines.opening import open_engine
from engines.protocol import Engine, Finish, Grammar, JsonSchema, LoadOptions, Prompt, Sampling
from tests.engines.asking import Answer, ask, question
from tests.engines.test_opening import BROKEN
from tests.engines.tiny_gguf import make_tiny_gguf

XLLAMACPP = "xllamacpp"
HOSTS = [
    pytest.param("process", marks=pytest.mark.desktop("a child process")),
    "thread",
    pytest.param(XLLAMACPP, marks=[pytest.mark.desktop("xllamacpp"), pytest.mark.slow]),
]

Open = Callable[..., Any]


@pytest.fixture(params=HOSTS)
def host(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    if kind == XLLAMACPP:
        pytest.importorskip("xllamacpp")
    return kind


@pytest.fixture
async def open_file(host: str) -> AsyncIterator[Open]:
    engines: list[Engine] = []

    async def open_(path: Path, **options: Any) -> Engine:
        where: Any = {"engine": host} if host == XLLAMACPP else {"host": host}
        engines.append(await open_engine(path, LoadOptions(**options), **where))
        return engines[-1]

    yield open_
    for engine in engines:
        await engine.close()


async def test_a_file_that_was_cut_off_while_nobody_asked_is_damaged(scripted) -> None:
    engine = await scripted("Hello.")
    os.truncate(engine.info.path, 100_000)

    with pytest.raises(ModelFileDamaged) as caught:
        await ask(engine)

    assert caught.value.path == engine.info.path


async def test_a_file_that_was_written_over_answers_as_what_it_is_now(scripted, tmp_path: Path) -> None:
    engine = await scripted("I am the old one.")
    assert (await ask(engine)).text == "I am the old one."
    other = make_tiny_gguf(tmp_path / "other.gguf", reply="I am the new one!")
    engine.info.path.write_bytes(other.read_bytes())

    assert (await ask(engine)).text == "I am the new one!"


@pytest.mark.parametrize("how", ["deleted", "replaced"])
async def test_a_file_that_was_deleted_or_replaced_stays_in_memory(
    scripted, tmp_path: Path, how: str
) -> None:
    engine = await scripted("Still here.")
    if how == "deleted":
        engine.info.path.unlink()
    else:
        make_tiny_gguf(tmp_path / "other.gguf", reply="Another.").replace(engine.info.path)

    assert (await ask(engine)).text == "Still here."


async def test_without_a_map_of_the_file_nothing_that_happens_to_it_matters(scripted) -> None:
    engine = await scripted("for ever and", loop=True, load={"use_mmap": False})
    answer = Answer()

    await ask(
        engine,
        question(max_tokens=40),
        answer=answer,
        after_each=lambda: os.truncate(engine.info.path, 4_096),
    )

    assert answer.finish is Finish.MAX_TOKENS
    assert (await ask(engine, question(max_tokens=3))).text == "for ever and"


FORMS = [
    Grammar("root ::= missing"),
    Grammar("other ::= [a-z]+"),
    Grammar('root ::= root "a" | "b"'),
    Grammar('root ::= a\na ::= b?\nb ::= a "x"'),
    Grammar("root ::= " + "(" * 100_000),
    Grammar("root ::= [a"),
    Grammar('root ::= "a'),
    Grammar('root ::= "a"{99999999999999999999}'),
    JsonSchema("not json"),
    JsonSchema('{"$ref": "#/$defs/missing"}'),
]


async def test_a_form_that_is_none_is_refused_and_kills_nothing(scripted) -> None:
    engine = await scripted("Hello.")

    for form in FORMS:
        with pytest.raises(OptionRejected):
            await ask(engine, question(response=form, max_tokens=20))

    assert (await ask(engine)).text == "Hello."


async def test_a_prompt_is_read_in_batches_however_long_it_is(scripted) -> None:
    engine = await scripted("Read.", load={"batch_tokens": 16})

    assert (await ask(engine, "x" * 1_000)).text == "Read."


@pytest.mark.parametrize("prompt", [Prompt(()), Prompt((), completion="")], ids=["no message", "no text"])
async def test_an_empty_prompt_kills_nothing(scripted, prompt: Prompt) -> None:
    engine = await scripted("Hello.")

    answer = await ask(engine, replace(prompt, sampling=Sampling(max_tokens=4)))

    assert answer.finish in (Finish.END_OF_TURN, Finish.MAX_TOKENS)
    assert (await ask(engine)).text == "Hello."


async def test_closing_while_answers_are_written_counted_and_waited_for_harms_nothing(scripted) -> None:
    engine = await scripted("for ever and", loop=True)

    async def endless(text: str) -> None:
        with suppress(EngineNotLoaded):
            await ask(engine, text)

    async def count() -> None:
        with suppress(EngineNotLoaded):
            while True:
                await engine.count_texts(["some words"] * 200)

    async with aclosing(engine.stream(question())) as deltas:
        await anext(deltas)
        async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
            for work in (endless("one"), endless("two"), count(), count()):
                tasks.create_task(work)
            await engine.count_texts(["they have all begun"])
            await engine.close()

    with pytest.raises(EngineNotLoaded):
        await ask(engine)


@pytest.mark.slow
@pytest.mark.desktop("xllamacpp")
async def test_a_broken_file_has_the_same_name_in_every_engine(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    for number, (case, (spoil, error)) in enumerate(BROKEN.items()):
        path = tmp_path / f"{number}.gguf"
        spoil(path)

        with pytest.raises(EngineError) as caught:
            await open_engine(path, engine=XLLAMACPP)

        assert type(caught.value) is error, case
        if isinstance(caught.value, ModelFileError):
            assert caught.value.path == path


@pytest.mark.desktop("a child process")
@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit a process's memory")
class TestLittleMemory:
    """The system's own refusals, which only a child process can have for itself."""

    @pytest.fixture
    def run_out(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], object]:
        path = tmp_path / "order"
        monkeypatch.setenv("DAI_TEST_LITTLE_MEMORY", str(path))
        return path.write_text

    @pytest.fixture
    async def engine(self, tmp_path: Path, run_out: object) -> AsyncIterator[LlamaCppEngine]:
        path = make_tiny_gguf(tmp_path / "model.gguf", reply="Hello.")
        start = partial(ProcessChannel, program="tests.engines.child_of_little_memory")
        engine = LlamaCppEngine(path, LoadOptions(), start)
        yield engine
        await engine.close()

    async def test_no_memory_at_loading_is_told_and_the_next_try_works(
        self, engine: LlamaCppEngine, run_out: Callable[[str], object]
    ) -> None:
        run_out("at once")

        with pytest.raises((NotEnoughMemory, EngineCrashed)):
            await asyncio.wait_for(engine.open(), 60)

        await engine.open()
        assert (await ask(engine)).text == "Hello."

    async def test_no_memory_within_an_answer_costs_that_answer(
        self, engine: LlamaCppEngine, run_out: Callable[[str], object]
    ) -> None:
        await engine.open()
        run_out("answer")
        form = JsonSchema('{"type": "object", "properties": {"a": {"type": "string", "maxLength": 190}}}')

        with pytest.raises(EngineCrashed):
            await asyncio.wait_for(ask(engine, question("x" * 1_500, response=form)), 60)

        assert (await ask(engine)).text == "Hello."
