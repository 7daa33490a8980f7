"""How a worker gets in: a valid card, an invitation where one is wanted, a proof that it has the key."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import TypeVar

from network.cards import LONGEST_CARD_SECONDS, read_card
from network.errors import MessageInvalid
from network.link import Link
from network.protocol import frames
from network.protocol.cards import NodeCard
from network.protocol.fields import PROTOCOL_VERSION
from network.protocol.message import encode
from network.protocol.registration import Hello, Proof, Resumption, Welcome
from network.registration import check_proof, new_challenge
from network.router.desk import RouterDesk

T = TypeVar("T")

TakeUp = Callable[[str, Hello], Awaitable[tuple[Resumption, ...]]]

_MOST_REMEMBERED = 50_000


class Admission:
    """Lets workers in, and remembers their last cards."""

    def __init__(self, desk: RouterDesk) -> None:
        self._desk = desk
        self._seen: dict[str, tuple[int, int]] = {}

    async def admit(self, link: Link, take_up: TakeUp) -> tuple[NodeCard, Hello]:
        """The exchange of `network.protocol.registration`; returns the worker's card and its hello.

        `take_up` tells which answers the worker goes on with, once it has proved who it is.

        Raises:
            MessageError, CardError: it is not admitted.
            TimeoutError: it takes too long.
            LinkClosed: it has gone.
            QueueError: what `take_up` raises.
        """
        async with asyncio.timeout(self._desk.times.registration):
            hello = _expect(await link.receive(), Hello)
            if PROTOCOL_VERSION not in hello.versions:
                raise MessageInvalid("no common version")
            card = read_card(hello.card, self._desk.now())
            if card.sequence < self._seen.get(card.node, (0, 0))[0] or not self._desk.admits(hello.invite):
                raise MessageInvalid("not admitted")
            challenge = new_challenge(self._desk.public)
            await link.send(encode(challenge))
            proof = _expect(await link.receive(), Proof)
            check_proof(proof, challenge, card, self._desk.origins, self._desk.now())
            self._remember(card)
            times = self._desk.times
            welcome = Welcome(
                session=secrets.token_hex(16),
                lease_seconds=times.lease,
                grace_seconds=times.grace,
                ping_seconds=times.ping,
                next_index=await take_up(card.node, hello),
            )
            await link.send(encode(welcome))
        return card, hello

    def _remember(self, card: NodeCard) -> None:
        """The number of the last card: an earlier one is refused as long as it could be valid."""
        self._seen[card.node] = card.sequence, card.issued + LONGEST_CARD_SECONDS
        if len(self._seen) > _MOST_REMEMBERED:
            now = self._desk.now()
            latest = sorted(self._seen.items(), key=lambda item: item[1][1])[_MOST_REMEMBERED // 2 :]
            self._seen = {node: seen for node, seen in latest if seen[1] > now}


def _expect(data: bytes, kind: type[T]) -> T:
    message = frames.from_worker(data)
    if not isinstance(message, kind):
        raise MessageInvalid("not the message that was due")
    return message
