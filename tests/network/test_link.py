"""A connection keeps messages whole and in order, and its end is told on both sides."""

from __future__ import annotations

import asyncio

import pytest

from network.errors import LinkClosed
from network.link import MESSAGES_UNDER_WAY, memory_links


@pytest.fixture
def links():
    return memory_links()


async def test_messages_arrive_whole_and_in_order_both_ways(links):
    here, there = links
    for number in range(3):
        await here.send(b"%d" % number)
        await there.send(b"back %d" % number)
    assert [await there.receive() for _ in range(3)] == [b"0", b"1", b"2"]
    assert [await here.receive() for _ in range(3)] == [b"back 0", b"back 1", b"back 2"]


@pytest.mark.parametrize("closing", [0, 1])
async def test_who_waits_is_told_of_the_end(links, closing):
    waiting = [asyncio.create_task(link.receive()) for link in links]
    await asyncio.sleep(0)
    await links[closing].close()
    for task in waiting:
        with pytest.raises(LinkClosed):
            await task


async def test_after_the_end_nothing_is_sent_and_what_was_sent_before_still_arrives(links):
    here, there = links
    await here.send(b"last words")
    await here.close()
    await there.close()
    assert await there.receive() == b"last words"
    for link in links:
        with pytest.raises(LinkClosed):
            await link.send(b"more")
        with pytest.raises(LinkClosed):
            await link.receive()
        with pytest.raises(LinkClosed):
            await link.receive()


async def test_a_sender_waits_for_a_slow_receiver_and_is_told_when_it_is_gone(links):
    here, there = links
    for _ in range(MESSAGES_UNDER_WAY):
        await here.send(b"message")
    waiting = [asyncio.create_task(here.send(b"one more")) for _ in range(2)]
    await asyncio.sleep(0)
    assert await there.receive() == b"message"
    done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    assert len(done) == 1
    await there.close()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert sorted(map(type, outcomes), key=str) == sorted((type(None), LinkClosed), key=str)
    received = [await there.receive() for _ in range(MESSAGES_UNDER_WAY)]
    assert received == [*[b"message"] * (MESSAGES_UNDER_WAY - 1), b"one more"]
    with pytest.raises(LinkClosed):
        await there.receive()
