"""A registered worker and what it holds."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from network.broker.protocol import Claim, NodeState
from network.link import Link
from network.protocol.cards import NodeCard
from network.protocol.message import Message, encode
from network.protocol.presence import Presence
from network.protocol.registration import Hello


@dataclass(eq=False)
class ConnectedWorker:
    """One connection of a worker, from its registration to its end."""

    card: NodeCard
    hello: Hello
    link: Link
    credit: int = 0
    """How many more questions it takes now."""
    presence: Presence = field(default_factory=lambda: Presence(credit=0, running=0))
    held: dict[tuple[str, int], int] = field(default_factory=dict)
    """The next part of each answer, by job and attempt; -1 before its start."""
    handed: dict[tuple[str, int], float] = field(default_factory=dict)
    """When it was handed what it holds, for statistics."""
    news: asyncio.Event = field(default_factory=asyncio.Event)
    dismissed: bool = False
    """Whether it was sent away."""
    replaced: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the worker has a newer connection."""
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when this one is over and what it held is settled."""

    @property
    def state(self) -> NodeState:
        """What all who choose workers are told."""
        return NodeState(
            node=self.card.node,
            card=self.hello.card,
            credit=self.credit,
            running=self.presence.running,
            pause=self.presence.pause,
            memberships=self.hello.memberships,
            public=self.hello.public,
        )

    def claim(self, job: str, attempt: int) -> Claim:
        """Its hold on a question."""
        return Claim(job, self.card.node, attempt)

    def present(self, presence: Presence) -> None:
        """It says how busy it is. What was handed out after it wrote this is not in it yet."""
        self.credit = max(0, min(presence.credit, self.card.slots - len(self.held)))
        self.presence = presence
        self.news.set()

    def drop(self, job: str) -> None:
        """It holds no attempt at this question any more."""
        for key in [key for key in self.held if key[0] == job]:
            del self.held[key]
            self.handed.pop(key, None)

    async def send(self, message: Message) -> None:
        """Tell it. Raises LinkClosed."""
        await self.link.send(encode(message))
