"""How a client hears the answers to a question through connections that break."""

from contextlib import aclosing

import httpx
import pytest

from network.client.reading import LARGEST_EVENT_BYTES
from network.client.router_client import MOST_RECONNECTS
from network.errors import (
    JobUnknown,
    MessageInvalid,
    MessageTooLarge,
    RouterBusy,
    RouterFailed,
    RouterRefused,
    RouterUnreachable,
)
from network.protocol.message import encode
from network.protocol.presence import Bye, Ping
from network.protocol.problems import DRAINING, REFUSED, UNKNOWN_JOB
from tests.network.client.scripted_router import (
    ACCESS,
    DONE,
    JOB,
    Bytes,
    ScriptedRouter,
    part,
    refusal,
    reply,
    stream,
)

BROKEN = httpx.ReadError("the connection is gone")


async def heard(router):
    return [data async for data in router.client().answers(JOB, ACCESS)]


async def test_every_message_arrives_until_the_question_has_ended():
    router = ScriptedRouter([stream((7, part(1)), (8, part(2)), (9, DONE))])
    assert await heard(router) == [part(1), part(2), DONE]
    assert len(router.requests) == 1
    request = router.requests[0]
    assert request.url.path == f"/v1/jobs/{JOB}/events"
    assert request.headers["authorization"].startswith("Bearer AAECAwQF")
    assert "last-event-id" not in request.headers


async def test_a_broken_connection_goes_on_after_the_last_message():
    router = ScriptedRouter([stream((7, part(1)), breaks=BROKEN), stream((8, part(2)), (9, DONE))])
    assert await heard(router) == [part(1), part(2), DONE]
    assert router.requests[1].headers["last-event-id"] == "7"
    assert router.waits == [1.0]


async def test_a_message_that_comes_twice_is_heard_once():
    router = ScriptedRouter(
        [stream((7, part(1)), (8, part(2)), breaks=BROKEN), stream((7, part(1)), (8, part(2)), (9, DONE))]
    )
    assert await heard(router) == [part(1), part(2), DONE]


async def test_waits_grow_while_the_router_is_away_and_are_short_again_after_a_message():
    gone = httpx.ConnectError("nobody there")
    router = ScriptedRouter([gone, gone, gone, stream((1, part(1)), breaks=BROKEN), stream((2, DONE))])
    assert await heard(router) == [part(1), DONE]
    assert router.waits == [1.0, 2.0, 4.0, 1.0]


async def test_a_router_that_does_not_come_back_is_given_up():
    router = ScriptedRouter([httpx.ConnectTimeout("")] * (MOST_RECONNECTS + 1))
    with pytest.raises(RouterUnreachable) as caught:
        await heard(router)
    assert caught.value.host == "router.example"
    assert len(router.requests) == MOST_RECONNECTS + 1


async def test_a_router_that_restarts_is_left_alone_as_long_as_it_wishes():
    router = ScriptedRouter(
        [
            stream((1, part(1)), (2, encode(Bye(reason="restart", retry_seconds=5)))),
            refusal(DRAINING, retry_after="7"),
            stream((3, DONE)),
        ]
    )
    await heard(router)
    assert router.waits == [6.0, 9.0]


async def test_a_proxy_that_closes_politely_is_no_end():
    router = ScriptedRouter([stream((1, part(1))), stream((2, part(2)), (3, DONE))])
    assert await heard(router) == [part(1), part(2), DONE]


async def test_a_stream_without_anything_new_is_the_end():
    router = ScriptedRouter([stream((1, part(1))), stream()])
    assert await heard(router) == [part(1)]


async def test_a_question_that_ended_while_the_connection_was_broken_is_no_error():
    router = ScriptedRouter([stream((1, part(1)), breaks=BROKEN), refusal(UNKNOWN_JOB)])
    assert await heard(router) == [part(1)]


@pytest.mark.parametrize(("kind", "error"), [(UNKNOWN_JOB, JobUnknown), (REFUSED, RouterRefused)])
async def test_a_question_that_is_not_ours_is_refused_at_once(kind, error):
    with pytest.raises(error):
        await heard(ScriptedRouter([refusal(kind)]))


async def test_signs_of_life_and_comments_are_not_lost():
    alive = encode(Ping(time=5))
    body = Bytes(
        b": still here\n\nda", b"ta: " + alive + b"\n", b"\n", b"id: 2\r\ndata: " + DONE + b"\r\n\r\n"
    )
    response = httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=body)
    assert await heard(ScriptedRouter([response])) == [alive, DONE]


async def test_messages_without_a_number_are_heard_too():
    alive = encode(Ping(time=5))
    one = Bytes(b"id: 7\ndata: " + part(1) + b"\n\ndata: " + alive + b"\n\n", breaks=BROKEN)
    two = Bytes(
        b"data: " + alive + b"\n\nid: 7\ndata: " + part(1) + b"\n\ndata: " + DONE + b"\n\n",
    )
    responses = [
        httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=body) for body in (one, two)
    ]
    assert await heard(ScriptedRouter(responses)) == [part(1), alive, alive, DONE]


async def test_leaving_early_closes_the_connection():
    response = stream((1, part(1)), (2, part(2)), (3, DONE))
    body = response.stream
    async with aclosing(ScriptedRouter([response]).client().answers(JOB, ACCESS)) as messages:
        assert await anext(messages) == part(1)
    assert body.closed


@pytest.mark.parametrize("line", [b"data: " + b"x" * 100_000, b"data: x\n" * 10_000])
async def test_an_event_without_an_end_is_not_kept(line):
    body = Bytes(*[line] * 100)
    response = httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=body)
    with pytest.raises(MessageTooLarge):
        await heard(ScriptedRouter([response]))
    assert body.taken <= LARGEST_EVENT_BYTES // len(line) + 2
    assert body.closed


async def test_a_compressed_stream_is_not_unfolded():
    response = httpx.Response(
        200,
        headers={"content-type": "text/event-stream", "content-encoding": "gzip"},
        stream=Bytes(b"\x1f\x8b"),
    )
    with pytest.raises(MessageTooLarge):
        await heard(ScriptedRouter([response]))


async def test_something_that_is_no_message_is_refused():
    with pytest.raises(MessageInvalid):
        await heard(ScriptedRouter([stream((1, b'{"type": "hello"}'))]))


async def test_a_page_instead_of_a_stream_is_no_router():
    with pytest.raises(RouterFailed):
        await heard(ScriptedRouter([reply(200, b"<h1>Log in</h1>", content_type="text/html")]))


async def test_a_busy_router_is_given_up_in_the_end():
    router = ScriptedRouter([lambda _: refusal(DRAINING)] * (MOST_RECONNECTS + 1))
    with pytest.raises(RouterBusy):
        await heard(router)
