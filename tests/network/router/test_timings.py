"""How long things take: histograms, what goes into them, and how they are shown."""

from __future__ import annotations

import asyncio
import re

import httpx
import pytest

from network.broker.embedded import open_embedded_broker
from network.keys import DeviceKeys
from network.router.http.metrics import histogram_lines
from network.router.timings import Histogram
from tests.network.http_router import whole_router
from tests.network.small_world import Clock, ScriptedAnswerer, World, now


def test_a_duration_counts_for_its_bound_and_all_above():
    histogram = Histogram((0.1, 1.0))
    for seconds in (0.05, 0.1, 0.5, 7.0):
        histogram.observe(seconds)
    assert histogram.cumulative() == [(0.1, 2), (1.0, 3), (float("inf"), 4)]
    assert (histogram.count, histogram.sum) == (4, pytest.approx(7.65))


@pytest.mark.parametrize(
    ("seconds", "share", "expected"),
    [
        ([], 0.5, None),
        ([0.5], 0.5, 0.5),
        ([0.5, 0.5], 0.5, 0.5),
        ([0.5, 1.5], 0.5, 1.0),
        ([0.5, 1.5, 1.5, 1.5], 0.95, 1.0 + 2.8 / 3),
        ([9.0], 0.5, 2.0),
        ([1.5], 0.0, 1.0),
    ],
)
def test_quantiles_are_spread_between_two_bounds(seconds, share, expected):
    histogram = Histogram((1.0, 2.0))
    for one in seconds:
        histogram.observe(one)
    found = histogram.quantile(share)
    assert found == (None if expected is None else pytest.approx(expected))


def test_prometheus_reads_them():
    histogram = Histogram((0.005, 2.5))
    histogram.observe(1.0)
    assert list(histogram_lines("dai_wait_seconds", "Waiting.", histogram)) == [
        "# HELP dai_wait_seconds Waiting.",
        "# TYPE dai_wait_seconds histogram",
        'dai_wait_seconds_bucket{le="0.005"} 0',
        'dai_wait_seconds_bucket{le="2.5"} 1',
        'dai_wait_seconds_bucket{le="+Inf"} 1',
        "dai_wait_seconds_sum 1.000000",
        "dai_wait_seconds_count 1",
    ]


async def test_waiting_first_words_and_whole_answers_are_timed():
    clock = Clock()
    world = World.with_broker(await open_embedded_broker(None, now=clock), clock, monotonic=clock)
    answerer = ScriptedAnswerer(gate=asyncio.Event())
    await world.join(answerer)
    questions = [await world.seal(DeviceKeys.generate(now()), workers=1, spares=0) for _ in range(2)]
    accepted = [await world.submit(sealed) for sealed, _ in questions]
    hearing = [
        asyncio.create_task(world.hear(asked, one))
        for (_, asked), one in zip(questions, accepted, strict=True)
    ]
    async with asyncio.timeout(60):
        await answerer.at_gate.wait()
    clock.now += 4.0  # in the middle of the first answer; the second question waits
    answerer.gate.set()
    await asyncio.gather(*hearing)
    timings = world.desk.timings
    assert [found.count for found in (timings.queue_wait, timings.first_part, timings.answer)] == [2, 2, 2]
    assert [found.sum for found in (timings.queue_wait, timings.answer)] == [4.0, 4.0]
    await world.close()


async def test_the_owner_s_page_and_the_metrics_tell_them():
    async with (
        whole_router(admin_token="secret") as router,
        httpx.AsyncClient(base_url=router.address) as http,
    ):
        for seconds in (0.5, 0.5, 30.0):
            router.service.desk.timings.answer.observe(seconds)
        owner = {"Authorization": "Bearer secret"}
        rows = (await http.get("/admin/status", headers=owner)).json()["timings"]
        text = (await http.get("/metrics")).text
    assert [(row["what"], row["count"]) for row in rows] == [
        ("waiting for a worker", 0),
        ("first words", 0),
        ("whole answers", 3),
    ]
    assert rows[0]["p50"] is None
    assert 0.25 < rows[2]["p50"] <= 0.5 < 25 < rows[2]["p95"] <= 50
    assert "dai_router_answer_seconds_count 3" in text
    assert re.search(r'dai_router_answer_seconds_bucket\{le="\+Inf"\} 3', text)
