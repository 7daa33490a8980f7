from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from engines.errors import (
    EngineCrashed,
    EngineError,
    EngineStuck,
    ModelFileDamaged,
    ModelFileMissing,
    NotEnoughMemory,
)
from engines.llama_cpp import failures
from engines.llama_cpp.channel import Deliver
from engines.llama_cpp.engine import LlamaCppEngine
from engines.llama_cpp.inbox import Patience
from engines.llama_cpp.messages import Ended, Event, Progress, Request
from engines.llama_cpp.process_channel import ProcessChannel, child_environment, children_possible
from engines.opening import open_engine
from engines.protocol import Delta, Finish, LoadOptions
from tests.engines.asking import Answer, ask, question
from tests.engines.child_processes import children
from tests.engines.conformance import EngineConformance
from tests.engines.tiny_gguf import make_tiny_gguf

psutil = pytest.importorskip("psutil")

pytestmark = pytest.mark.desktop("a child process")

ROOT = Path(__file__).parents[2]

OPEN_AND_DIE = """
import asyncio, os, signal, sys
from pathlib import Path
import psutil
from engines.opening import open_engine
from engines.protocol import Message, Prompt

async def main():
    engine = await open_engine(Path(sys.argv[1]), host="process")
    async for delta in engine.stream(Prompt((Message("user", "hello"),))):
        print(psutil.Process().children()[0].pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


class TestProcessEngine(EngineConformance):
    @pytest.fixture
    def host(self) -> str:
        return "process"


@pytest.fixture
def host() -> str:
    return "process"


def child() -> psutil.Process:
    """The engine's process; there must be exactly one."""
    [process] = children()
    return process


def once(number: int) -> Callable[[], None]:
    """Sends the engine's process a signal at the first call; words may still arrive when it is dead."""
    victims = [child()]
    return lambda: victims.pop().send_signal(number) if victims else None


def is_gone(process: psutil.Process) -> bool:
    """Whether a process ends. Its exit status is left for its owner."""
    try:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    except ChildProcessError:
        pass
    else:
        return True
    try:
        process.wait(60)
    except psutil.TimeoutExpired:
        return bool(process.status() == psutil.STATUS_ZOMBIE)  # an orphan that nobody has buried yet
    except psutil.NoSuchProcess:
        pass
    return True


@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV", "SIGABRT", "SIGBUS"])
async def test_a_process_that_dies_is_an_error_that_keeps_the_text_and_the_next_prompt_works(
    scripted, name
) -> None:
    number = getattr(signal, name)
    engine = await scripted("for ever and", loop=True)
    answer = Answer()

    with pytest.raises(EngineCrashed) as caught:
        await ask(engine, answer=answer, after_each=once(number))

    assert caught.value.signal == number
    assert answer.text.startswith("for")
    assert (await ask(engine, question(max_tokens=3))).text == "for ever and"


async def test_a_process_that_dies_while_it_reads_the_prompt_is_an_error_and_the_next_prompt_works(
    smollm2: Path,
) -> None:
    loop = asyncio.get_running_loop()
    first_batch_read = asyncio.Event()

    def start(deliver: Deliver) -> ProcessChannel:
        def note(event: Event) -> None:
            if isinstance(event, Progress):
                loop.call_soon_threadsafe(first_batch_read.set)
            deliver(event)

        return ProcessChannel(note)

    engine = LlamaCppEngine(smollm2, LoadOptions(context_tokens=8192), start)
    await engine.open()
    first_batch_read.clear()  # the file was loaded with progress, too
    task = asyncio.create_task(ask(engine, question("word " * 6_000)))
    await first_batch_read.wait()
    child().kill()

    with pytest.raises(EngineCrashed) as caught:
        await task

    assert caught.value.signal == signal.SIGKILL
    assert (await ask(engine, question(max_tokens=3))).finish is Finish.MAX_TOKENS
    await engine.close()


async def test_a_process_that_died_between_prompts_is_replaced_without_a_word(scripted) -> None:
    engine = await scripted("Hello.")
    first = child()
    first.kill()
    assert is_gone(first)

    assert (await ask(engine)).text == "Hello."
    assert child().pid != first.pid


