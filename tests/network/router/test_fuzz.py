"""Whatever is sent to a router by the rules of its own description, or against them, nothing in it breaks."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator

import pytest

from network.router.http.openapi import openapi
from tests.network.http_router import whole_router

pytestmark = [pytest.mark.desktop("a server"), pytest.mark.slow]

EXAMPLES = 25
"""For each operation; from a fixed seed."""


@pytest.fixture
def address() -> Iterator[str]:
    """A router in a thread of its own: the requests of this test block."""
    ready: list[str] = []
    started, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        limits = {"requests_per_minute": 1_000_000, "quiet_seconds": 0.1, "links_per_address": 2_000}
        async with whole_router(**limits) as router:
            ready.append(router.address)
            started.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert started.wait(60)
    yield ready[0]
    stop.set()
    thread.join(60)
    assert not thread.is_alive()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_no_request_breaks_a_router(address, caplog):
    import schemathesis
    from hypothesis import HealthCheck, Phase, given, seed, settings

    schema = schemathesis.openapi.from_dict(openapi())
    schema.config.update(base_url=address)
    statuses: dict[int, int] = {}
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) >= 14
    for operation in operations:
        if operation.path.endswith("/events"):
            continue  # streams do not end; they have tests of their own

        @seed(20_260_101)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def ask(case) -> None:
            answer = case.call(base_url=address, timeout=60)
            status, told = answer.status_code, answer.headers.get("content-type", [""])[0]
            statuses[status] = statuses.get(status, 0) + 1
            assert status < 500 or status == 503, (case.as_curl_command(), answer.text)
            if status >= 400:
                assert told.startswith(("application/problem+json", "text/plain")), case.as_curl_command()

        ask()
    assert sum(statuses.values()) >= 4 * EXAMPLES
    assert statuses.get(200, 0) > 0
    broken = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert broken == []
