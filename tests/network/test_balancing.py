"""Who answers: table by table, and the promises that hold for every pool of workers."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from network.balancing import Choice, Nearness, Wish, Worker, choose, fits, weight, worker_of
from network.cards import Offer, issue_card, read_card
from network.errors import NoWorkerFits
from network.protocol.cards import ModelOffer

QWEN = Worker("node", {"qwen3-1.7b": 20.0}, frozenset({"fa", "en"}), credit=1, round_trip_seconds=0.0)
FA = frozenset({"fa"})


def draw(number):
    return number.to_bytes(8, "big")


@pytest.mark.parametrize(
    ("wish", "changes", "expected"),
    [
        (Wish(), {}, True),
        (Wish(model="qwen3-1.7b"), {}, True),
        (Wish(model="gemma3-4b"), {}, False),
        (Wish(), {"models": {}}, False),
        (Wish(languages=FA), {}, True),
        (Wish(languages=frozenset({"fa", "de"})), {}, False),
        (Wish(languages=frozenset({"de"})), {"languages": frozenset()}, True),
        (Wish(topics=frozenset({"law"})), {}, True),
        (Wish(), {"credit": 0}, False),
        (Wish(), {"credit": -1}, False),
        (Wish(reach=Nearness.CIRCLE), {}, False),
        (Wish(reach=Nearness.CIRCLE), {"nearness": Nearness.CIRCLE}, True),
        (Wish(reach=Nearness.MINE), {"nearness": Nearness.CIRCLE}, False),
        (Wish(reach=Nearness.MINE), {"nearness": Nearness.MINE}, True),
    ],
)
def test_who_fits(wish, changes, expected):
    assert fits(wish, replace(QWEN, **changes)) is expected


@pytest.mark.parametrize(
    ("better", "worse", "times"),
    [
        ({"trust": 1.0}, {"trust": 0.5}, 4.0),
        ({"trust": 0.0}, {"trust": 0.05}, 1.0),
        ({"models": {"qwen3-1.7b": 20.0}}, {"models": {"qwen3-1.7b": 10.0}}, 2.0),
        ({"models": {"qwen3-1.7b": 500.0}}, {"models": {"qwen3-1.7b": 20.0}}, 1.0),
        ({"models": {"qwen3-1.7b": 6.0}}, {"models": {"qwen3-1.7b": 0.0}}, 1.0),
        ({"models": {"qwen3-1.7b": 0.0}}, {"models": {"qwen3-1.7b": 0.001}}, 15.0),
        ({"credit": 3}, {"credit": 1}, 1.5),
        ({"topics": frozenset({"law", "tax"})}, {"topics": frozenset()}, 10.0),
        ({"topics": frozenset({"law"})}, {"topics": frozenset()}, 5.5),
        ({"topics": frozenset({"music"})}, {"topics": frozenset()}, 1.0),
        ({"round_trip_seconds": 0.0}, {"round_trip_seconds": 0.1}, 2.0),
        ({"round_trip_seconds": 0.1}, {"round_trip_seconds": None}, 1.0),
        ({"round_trip_seconds": -5.0}, {"round_trip_seconds": 0.0}, 1.0),
    ],
)
def test_what_counts_how_much(better, worse, times):
    wish = Wish(model="qwen3-1.7b", topics=frozenset({"law", "tax"}))
    assert weight(wish, replace(QWEN, **better)) / weight(wish, replace(QWEN, **worse)) == pytest.approx(
        times
    )


def test_without_a_wish_for_a_model_the_fastest_one_counts():
    worker = replace(QWEN, models={"big": 1.0, "small": 20.0})
    assert weight(Wish(), worker) == weight(Wish(model="small"), worker)


def test_workers_are_drawn_as_often_as_they_weigh():
    trusted, stranger = replace(QWEN, node="a", trust=0.9), replace(QWEN, node="b", trust=0.3)
    wish = Wish(workers=1, spares=0)
    drawn = Counter(choose(wish, [trusted, stranger], draw(n)).workers[0] for n in range(4_000))
    assert drawn["a"] / drawn["b"] == pytest.approx(9.0, rel=0.2)


def test_no_worker_that_fits_is_never_drawn():
    worst = replace(QWEN, node="worst", trust=0.0, models={"m": 0.01}, round_trip_seconds=5.0)
    pool = [worst, *(replace(QWEN, node=f"good {n}", models={"m": 20.0}) for n in range(3))]
    assert weight(Wish(), worst) > 0
    assert "worst" in choose(Wish(workers=3, spares=1), pool, draw(1)).spares


def test_my_devices_come_first_when_asked_so():
    pool = [
        replace(QWEN, node="fast stranger", trust=1.0),
        replace(QWEN, node="friend", nearness=Nearness.CIRCLE, trust=0.5),
        replace(QWEN, node="my slow phone", nearness=Nearness.MINE, models={"qwen3-1.7b": 0.5}, trust=0.1),
    ]
    for number in range(200):
        choice = choose(Wish(workers=2, spares=1, nearest_first=True), pool, draw(number))
        assert choice == Choice(("my slow phone", "friend"), ("fast stranger",))


def test_strangers_help_only_when_they_may():
    pool = [replace(QWEN, node="stranger"), replace(QWEN, node="mine", nearness=Nearness.MINE)]
    assert choose(Wish(reach=Nearness.CIRCLE), pool, b"").workers == ("mine",)
    with pytest.raises(NoWorkerFits) as caught:
        choose(Wish(reach=Nearness.CIRCLE), pool[:1], b"")
    assert (caught.value.found, caught.value.wanted) == (0, 3)


def test_a_choice_with_too_few_workers_has_all_of_them_and_no_spares():
    pool = [replace(QWEN, node=str(n)) for n in range(2)]
    choice = choose(Wish(workers=3, spares=2), pool, b"x")
    assert (set(choice.workers), choice.spares) == ({"0", "1"}, ())


def test_different_draws_spread_the_work():
    pool = [replace(QWEN, node=f"{n:032x}") for n in range(20)]
    drawn = Counter(node for n in range(1_000) for node in choose(Wish(), pool, draw(n)).workers)
    assert len(drawn) == 20
    assert max(drawn.values()) < 2 * min(drawn.values())


def test_a_card_becomes_a_worker(keys, now):
    offer = Offer(
        models=(ModelOffer(model="qwen3-1.7b", context_tokens=4096, tokens_per_second=90),),
        topics=("law",),
        languages=("fa",),
        slots=2,
    )
    card = read_card(issue_card(keys, offer, now)[1], now)
    worker = worker_of(card, credit=5, nearness=Nearness.CIRCLE, measured={"qwen3-1.7b": 11.0, "other": 99.0})
    assert worker.models == {"qwen3-1.7b": 11.0}, "what was measured counts, not what is claimed"
    assert worker.credit == 2, "never more than its slots"
    assert fits(Wish(model="qwen3-1.7b", languages=FA), worker)


MODELS = st.dictionaries(st.sampled_from(["small", "large"]), st.floats(0, 200), max_size=2)
LANGUAGES = st.frozensets(st.sampled_from(["fa", "en", "de"]), max_size=3)
TOPICS = st.frozensets(st.sampled_from(["law", "tax", "music"]), max_size=3)
NEARNESS = st.sampled_from(Nearness)
WORKERS = st.lists(
    st.builds(
        Worker,
        node=st.integers(0, 30).map("{:032x}".format),
        models=MODELS,
        languages=LANGUAGES,
        topics=TOPICS,
        credit=st.integers(0, 4),
        nearness=NEARNESS,
        trust=st.floats(0, 1),
        round_trip_seconds=st.none() | st.floats(0, 10),
    ),
    max_size=15,
    unique_by=lambda worker: worker.node,
)
WISHES = st.builds(
    Wish,
    model=st.none() | st.sampled_from(["small", "large"]),
    languages=LANGUAGES,
    topics=TOPICS,
    workers=st.integers(1, 4),
    spares=st.integers(0, 3),
    reach=NEARNESS,
    nearest_first=st.booleans(),
)


@settings(max_examples=150, deadline=None)
@given(WISHES, st.binary(max_size=8), WORKERS, st.randoms())
def test_the_promises_hold_for_every_pool(wish: Wish, draw: bytes, workers, chance: random.Random):
    fitting = [worker for worker in workers if fits(wish, worker)]
    shuffled = list(workers)
    chance.shuffle(shuffled)
    if not fitting:
        with pytest.raises(NoWorkerFits):
            choose(wish, workers, draw)
        return
    choice = choose(wish, workers, draw)
    assert choose(wish, shuffled, draw) == choice, "the order of the list does not matter"

    by_node = {worker.node: worker for worker in workers}
    chosen = [*choice.workers, *choice.spares]
    assert len(chosen) == len(set(chosen)), "workers and spares are different"
    assert len(choice.workers) == min(wish.workers, len(fitting))
    assert len(choice.spares) == min(wish.spares, len(fitting) - len(choice.workers))
    assert {*chosen} <= {worker.node for worker in fitting}
    assert all(by_node[node].credit > 0 for node in chosen), "never above credit"
    if wish.nearest_first:
        steps = [by_node[node].nearness for node in chosen]
        assert steps == sorted(steps)


def test_a_draw_is_the_same_on_every_machine():
    pool = [replace(QWEN, node=f"{n:032x}", trust=n / 10) for n in range(1, 8)]
    choice = choose(Wish(workers=3, spares=2), pool, b"dai")
    assert [int(node, 16) for node in (*choice.workers, *choice.spares)] == [5, 3, 7, 6, 4]