async def _read_on(deltas: AsyncIterator[Delta]) -> None:
    async for _ in deltas:
        pass


async def test_a_death_that_is_noticed_late_is_told_to_everybody_who_waits(tmp_path: Path) -> None:
    """The system knows before the pipe tells; whoever asks then starts another process."""

    def start(deliver: Deliver) -> ProcessChannel:
        return ProcessChannel(lambda event: None if isinstance(event, Ended) else deliver(event))

    path = make_tiny_gguf(tmp_path / "model.gguf", reply="for ever and", loop=True, context=32_768)
    engine = LlamaCppEngine(path, LoadOptions(context_tokens=32_768), start)
    await engine.open()
    first = child()
    async with aclosing(engine.stream(question())) as deltas:
        await anext(deltas)
        first.kill()
        assert is_gone(first)

        assert await engine.count_texts(["ab"]) == [2]

        with pytest.raises(EngineCrashed):
            await asyncio.wait_for(_read_on(deltas), 20)
    await engine.close()


async def test_counting_survives_a_dead_process_too(scripted) -> None:
    engine = await scripted()
    first = child()
    first.kill()
    assert is_gone(first)

    assert await engine.count_texts(["ab"]) == [2]


@pytest.mark.parametrize(("change", "error"), [("remove", ModelFileMissing), ("cut", ModelFileDamaged)])
async def test_a_file_that_is_gone_when_the_engine_starts_again_is_told(scripted, change, error) -> None:
    engine = await scripted()
    first = child()
    first.kill()
    assert is_gone(first)
    if change == "remove":
        engine.info.path.unlink()
    else:
        os.truncate(engine.info.path, 100_000)

    with pytest.raises(error) as caught:
        await ask(engine)

    assert caught.value.path == engine.info.path


async def test_a_file_cut_off_in_the_middle_of_an_answer_costs_that_answer(scripted) -> None:
    engine = await scripted("for ever and", loop=True)
    answer = Answer()

    with pytest.raises(EngineCrashed) as caught:
        await ask(engine, answer=answer, after_each=lambda: os.truncate(engine.info.path, 4_096))

    assert caught.value.signal == signal.SIGBUS
    assert answer.text.startswith("for")


@pytest.fixture
async def impatient(tmp_path: Path) -> AsyncIterator[LlamaCppEngine]:
    """An engine whose patience is the test's business."""
    path = make_tiny_gguf(tmp_path / "model.gguf", reply="for ever and", loop=True)
    engine = LlamaCppEngine(path, LoadOptions(), ProcessChannel)
    await engine.open()
    yield engine
    await engine.close()


async def test_a_frozen_process_is_ended_and_replaced(impatient: LlamaCppEngine) -> None:
    frozen, patient = child(), impatient._silence
    answer = Answer()

    def freeze() -> None:
        frozen.suspend()
        patient._patience, patient.step = Patience(life=0.5), 0.1

    with pytest.raises(EngineStuck, match="no sign of life"):
        await ask(impatient, answer=answer, after_each=freeze)
    patient._patience, patient.step = Patience(), 1.0  # a child may take its time to start

    assert answer.text.startswith("for")
    assert is_gone(frozen)
    assert (await ask(impatient, question(max_tokens=3))).text == "for ever and"


async def test_a_frozen_process_does_not_hold_up_closing(scripted) -> None:
    await scripted()
    engine, frozen = await scripted(), children()[-1]
    frozen.suspend()

    await engine.close()

    assert is_gone(frozen)


async def test_closing_leaves_no_process_behind(scripted) -> None:
    engine = await scripted()
    process = child()

    await engine.close()

    assert children() == []
    assert not psutil.pid_exists(process.pid)


@pytest.mark.parametrize(
    ("last_words", "error"),
    [
        (
            "llama-vocab.cpp:2544: GGML_ASSERT(tokens == numbers) failed",
            ModelFileDamaged,
        ),
        ("terminate called after throwing an instance of 'std::bad_alloc'", NotEnoughMemory),
        ("Fatal Python error: Aborted", EngineCrashed),
    ],
)
def test_the_last_words_of_a_process_that_died_while_opening_tell_why(
    tmp_path: Path, last_words: str, error: type[EngineError]
) -> None:
    crash = EngineCrashed(last_words, signal.SIGABRT)

    assert type(failures.while_opening(crash, tmp_path / "model.gguf")) is error


