"""What a client says to a router, and what it makes of the replies."""

import httpx
import msgspec
import pytest

from network.client.router_client import REQUEST_SECONDS
from network.errors import (
    MessageInvalid,
    MessageTooLarge,
    NoWorkerFits,
    ProtocolTooNew,
    QueueConflict,
    QueueFull,
    RouterBusy,
    RouterFailed,
    RouterRefused,
    RouterUnreachable,
)
from network.protocol import problems
from network.protocol.fields import MAX_FRAME_BYTES
from network.protocol.jobs import JobAccepted, JobRequest
from network.protocol.message import encode
from network.protocol.problems import MEDIA_TYPE
from network.protocol.routers import Pool, RouterInfo
from network.protocol.tickets import Candidates, WorkerQuery
from tests.network.client.scripted_router import ACCESS, JOB, Bytes, ScriptedRouter, refusal, reply
from tests.network.protocol.examples import example

QUERY = WorkerQuery(job=JOB, asker="c" * 32)
CANDIDATES = example(Candidates)


def said(message, status=200):
    return reply(status, encode(message))


async def test_a_query_goes_out_as_it_is_and_its_workers_come_back():
    router = ScriptedRouter([said(CANDIDATES)])
    assert await router.client("open sesame").candidates(QUERY) == CANDIDATES
    [request] = router.requests
    assert (request.method, request.url.path) == ("POST", "/v1/candidates")
    assert msgspec.json.decode(request.content, type=WorkerQuery) == QUERY
    assert request.headers["dai-invite"] == "open sesame"
    assert request.headers["accept-encoding"] == "identity"


async def test_a_router_tells_who_it_is_and_how_busy():
    info, pool = example(RouterInfo), example(Pool)
    client = (router := ScriptedRouter([said(info), said(pool)])).client()
    assert (await client.info(), await client.pool()) == (info, pool)
    assert [request.url.path for request in router.requests] == ["/v1/router", "/v1/pool"]


async def test_without_an_invitation_none_is_sent():
    router = ScriptedRouter([said(CANDIDATES)])
    await router.client().candidates(QUERY)
    assert "dai-invite" not in router.requests[0].headers


async def test_a_request_that_got_lost_is_sent_again_but_not_for_ever():
    gone = httpx.ConnectError("nobody there")
    router = ScriptedRouter([gone, httpx.ReadTimeout(""), said(CANDIDATES)])
    assert await router.client().candidates(QUERY) == CANDIDATES
    router = ScriptedRouter([gone] * 9)
    with pytest.raises(RouterUnreachable):
        await router.client().candidates(QUERY)
    assert len(router.requests) == 3
    assert sum(router.waits) < REQUEST_SECONDS


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (refusal(problems.INVALID), MessageInvalid),
        (refusal(problems.NOT_REGISTERED), RouterRefused),
        (refusal(problems.REFUSED), RouterRefused),
        (refusal(problems.VERSION), ProtocolTooNew),
        (refusal(problems.TOO_LARGE), MessageTooLarge),
        (refusal(problems.QUOTA), RouterBusy),
        (refusal(problems.QUEUE_FULL), QueueFull),
        (refusal(problems.JOB_EXISTS), QueueConflict),
        (refusal(problems.NO_WORKER), NoWorkerFits),
        (refusal(problems.DRAINING), RouterBusy),
        (reply(401, b"<h1>Log in</h1>"), RouterRefused),
        (reply(404, b"<h1>Not here</h1>", content_type="text/html"), RouterFailed),
        (reply(500, b"oops"), RouterFailed),
        (reply(502, b"<h1>Bad gateway</h1>"), RouterBusy),
        (reply(302, location="https://evil.example/"), RouterFailed),
        (reply(400, b"{", content_type=MEDIA_TYPE), RouterFailed),
        (reply(200, b"welcome"), MessageInvalid),
    ],
)
async def test_every_refusal_is_an_error_of_its_own(response, error):
    router = ScriptedRouter([response])
    with pytest.raises(error):
        await router.client().candidates(QUERY)
    assert len(router.requests) == 1, "what was refused is not sent again by itself"


@pytest.mark.parametrize(
    ("header", "said", "expected"),
    [
        ("12", None, 12),
        ("12", 99, 12),
        ("", 9, 9),
        ("", None, 5),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None, 0),
        ("soon", 9, 9),
        ("999999999999", None, 3_600),
    ],
)
async def test_a_full_queue_tells_its_length_and_when_to_come_back(header, said, expected):
    router = ScriptedRouter(
        [refusal(problems.QUEUE_FULL, retry_after=header, position=80, retry_seconds=said)]
    )
    with pytest.raises(QueueFull) as caught:
        await router.client().candidates(QUERY)
    assert (caught.value.position, caught.value.wait_seconds) == (80, expected)


async def test_a_reply_beyond_every_limit_is_not_kept():
    body = Bytes(*[b" " * 100_000] * 50)
    with pytest.raises(MessageTooLarge):
        await ScriptedRouter([httpx.Response(200, stream=body)]).client().candidates(QUERY)
    assert body.taken == MAX_FRAME_BYTES // 100_000 + 1
    assert body.closed


async def test_a_compressed_reply_is_not_unfolded():
    response = httpx.Response(200, headers={"content-encoding": "br"}, stream=Bytes(b"x"))
    with pytest.raises(MessageTooLarge):
        await ScriptedRouter([response]).client().candidates(QUERY)


async def test_cancelling_shows_the_access_and_what_has_ended_is_no_error():
    router = ScriptedRouter([reply(204), refusal(problems.UNKNOWN_JOB)])
    client = router.client()
    await client.cancel(JOB, ACCESS)
    await client.cancel(JOB, ACCESS)
    assert [request.method for request in router.requests] == ["DELETE", "DELETE"]
    assert all(request.headers["authorization"].startswith("Bearer AAEC") for request in router.requests)


async def test_a_router_that_accepts_another_question_is_not_believed():
    wrong = JobAccepted(job="d" * 32, access=ACCESS, position=0)
    with pytest.raises(RouterFailed):
        await ScriptedRouter([said(wrong, 202)]).client().submit(example(JobRequest))
