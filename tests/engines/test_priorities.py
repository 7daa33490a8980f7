from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from engines.errors import EngineCrashed
from engines.protocol import Finish, Priority
from tests.engines.asking import Answer, ask, question
from tests.engines.child_processes import children

LATER = Priority.BACKGROUND


@pytest.fixture(params=[pytest.param("process", marks=pytest.mark.desktop("child processes")), "thread"])
def host(request) -> str:
    return str(request.param)


async def collect(engine, prompt, answer: Answer, begun: asyncio.Event, order: list[str], name: str) -> None:
    async with aclosing(engine.stream(prompt)) as deltas:
        async for delta in deltas:
            answer.deltas.append(delta)
            begun.set()
    order.append(name)


async def test_an_answer_in_the_background_pauses_and_goes_on_without_losing_a_word(scripted) -> None:
    engine = await scripted("for ever and", loop=True, context=1024)
    alone = await ask(engine, question("in the background", max_tokens=600))
    background, begun, order = Answer(), asyncio.Event(), []
    prompt = question("in the background", max_tokens=600, priority=LATER)

    task = asyncio.create_task(collect(engine, prompt, background, begun, order, "background"))
    await begun.wait()
    users = await ask(engine, question("by the user, now", max_tokens=20))
    order.append("user")
    await task

    assert order == ["user", "background"]
    assert users.usage.answer_tokens == 20
    assert background.text == alone.text
    assert background.usage.answer_tokens == 600


@pytest.mark.slow
@pytest.mark.parametrize("sampling", [{"temperature": 0.0}, {"temperature": 0.9, "seed": 5}])
async def test_a_real_model_goes_on_as_if_it_had_never_paused(opened, smollm2: Path, host, sampling) -> None:
    engine = await opened(smollm2, host=host, context_tokens=1024)
    long = "Tell me a story about the sea. " * 30
    alone = await ask(engine, question(long, max_tokens=60, **sampling))
    background, begun, order = Answer(), asyncio.Event(), []
    prompt = question(long, max_tokens=60, priority=LATER, **sampling)

    task = asyncio.create_task(collect(engine, prompt, background, begun, order, "background"))
    await begun.wait()
    await ask(engine, question("Count to ten, please.", max_tokens=3))
    order.append("user")
    for _ in range(5):
        await ask(engine, question("And once more, please.", max_tokens=3))
    await task

    assert order == ["user", "background"]
    assert background.text == alone.text
    assert background.usage.answer_tokens == alone.usage.answer_tokens


async def test_a_prompt_that_is_read_in_the_background_pauses_too(opened, smollm2: Path, host) -> None:
    engine = await opened(smollm2, host=host, context_tokens=8192)
    background, begun, order = Answer(), asyncio.Event(), []
    prompt = question("Tell me a long story about the sea. " * 500, max_tokens=2, priority=LATER)

    task = asyncio.create_task(collect(engine, prompt, background, begun, order, "background"))
    await engine.count_texts(["the answer has been asked for before this"])
    users = await ask(engine, question("Now!", max_tokens=2))

    assert users.usage.answer_tokens == 2
    assert background.deltas == []
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_nobody_has_to_read_a_paused_answer(scripted) -> None:
    engine = await scripted("for ever and", loop=True)

    async with aclosing(engine.stream(question(priority=LATER))) as deltas:
        await anext(deltas)
        # Nobody takes more of it from here on.
        assert (await ask(engine, question(max_tokens=3))).text == "for ever and"


async def test_a_user_does_not_pause_for_the_background_nor_for_another_user(scripted) -> None:
    engine = await scripted("for ever and", loop=True)
    users, begun, order = Answer(), asyncio.Event(), []

    task = asyncio.create_task(collect(engine, question(max_tokens=150), users, begun, order, "first"))
    await begun.wait()
    others = [
        asyncio.create_task(collect(engine, question(max_tokens=2, **more), Answer(), begun, order, name))
        for name, more in (("background", {"priority": LATER}), ("second", {}))
    ]
    await asyncio.gather(task, *others)

    assert order == ["first", "second", "background"]


async def test_cancel_ends_the_users_answer_and_not_the_paused_one(scripted) -> None:
    engine = await scripted("for ever and", loop=True, context=1024)
    background, begun, order = Answer(), asyncio.Event(), []
    prompt = question(max_tokens=400, priority=LATER)

    task = asyncio.create_task(collect(engine, prompt, background, begun, order, "background"))
    await begun.wait()
    users = asyncio.create_task(ask(engine, question("by the user")))
    await asyncio.sleep(0)  # it waits for the other to pause now
    engine.cancel()

    assert (await users).finish is Finish.CANCELLED
    await task
    assert (background.finish, background.usage.answer_tokens) == (Finish.MAX_TOKENS, 400)


async def test_leaving_a_paused_answer_ends_it(scripted) -> None:
    engine = await scripted("for ever and", loop=True)
    background, begun = Answer(), asyncio.Event()
    task = asyncio.create_task(collect(engine, question(priority=LATER), background, begun, [], "background"))
    await begun.wait()

    async with aclosing(engine.stream(question("by the user"))) as deltas:
        await anext(deltas)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        engine.cancel()
        assert [delta async for delta in deltas][-1].finish is Finish.CANCELLED

    assert (await ask(engine, question(max_tokens=3))).text == "for ever and"


async def test_groups_take_turns(scripted) -> None:
    engine = await scripted("one two three four", loop=True)
    order: list[str] = []
    begun = asyncio.Event()

    def start(group: str, name: str) -> asyncio.Task[None]:
        prompt = question(name, max_tokens=4, priority=LATER, group=group)
        return asyncio.create_task(collect(engine, prompt, Answer(), begun, order, name))

    await asyncio.gather(*[start("busy", f"busy {number}") for number in range(3)], *[start("calm", "calm")])

    assert order == ["busy 0", "calm", "busy 1", "busy 2"]


async def test_a_crash_is_told_to_the_paused_answer_too_and_the_next_one_works(scripted, host) -> None:
    if host == "thread":
        pytest.skip("a thread does not die alone")
    engine = await scripted("for ever and", loop=True)
    background, begun = Answer(), asyncio.Event()
    task = asyncio.create_task(collect(engine, question(priority=LATER), background, begun, [], "background"))
    await begun.wait()
    victims = children()

    with pytest.raises(EngineCrashed):
        await ask(
            engine, question("by the user"), after_each=lambda: victims.pop().kill() if victims else None
        )

    with pytest.raises(EngineCrashed):
        await task
    assert (await ask(engine, question(max_tokens=3))).text == "for ever and"
