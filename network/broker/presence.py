"""Which workers are there, in memory: each says so again before its time is over."""

from __future__ import annotations

from network.broker.protocol import NodeState


class PresenceBoard:
    """The workers that are there. The caller tells the time."""

    def __init__(self) -> None:
        self._there: dict[str, tuple[NodeState, float]] = {}

    def announce(self, state: NodeState, until: float) -> None:
        """There until this moment."""
        self._there[state.node] = state, until

    def withdraw(self, node: str) -> None:
        """Gone."""
        self._there.pop(node, None)

    def nodes(self, now: float) -> list[NodeState]:
        """Those that are there now; the others are forgotten."""
        self._there = {node: kept for node, kept in self._there.items() if kept[1] > now}
        return [state for state, _ in self._there.values()]
