"""What the owner of a router sees, and nobody else."""

from __future__ import annotations

import re

import httpx
import pytest
from starlette.requests import HTTPConnection

from network.router.http.access import is_local
from network.router.http.admin_page import PAGE
from tests.network.http_router import whole_router
from tests.network.router.devices import Asker, problem, working

pytestmark = pytest.mark.desktop("a server")

TOKEN = "a-long-and-random-token"
OWNER = {"Authorization": f"Bearer {TOKEN}"}


async def test_the_owner_sees_workers_and_load_and_what_has_happened():
    async with (
        whole_router(admin_token=TOKEN, name="Home") as router,
        httpx.AsyncClient(base_url=router.address) as http,
        working(router.address, slots=2) as worker,
    ):
        asker = Asker(http)
        accepted = await asker.submit((await asker.seal())[0])
        assert [data async for _, data in asker.listen(accepted)]
        status = (await http.get("/admin/status", headers=OWNER)).raise_for_status().json()
    assert (status["name"], status["connected"], status["ready"]) == ("Home", 1, True)
    [row] = status["workers"]
    assert worker.node.startswith(row["node"])
    assert (row["slots"], row["public"], row["groups"], row["languages"]) == (2, True, 0, ["en", "fa"])
    assert status["counts"]["questions accepted"] == 1
    assert status["counts"]["answers finished"] == 1


@pytest.mark.parametrize("shown", ["", "Bearer wrong", f"Basic {TOKEN}"])
async def test_nobody_else_does(shown):
    async with (
        whole_router(admin_token=TOKEN) as router,
        httpx.AsyncClient(base_url=router.address) as http,
    ):
        answer = await http.get("/admin/status", headers={"Authorization": shown} if shown else {})
        assert problem(answer) in ("not-registered", "refused")


async def test_without_a_token_the_page_opens_for_nobody(http):
    for word in ("Bearer", "Bearer x", "x"):
        answer = await http.get("/admin/status", headers={"Authorization": word})
        assert problem(answer) in ("not-registered", "refused")


async def test_the_page_holds_nothing_and_needs_nothing_from_elsewhere(http):
    answer = await http.get("/admin")
    assert answer.text == PAGE
    assert not re.search(r"(src|href)=|url\(|@import|https?://", PAGE)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


async def test_metrics_are_what_prometheus_reads_and_tell_of_no_device(router, http):
    async with working(router.address) as worker:
        asker = Asker(http)
        accepted = await asker.submit((await asker.seal())[0])
        assert [data async for _, data in asker.listen(accepted)]
        text = (await http.get("/metrics")).text
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(
        re.fullmatch(r'dai_router_[a-z_]+(\{[a-z]+="[a-z_+.0-9Inf-]+"\})? [0-9.]+', line) for line in lines
    )
    names = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(names) == len(set(names))
    assert 'dai_router_questions_total{event="accepted"} 1' in lines
    assert "dai_router_workers 1" in lines
    for secret in (worker.node, asker.keys.node, accepted.job):
        assert secret not in text


@pytest.mark.parametrize(
    ("client", "local"),
    [
        (("127.0.0.1", 5), True),
        (("::1", 5), True),
        (("192.0.2.1", 5), False),
        (("x", 5), False),
        (None, False),
    ],
)
def test_metrics_are_open_to_the_machine_itself_only(client, local):
    assert is_local(HTTPConnection({"type": "http", "client": client, "headers": []})) is local


async def test_metrics_are_not_open_through_a_proxy_that_nobody_has_named(http):
    for header in ("X-Forwarded-For", "Forwarded"):
        answer = await http.get("/metrics", headers={header: "198.51.100.1"})
        assert problem(answer) == "not-registered"


async def test_health_is_told_to_everybody(http):
    assert (await http.get("/healthz")).text == "ok\n"
    assert (await http.get("/readyz")).text == "ready\n"


async def test_what_is_not_there_is_a_problem_too(http):
    assert problem(await http.get("/v2/router")) == "not-found"
    answer = await http.put("/v1/jobs")
    assert (problem(answer), answer.headers["allow"]) == ("method", "POST")
