from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engines.llama_cpp import model as model_module
from engines.llama_cpp import runtime as runtime_module
from engines.llama_cpp.channel import Deliver
from engines.llama_cpp.engine import LlamaCppEngine
from engines.llama_cpp.loading import check_file
from engines.llama_cpp.model import LoadedModel
from engines.llama_cpp.native import AbortSwitch
from engines.llama_cpp.prefix_cache import PrefixCache, SavedState
from engines.llama_cpp.thread_channel import ThreadChannel
from engines.protocol import LoadOptions, Message, Prompt, Sampling
from tests.engines.asking import ask
from tests.engines.tiny_gguf import make_tiny_gguf

GREEDY = Sampling(temperature=0.0)
Load = Callable[..., LoadedModel]


def saved(tokens: range, size: int = 100, variant: object = ()) -> SavedState:
    return SavedState(list(tokens), variant, b"", size)


class TestPrefixCache:
    def test_the_state_that_spares_most_is_found(self) -> None:
        cache = PrefixCache(1000)
        cache.add(saved(range(100)))
        cache.add(SavedState([*range(50), *range(500, 600)], (), b"", 100))

        found = cache.take([*range(50), *range(500, 900)], (), longer_than=10, whole=False)

        assert found is not None
        assert found[1] == 150

    def test_a_state_that_spares_no_more_than_what_is_in_memory_is_left_alone(self) -> None:
        cache = PrefixCache(1000)
        cache.add(saved(range(100)))

        assert cache.take(list(range(200)), (), longer_than=100, whole=False) is None

    def test_a_state_made_with_other_adapters_is_not_taken(self) -> None:
        cache = PrefixCache(1000)
        cache.add(saved(range(100), variant="lora"))

        assert cache.take(list(range(200)), (), longer_than=0, whole=False) is None
        assert cache.take(list(range(200)), "lora", longer_than=0, whole=False) is not None

    def test_a_state_that_goes_on_leaves_and_one_that_is_used_in_part_stays(self) -> None:
        cache = PrefixCache(1000)
        cache.add(saved(range(100)))

        part = cache.take([*range(50), *range(900, 950)], (), longer_than=0, whole=False)
        left = len(cache)
        cache.take(list(range(120)), (), longer_than=0, whole=False)

        assert part is not None
        assert (part[1], left, len(cache), cache.bytes) == (50, 1, 0, 0)

    def test_a_model_that_cannot_forget_takes_only_whole_states(self) -> None:
        cache = PrefixCache(1000)
        cache.add(saved(range(100)))

        assert cache.take([*range(99), 7, 8, 9], (), longer_than=0, whole=True) is None
        assert cache.take(list(range(120)), (), longer_than=0, whole=True) is not None

    def test_the_state_that_was_not_needed_for_longest_makes_room(self) -> None:
        cache = PrefixCache(300)
        for start in (0, 1000, 2000):
            cache.add(saved(range(start, start + 100)))
        assert cache.holds(list(range(100)), ())

        cache.add(saved(range(3000, 3100)))

        assert cache.bytes == 300
        assert cache.holds(list(range(100)), ())
        assert not cache.holds(list(range(1000, 1100)), ())

    def test_a_longer_state_of_the_same_conversation_replaces_the_shorter(self) -> None:
        cache = PrefixCache(1000)
        cache.add(saved(range(100)))

        cache.add(saved(range(200), size=150))

        assert (len(cache), cache.bytes) == (1, 150)

    def test_what_is_larger_than_the_bound_is_not_kept(self) -> None:
        cache = PrefixCache(99)

        cache.add(saved(range(100)))

        assert (len(cache), cache.bytes) == (0, 0)


@pytest.fixture
def load() -> Iterator[Load]:
    """Loads a model in this process, as the engine's runtime does."""
    models = []

    def load_(path: Path, **options: object) -> LoadedModel:
        options.setdefault("context_tokens", 2048)
        models.append(LoadedModel(check_file(path), LoadOptions(**options), AbortSwitch()))
        return models[-1]

    yield load_
    for model in models:
        model.free()


def go_on(model: LoadedModel, prompt: list[int], count: int) -> tuple[list[int], int]:
    """The most likely tokens after a prompt, and how much of the prompt was not read."""
    reused = model.rewind(prompt)
    model.read(prompt[reused:], lambda: None)
    sampler = model.sampler(GREEDY)
    tokens = []
    for _ in range(count):
        tokens.append(sampler.choose())
        model.append(tokens[-1])
    sampler.free()
    return tokens, reused


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "flash_attention", "sentences"),
    [("smollm2", True, 40), ("smollm2", False, 40), ("gemma_base", True, 90)],
)
def test_an_answer_after_coming_back_is_the_one_without_having_left(
    request: pytest.FixtureRequest, load: Load, name: str, flash_attention: bool, sentences: int
) -> None:
    path = request.getfixturevalue(name)
    cached = load(path, flash_attention=flash_attention)
    uncached = load(path, flash_attention=flash_attention, prefix_cache_bytes=0)
    words = cached.vocabulary.tokens
    # For Gemma, longer than its sliding window of 512 tokens.
    sentence = "The lighthouse keeper counted the waves. "
    first = words(sentence * sentences + "On the last evening", special=False)
    other = words("Salt, flour, butter and three eggs. " * 20 + "Now stir", special=False)

    answer, _ = go_on(cached, first, 16)
    go_on(cached, other, 16)
    following = first + answer + words(" And then the storm", special=False)
    after, reused = go_on(cached, following, 16)

    assert (answer, 0) == go_on(uncached, first, 16)
    assert after == go_on(uncached, following, 16)[0]
    assert reused >= len(first) + 15


