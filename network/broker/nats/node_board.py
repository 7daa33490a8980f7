"""Who is there, in a KV bucket whose entries expire by themselves, and this router's copy of it."""

from __future__ import annotations

from collections.abc import Callable

from network.broker.nats.connection import NatsConnection, RevisionChanged
from network.broker.nats.records import Announcement, decode_announcement, encode_record
from network.broker.protocol import NodeState


class NodeBoard:
    """Workers at all routers."""

    def __init__(self, connection: NatsConnection, now: Callable[[], float]) -> None:
        self._connection = connection
        self._now = now
        self._there: dict[str, tuple[NodeState, float, int]] = {}
        self._own: dict[str, int] = {}

    async def announce(self, state: NodeState, seconds: float) -> None:
        """There for so long. Raises BrokerUnavailable."""
        data = encode_record(Announcement(state, seconds))
        subject = self._connection.names.node(state.node)
        revision = await self._connection.put(subject, data, seconds=seconds)
        self._own[state.node] = revision
        self.apply(state.node, data, revision)

    async def withdraw(self, node: str) -> None:
        """Gone from this router; another one may have it already. Raises BrokerUnavailable."""
        revision = self._own.pop(node, None)
        if revision is None:
            return
        try:
            removed = await self._connection.remove(self._connection.names.node(node), revision)
        except RevisionChanged:
            return
        self.apply(node, b"", removed)

    def apply(self, node: str, data: bytes, revision: int) -> None:
        """An entry as it was written by somebody; empty data means that it was removed or has expired."""
        known = self._there.get(node)
        if known is not None and known[2] >= revision:
            return
        if not data:
            self._there.pop(node, None)
            return
        said = decode_announcement(data)
        self._there[node] = said.state, self._now() + said.seconds, revision

    def clear(self) -> None:
        """Nothing is known any more."""
        self._there.clear()

    def nodes(self) -> list[NodeState]:
        """Those that are there now; the others are forgotten."""
        now = self._now()
        self._there = {node: kept for node, kept in self._there.items() if kept[1] > now}
        return [state for state, _, _ in self._there.values()]