async def test_a_file_that_cannot_be_loaded_leaves_no_process_behind(tmp_path: Path) -> None:
    path = make_tiny_gguf(tmp_path / "model.gguf", without_tensor="blk.1.ffn_up.weight")

    with pytest.raises(ModelFileDamaged):
        await open_engine(path, host="process")

    assert children() == []


async def test_opening_can_be_given_up(tmp_path: Path, smollm2: Path) -> None:
    started = asyncio.Event()
    loop = asyncio.get_running_loop()

    class NotedChannel(ProcessChannel):
        def send(self, request: Request) -> None:
            super().send(request)
            loop.call_soon_threadsafe(started.set)

    engine = LlamaCppEngine(smollm2, LoadOptions(), NotedChannel)
    task = asyncio.create_task(engine.open())
    await started.wait()
    assert len(children()) == 1
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task

    assert children() == []


def test_a_process_ends_with_its_parent(tmp_path: Path) -> None:
    path = make_tiny_gguf(tmp_path / "model.gguf", reply="for ever and", loop=True)

    parent = subprocess.run(
        [sys.executable, "-c", OPEN_AND_DIE, str(path)],
        capture_output=True,
        cwd=ROOT,
        timeout=30,
        check=False,
    )

    assert parent.returncode == -signal.SIGKILL
    try:
        orphan = psutil.Process(int(parent.stdout))
    except psutil.NoSuchProcess:
        return
    assert is_gone(orphan)


async def test_nothing_is_printed(scripted, capfd: pytest.CaptureFixture[str], smollm2: Path) -> None:
    engine = await scripted(architecture="gemma3", context=1024)  # whose cache makes llama.cpp warn
    await ask(engine)
    await engine.close()

    assert capfd.readouterr() == ("", "")


async def test_prompts_stay_out_of_the_log_of_a_crash(scripted, caplog: pytest.LogCaptureFixture) -> None:
    engine = await scripted("for ever and", loop=True)

    with caplog.at_level(0), pytest.raises(EngineCrashed) as caught:
        await ask(engine, "my secret", after_each=once(signal.SIGSEGV))

    assert "Segmentation fault" in caught.value.details
    assert "secret" not in caught.value.details + caplog.text


async def test_an_answer_survives_ctrl_c_in_the_terminal(scripted) -> None:
    engine = await scripted("one two three")

    assert os.getsid(child().pid) != os.getsid(0)
    assert (await ask(engine)).finish is Finish.END_OF_TURN


@pytest.mark.parametrize(
    ("executable", "frozen", "possible"),
    [
        ("/usr/bin/python3", False, True),
        ("C:/Python/python.exe", False, True),
        ("/Applications/DAI.app/Contents/MacOS/dai", False, False),
        ("/usr/bin/python3", True, False),
        ("", False, False),
    ],
)
def test_only_a_plain_python_can_start_itself(monkeypatch, executable, frozen, possible) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    monkeypatch.setattr(sys, "frozen", frozen, raising=False)

    assert children_possible() is possible


def test_threads_of_a_child_do_not_spin_for_long(monkeypatch) -> None:
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)

    assert child_environment()["GOMP_SPINCOUNT"] == "4000"


@pytest.mark.parametrize("variable", ["GOMP_SPINCOUNT", "OMP_WAIT_POLICY"])
def test_how_threads_wait_is_the_users_to_choose(monkeypatch, variable: str) -> None:
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setenv(variable, "chosen")

    environment = child_environment()

    assert environment[variable] == "chosen"
    assert environment.get("GOMP_SPINCOUNT") in (None, "chosen")


async def test_where_no_child_can_be_started_a_thread_takes_over(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DAI_ENGINE_HOST", raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python-that-is-not-there"))
    path = make_tiny_gguf(tmp_path / "model.gguf", reply="Hello.")

    engine = await open_engine(path)

    assert (await ask(engine)).text == "Hello."
    assert children() == []
    await engine.close()
