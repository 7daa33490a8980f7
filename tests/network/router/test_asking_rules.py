"""What a router does not do for askers: each refusal is a problem that a program understands."""

from __future__ import annotations

import json

import httpx
import msgspec
import pytest

from network.protocol.fields import MAX_FRAME_BYTES
from network.protocol.message import encode
from network.protocol.problems import KINDS
from network.protocol.tickets import WorkerQuery
from tests.network.http_router import embedded, whole_router
from tests.network.router.devices import JSON, Asker, bearer, problem, working
from tests.network.small_world import MODEL

pytestmark = pytest.mark.desktop("a server")

QUERY = encode(WorkerQuery(job="a" * 32, asker="b" * 32, model=MODEL, public=True))


async def test_without_workers_there_is_a_time_to_ask_again(http):
    answer = await http.post("/v1/candidates", content=QUERY, headers=JSON)
    assert problem(answer) == "no-worker"
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b"nonsense", b'{"type":"worker_query"}', b"\xff" * 10])
@pytest.mark.parametrize("path", ["/v1/candidates", "/v1/jobs"])
async def test_nonsense_is_refused(http, path, body):
    answer = await http.post(path, content=body, headers=JSON)
    assert (problem(answer), answer.status_code) == ("invalid", 400)


async def test_a_later_version_is_told_apart_from_nonsense(http):
    later = json.dumps({"type": "job_request", "version": 9}).encode()
    answer = await http.post("/v1/jobs", content=later, headers=JSON)
    assert (problem(answer), answer.status_code) == ("version", 409)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_what_a_website_could_send_through_its_visitor_is_refused(http, kind):
    headers = {"Content-Type": kind} if kind else {}
    answer = await http.post("/v1/candidates", content=QUERY, headers=headers)
    assert problem(answer) == "invalid"


async def test_a_body_that_is_too_long_is_not_read(http):
    answer = await http.post("/v1/jobs", content=b" " * (MAX_FRAME_BYTES + 1), headers=JSON)
    assert (problem(answer), answer.status_code) == ("too-large", 413)


async def test_a_body_of_unknown_length_is_given_up_when_it_is_too_long(router, http):
    sent = 0

    async def endless():
        nonlocal sent
        while sent < 50 * MAX_FRAME_BYTES:
            sent += 50_000
            yield b" " * 50_000

    try:
        answer = await http.post("/v1/jobs", content=endless(), headers=JSON)
        assert problem(answer) == "too-large"
    except httpx.TransportError:
        pass  # the connection was closed while it was being sent
    assert router.service.counts["problem too-large"] == 1


async def test_a_question_for_nobody_in_particular_is_not_kept(router, http):
    """Signatures of one question do not fit another."""
    asker = Asker(http)
    async with working(router.address):
        one, _ = await asker.seal()
        other, _ = await asker.seal()
        mixed = msgspec.structs.replace(one.request, body=other.request.body)
        assert problem(await http.post("/v1/jobs", content=encode(mixed), headers=JSON)) == "invalid"
        longer = msgspec.structs.replace(one.request, workers=2)
        assert problem(await http.post("/v1/jobs", content=encode(longer), headers=JSON)) == "invalid"
    assert router.service.counts["questions accepted"] == 0


async def test_an_asker_with_too_many_questions_is_told_when_to_come_back():
    async with (
        whole_router(questions_per_minute=2) as router,
        httpx.AsyncClient(base_url=router.address) as http,
        working(router.address, slots=8),
    ):
        asker, other = Asker(http), Asker(http)
        sealed = [(await asker.seal())[0] for _ in range(3)]
        answers = [await asker.post(one) for one in sealed]
        assert [answer.status_code for answer in answers] == [202, 202, 429]
        assert problem(answers[2]) == "quota"
        assert int(answers[2].headers["retry-after"]) >= 1
        assert (await other.post((await other.seal())[0])).status_code == 202


async def test_a_days_quota_ends_with_the_day():
    async with (
        whole_router(questions_per_day=1) as router,
        httpx.AsyncClient(base_url=router.address) as http,
        working(router.address, slots=8),
    ):
        asker = Asker(http)
        sealed = [(await asker.seal())[0] for _ in range(2)]
        answers = [await asker.post(one) for one in sealed]
        assert [answer.status_code for answer in answers] == [202, 429]
        assert 0 < int(answers[1].headers["retry-after"]) <= 86_400


async def test_an_address_with_too_many_requests_is_told_when_to_come_back():
    async with (
        whole_router(requests_per_minute=2) as router,
        httpx.AsyncClient(base_url=router.address) as http,
    ):
        answers = [await http.get("/v1/pool") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert problem(answers[2]) == "quota"
        assert (await http.get("/healthz")).status_code == 200, "who looks after it can always look"


async def test_a_full_queue_tells_its_length():
    from network.broker.embedded import open_embedded_broker
    from network.broker.job_table import Limits

    async with (
        whole_router(open_broker=lambda: open_embedded_broker(None, Limits(jobs=1))) as router,
        httpx.AsyncClient(base_url=router.address) as http,
        working(router.address) as worker,
    ):
        asker = Asker(http)
        first, second = (await asker.seal())[0], (await asker.seal())[0]
        worker.session.pause("owner")
        assert (await asker.post(first)).status_code == 202
        answer = await asker.post(second)
        assert (problem(answer), answer.status_code) == ("queue-full", 429)
        assert json.loads(answer.content)["position"] == 1
        assert int(answer.headers["retry-after"]) >= 1


async def test_an_invitation_is_needed_where_the_owner_wants_it():
    async with (
        whole_router(invites=frozenset({"open sesame"}), invite_to_ask=True) as router,
        httpx.AsyncClient(base_url=router.address) as http,
    ):
        for word in ("", "please", "x" * 1_000):
            answer = await http.post("/v1/candidates", content=QUERY, headers={**JSON, "DAI-Invite": word})
            assert (problem(answer), answer.status_code) == ("refused", 403)
        answer = await http.post(
            "/v1/candidates", content=QUERY, headers={**JSON, "DAI-Invite": "open sesame"}
        )
        assert problem(answer) == "no-worker"
        info = (await http.get("/v1/router")).json()
        assert (info["admission"], info["needs_invite_to_ask"]) == ("invite", True)


async def test_a_stream_of_answers_needs_a_place():
    async with (
        whole_router(streams_per_address=0) as router,
        httpx.AsyncClient(base_url=router.address) as http,
        working(router.address),
    ):
        asker = Asker(http)
        accepted = await asker.submit((await asker.seal())[0])
        answer = await http.get(f"/v1/jobs/{accepted.job}/events", headers=bearer(accepted.access))
        assert problem(answer) == "quota"


async def test_a_broker_that_does_not_answer_is_no_fault_of_the_router():
    from network.errors import BrokerUnavailable

    class Away:
        def __init__(self, broker):
            self._broker = broker

        def __getattr__(self, name):
            return getattr(self._broker, name)

        async def load(self):
            raise BrokerUnavailable

    async def open_broker():
        return Away(await embedded())

    async with (
        whole_router(open_broker=open_broker) as router,
        httpx.AsyncClient(base_url=router.address) as http,
    ):
        answer = await http.get("/v1/pool")
        assert (problem(answer), answer.status_code) == ("unavailable", 503)


async def test_every_refusal_that_is_described_has_its_own_name():
    assert len({kind.name for kind in KINDS}) == len(KINDS)
