"""The workers that are there, as the balancer wants them: cards are checked once, not at every query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from network.balancing import Nearness, Worker, worker_of
from network.broker.protocol import NodeState
from network.cards import read_card
from network.errors import CardError, MessageError
from network.protocol.cards import NodeCard
from network.protocol.groups import Membership
from network.protocol.message import Signed
from network.protocol.tickets import WorkerQuery
from network.router.desk import RouterDesk


@dataclass(frozen=True, slots=True)
class ListedWorker:
    """A worker that is there, with its card as it was checked."""

    state: NodeState
    card: NodeCard = field(repr=False)
    worker: Worker
    """As a stranger."""

    def shared(self, groups: Sequence[str]) -> tuple[Membership, ...]:
        """Its memberships in these groups."""
        return tuple(member for member in self.state.memberships if member.group in groups)

    def seen_by(self, query: WorkerQuery) -> Worker | None:
        """As it is for who asks so; None if it is not to be shown at all."""
        if query.nodes and self.card.node not in query.nodes:
            return None
        if not self.state.is_for(query.groups, public=query.public):
            return None
        if not (shared := self.shared(query.groups)):
            return self.worker
        closest = min(query.groups.index(member.group) for member in shared)
        nearness = Nearness.MINE if closest == 0 else Nearness.CIRCLE
        return replace(self.worker, nearness=nearness)


class Directory:
    """All workers that are there, on whichever router of this broker."""

    def __init__(self, desk: RouterDesk) -> None:
        self._desk = desk
        self._cards: dict[str, tuple[Signed, NodeCard]] = {}
        self._listed: dict[str, ListedWorker] = {}

    async def workers(self) -> list[ListedWorker]:
        """Those whose card is valid now."""
        now = self._desk.now()
        listed = {}
        for state in await self._desk.broker.nodes():
            entry = self._listed.get(state.node)
            if entry is None or (entry.state is not state and entry.state != state):
                entry = self._read(state, now)
            if entry is not None and entry.card.expires >= now:
                listed[state.node] = entry
        self._listed = listed
        self._cards = {node: self._cards[node] for node in listed}
        return list(listed.values())

    def _read(self, state: NodeState, now: int) -> ListedWorker | None:
        signed, card = self._cards.get(state.node, (None, None))
        if card is None or signed != state.card:
            try:
                card = read_card(state.card, now)
            except (MessageError, CardError):
                return None  # expired since it registered
            self._cards[state.node] = state.card, card
        return ListedWorker(state, card, worker_of(card, credit=state.credit, nearness=Nearness.PUBLIC))
