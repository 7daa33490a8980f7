"""A desk whose questions can leave it, and devices to ask."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from app.core.events import Replaced, Token
from app.core.network.facade import Network
from app.core.provenance import PrivacyLevel
from network.groups import group_tag, membership
from network.keys import DeviceKeys
from tests.app.core.conftest import Answered, Desk, collect
from tests.network.small_world import ScriptedAnswerer, now

PUBLIC = PrivacyLevel.PUBLIC


@dataclass
class Place:
    """A desk whose questions can leave it, a router, and devices to ask."""

    desk: Desk
    network: Network
    router: object
    stack: AsyncExitStack
    workers: dict[str, object] = field(default_factory=dict)

    async def worker(self, *words: str, group: bytes | None = None, **options):
        """A worker that says this; a stranger, unless it is in a group."""
        from tests.network.router.devices import seen, working

        answerer = ScriptedAnswerer(words, **options)
        keys = DeviceKeys.generate(now())
        public = self.router.service.desk.public
        shown = (membership(group, public, keys.public),) if group else ()
        device = await self.stack.enter_async_context(
            working(self.router.address, answerer, keys=keys, memberships=shown, public=group is None)
        )
        if group is not None:
            await seen(self.router.address, device, groups=(group_tag(group, public),), public=False)
        self.workers[device.node] = device
        return device

    def conversation(self, level: PrivacyLevel = PUBLIC, collections=()) -> int:
        """A new conversation of this level."""
        return self.desk.conversations.create(collections, level=level).id

    async def ask(self, conversation: int, text: str = "What is it?", **watch) -> Answered:
        """Ask with the user's consent."""
        departure = await self.desk.answering.departure(conversation, text)
        assert departure is not None
        return await collect(
            self.desk.answering.ask(conversation, text, departure=departure.approve()), **watch
        )

    def shown(self, answered: Answered) -> str:
        """What a reader has seen in the end."""
        text = ""
        for event in answered.events:
            match event:
                case Token(text=more):
                    text += more
                case Replaced(text=whole):
                    text = whole
        return text
