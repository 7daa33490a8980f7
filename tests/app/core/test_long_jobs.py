"""Long work belongs to the process: one at a time, seen by whoever looks, ended when it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from app.core.errors import AlreadyBenchmarking, AlreadyCompressing
from app.core.events import Started
from app.core.job import Disturbance, JobKind, speed_share
from app.core.messages import MessageState
from app.core.paths import Paths
from app.services import Services, open_services
from engines.benchmark import BenchmarkPlan, BenchmarkProgress, BenchmarkStage
from engines.library import InstalledModel, starter
from tests.engines.tiny_gguf import make_tiny_gguf

PLAN = BenchmarkPlan(repetitions=1, prompt_tokens=32, generated_tokens=8)
ENDLESS = BenchmarkPlan(repetitions=1, prompt_tokens=32, generated_tokens=8, minutes=60)


@pytest.fixture
async def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Services]:
    monkeypatch.setenv("DAI_ENGINE_HOST", "thread")
    monkeypatch.setattr(starter, "STARTER_PACKAGE", "no_starter_package")
    paths = Paths(tmp_path / "home").create()
    make_tiny_gguf(paths.models / "tiny.gguf", loop=True)
    services = open_services(paths)
    yield services
    await services.close()


@pytest.fixture
def model(opened: Services) -> InstalledModel:
    return opened.models.installed()[0]


def watch(opened: Services) -> Callable[[Callable[[], object]], object]:
    """Waits until a condition holds after a change."""
    changed = asyncio.Event()
    opened.jobs.subscribe(changed.set)

    async def until(condition: Callable[[], object]) -> None:
        while not condition():
            await asyncio.wait_for(changed.wait(), 60)
            changed.clear()

    return until


async def test_a_speed_test_is_seen_while_it_runs_and_its_result_is_kept(opened, model):
    until, jobs = watch(opened), opened.jobs
    seen = []
    jobs.subscribe(lambda: seen.append(jobs.current))
    jobs.measure_speed(model, PLAN)
    assert jobs.current.kind is JobKind.SPEED
    await until(lambda: jobs.current is None)
    shares = [job.share for job in seen if job is not None]
    assert shares == sorted(shares)
    assert {"loading", "prompt", "generation"} <= {job.stage for job in seen if job is not None}
    assert (jobs.last.kind, jobs.last.error) == (JobKind.SPEED, None)
    assert len(opened.benchmarking.store.list()) == 1


async def test_one_at_a_time_and_a_cancelled_one_leaves_nothing(opened, model):
    until, jobs = watch(opened), opened.jobs
    jobs.measure_speed(model, ENDLESS)
    for begin in (lambda: jobs.compress(model, "Q4_0"), lambda: jobs.measure_trade_offs(model)):
        with pytest.raises(AlreadyBenchmarking):
            begin()
    await until(lambda: jobs.current.stage == "sustained")
    assert 3500 < jobs.current.seconds_left < 3601
    jobs.cancel()
    assert jobs.current.cancelled
    await until(lambda: jobs.current is None)
    assert jobs.last is None
    assert opened.benchmarking.store.list() == []


async def test_a_copy_is_made_and_installed(opened, model):
    until, jobs = watch(opened), opened.jobs
    jobs.compress(model, "Q4_0")
    with pytest.raises(AlreadyCompressing):
        jobs.measure_speed(model, PLAN)
    await until(lambda: jobs.current is None)
    assert jobs.last.made.quantisation == "Q4_0"
    assert {found.id for found in opened.models.installed()} == {model.id, jobs.last.made.id}
    jobs.forget_last()
    assert jobs.last is None


async def test_what_went_wrong_is_told_to_whoever_comes_back(opened, model):
    until, jobs = watch(opened), opened.jobs
    await opened.models.remove(model.id)
    jobs.measure_trade_offs(model)
    await until(lambda: jobs.current is None)
    assert type(jobs.last.error).__name__ == "ModelMissing"


async def test_what_a_measurement_would_end_is_known_before(opened, model):
    until, jobs = watch(opened), opened.jobs
    assert jobs.disturbs() is None
    await opened.models.load(model.id)
    assert jobs.disturbs() is Disturbance.LOADED
    conversation = opened.conversations.create()
    events = opened.answering.ask(conversation.id, "Go on for ever")
    started = await anext(events)
    assert isinstance(started, Started)
    writing = asyncio.create_task(drain(events))
    assert jobs.disturbs() is Disturbance.ANSWER
    jobs.measure_speed(model, PLAN)
    await writing
    assert opened.conversations.messages(conversation.id)[-1].state is MessageState.STOPPED
    await until(lambda: jobs.current is None)
    assert jobs.last.error is None
    assert opened.models.loaded is None


async def test_closing_the_app_ends_what_is_being_done(opened, model):
    opened.jobs.measure_speed(model, ENDLESS)
    await opened.jobs.close()
    assert opened.jobs.current is None


async def test_the_share_grows_through_all_stages():
    stages = list(BenchmarkStage)
    steps = [BenchmarkProgress(stage, share) for stage in stages for share in (0.0, 0.5, 1.0)]
    for plan, last in ((BenchmarkPlan(minutes=10), 12), (BenchmarkPlan(), 9)):
        shares = [speed_share(step, plan) for step in steps[:last]]
        assert shares == sorted(shares)
        assert shares[0] == 0
        assert shares[-1] == pytest.approx(1)


async def drain(events):
    async for _ in events:
        pass