@pytest.mark.slow
def test_an_old_message_that_is_edited_after_coming_back_is_answered_rightly(
    load: Load, smollm2: Path
) -> None:
    cached, uncached = load(smollm2), load(smollm2, prefix_cache_bytes=0)
    words = cached.vocabulary.tokens
    first = words("The lighthouse keeper counted the waves. " * 40, special=False)
    edited = first[:200] + words(" Suddenly a ship", special=False)

    go_on(cached, first, 1)
    go_on(cached, words("Salt and flour", special=False), 1)
    go_on(uncached, first, 1)

    assert go_on(cached, edited, 16) == go_on(uncached, edited, 16)


@pytest.mark.slow
@pytest.mark.parametrize("return_first", [True, False])
def test_a_model_with_sliding_windows_reads_again_what_a_saved_state_lacks(
    load: Load, gemma_base: Path, return_first: bool
) -> None:
    cached, uncached = load(gemma_base), load(gemma_base, prefix_cache_bytes=0)
    words = cached.vocabulary.tokens
    first = words("The lighthouse keeper counted the waves. " * 90, special=False)
    edited = first[:200] + words(" Suddenly a ship", special=False)

    answer, _ = go_on(cached, first, 1)
    go_on(cached, words("Salt and flour", special=False), 1)
    if return_first:
        assert go_on(cached, first + answer, 1)[1] == len(first)

    assert go_on(cached, edited, 16) == go_on(uncached, edited, 16)


async def test_going_back_to_a_conversation_reads_only_what_is_new(scripted) -> None:
    engine = await scripted("It is a fine day.", architecture="llama")

    def conversation(topic: str, turns: int) -> Prompt:
        messages = [Message("user", f"How is {topic} today? Please tell me everything that you know.")]
        for _ in range(turns - 1):
            messages += [Message("assistant", "It is a fine day."), Message("user", "And tomorrow?")]
        return Prompt(tuple(messages))

    weather = await ask(engine, conversation("weather", 1))
    await ask(engine, conversation("business", 1))
    weather_again = await ask(engine, conversation("weather", 2))
    business_again = await ask(engine, conversation("business", 2))

    assert weather_again.usage.reused_tokens == weather.usage.prompt_tokens + weather.usage.answer_tokens
    assert business_again.usage.reused_tokens > 60
    assert weather_again.text == business_again.text == "It is a fine day."


async def test_without_a_cache_the_prompt_is_read_again(scripted) -> None:
    engine = await scripted(load={"prefix_cache_bytes": 0})
    long = "x" * 200

    await ask(engine, f"{long} one")
    await ask(engine, "Something else")
    again = await ask(engine, f"{long} one")

    assert again.usage.reused_tokens < 100


def test_a_context_larger_than_the_cache_is_kept_in_part(load: Load, smollm2: Path) -> None:
    model = load(smollm2, prefix_cache_bytes=8 << 20)
    words = model.vocabulary.tokens
    long = words("The keeper counted the waves. " * 150, special=False)

    go_on(model, long, 1)
    go_on(model, words("Salt and flour", special=False), 1)
    _, reused = go_on(model, long, 1)

    assert 200 < reused < len(long) // 2 + 100
    assert model.prefix_cache.bytes <= 8 << 20


def test_saved_conversations_are_given_up_when_the_device_runs_short(
    load: Load, smollm2: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load(smollm2)
    words = model.vocabulary.tokens
    first = words("The keeper counted the waves. " * 10, special=False)
    go_on(model, first, 1)
    go_on(model, words("Salt and flour", special=False), 1)
    assert model.prefix_cache.bytes > 0

    monkeypatch.setattr(model_module, "available_memory", lambda: 100 << 20)
    _, reused = go_on(model, first, 1)

    assert reused == 0
    assert model.prefix_cache.bytes == 0


async def test_saved_conversations_are_given_up_while_nobody_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime_module, "_SECONDS_BETWEEN_LOOKS_AT_MEMORY", 0.01)
    channels: list[ThreadChannel] = []

    def start(deliver: Deliver) -> ThreadChannel:
        channels.append(ThreadChannel(deliver))
        return channels[-1]

    path = make_tiny_gguf(tmp_path / "model.gguf", reply="Fine.")
    engine = LlamaCppEngine(path, LoadOptions(), start)
    await ask(engine, "x" * 200)
    await ask(engine, "Something else")
    cache = channels[0]._runtime._model.prefix_cache
    assert cache.bytes > 0
    given_back = asyncio.Event()
    loop = asyncio.get_running_loop()

    def clear() -> None:
        PrefixCache.clear(cache)
        loop.call_soon_threadsafe(given_back.set)

    monkeypatch.setattr(cache, "clear", clear)
    monkeypatch.setattr(model_module, "available_memory", lambda: 100 << 20)

    async with asyncio.timeout(30):
        await given_back.wait()

    assert cache.bytes == 0
    assert (await ask(engine, "x" * 200)).text == "Fine."
    await engine.close()


def test_a_state_that_cannot_be_put_back_costs_a_reading_and_nothing_else(load: Load, smollm2: Path) -> None:
    model = load(smollm2)
    words = model.vocabulary.tokens
    first = words("The keeper counted the waves. " * 10, special=False)
    right, _ = go_on(model, first, 8)
    go_on(model, words("Salt and flour", special=False), 1)
    [state] = model.prefix_cache._states.values()
    state.content[:16] = b"\xff" * 16

    assert go_on(model, first, 8) == (right, 0)
