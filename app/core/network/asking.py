"""Asking other devices: from a departure that the user has approved to an answer, event by event.

candidates → checked, drawn, sealed → submitted → the best-trusted one's words at once, the others' in the
background → compared → receipts countersigned and kept, trust noted.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from typing import Any

import msgspec

from app.core.asking_wishes import Joining
from app.core.errors import ConsentNeeded, ModelNotOffered, NobodyAnswered, NobodyElse, NoRouter
from app.core.events import Asked, Replaced, Token
from app.core.messages import Citation
from app.core.network.canarying import Canaries
from app.core.network.departure import Departure
from app.core.network.joining import Joined, Meanings, join, nearness
from app.core.network.listening import Listening, Patience
from app.core.network.outcome import agreeing, compared, quoted, usage
from app.core.network.panel import Panel
from app.core.network.passages import merge_passages
from app.core.network.preparation import Preparation, Prepared
from app.core.network.routers import Router, Routers
from app.core.network.settling import Settling
from app.core.provenance import PrivacyLevel, Provenance
from app.core.redaction import restore
from app.core.settings import SettingsStore
from app.core.stopping import StoppedEarly, StopSwitch
from engines.protocol import Usage
from network.client.router_client import RouterClient
from network.errors import NetworkError, NoWorkerFits
from network.protocol.fields import FinishReason
from network.protocol.jobs import JobAccepted

log = logging.getLogger(__name__)

OpenClient = Callable[[Router], AbstractAsyncContextManager[RouterClient]]
_CLOSING_SECONDS = 3.0
_NOBODY = (NoWorkerFits, ModelNotOffered, NobodyElse)
"""Reasons about which nothing can be done but to wait, or to wish something else."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The last event of an answer from elsewhere: what is to be kept beside its words."""

    model: str
    sources: tuple[Citation, ...]
    finish: FinishReason
    usage: Usage
    stopped: bool = False
    answers: tuple[str, ...] = ()
    """All that are whole, the most trusted device's first; only where they are to be put together."""
    all_sources: tuple[Citation, ...] = ()
    """What these rest on, together."""


class Asking:
    """Asks other devices through the routers that the user has set up."""

    def __init__(
        self,
        routers: Routers,
        open_client: OpenClient,
        preparation: Preparation,
        settling: Settling,
        canaries: Canaries,
        settings: SettingsStore,
        meanings: Meanings,
    ) -> None:
        self._routers = routers
        self._open_client = open_client
        self._preparation = preparation
        self._settling = settling
        self._canaries = canaries
        self._settings = settings
        self._meanings = meanings
        self.chance: Callable[[], float] = random.SystemRandom().random
        """From 0 to 1; decides whether a canary follows."""
        self._background: set[asyncio.Task[None]] = set()

    async def ready(self) -> bool:
        """Whether a router is set up."""
        return bool(await asyncio.to_thread(self._routers.enabled))

    async def close(self) -> None:
        """End what runs beside answers: cancellations are sent if that is quick, canaries are given up."""
        if self._background:
            _, late = await asyncio.wait(self._background, timeout=_CLOSING_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def answer(
        self, departure: Departure, stop: StopSwitch
    ) -> AsyncGenerator[Token | Replaced | Asked | Answered, None]:
        """Ask. Leaving the iterator early cancels the question at the router, as `stop` does.

        Raises:
            ConsentNeeded: the departure is not approved; nothing has left.
            NoRouter: none is set up.
            ModelNotOffered: a model is wished that nobody offers.
            NobodyElse: others than before are wished, and there are none.
            NobodyAnswered: no device has answered in time, or none to the end.
            NetworkError: nobody can be asked; the reason of the last router that was tried.
            StoppedEarly: the user stopped before anything was said.
        """
        if not departure.approved:
            raise ConsentNeeded
        routers = await stop.wait_for(asyncio.to_thread(self._routers.enabled))
        error: Exception = NoRouter()
        for router in routers:
            async with self._open_client(router) as client:
                try:
                    prepared = await stop.wait_for(self._prepare(client, router, departure))
                except (NetworkError, ModelNotOffered, NobodyElse) as refused:
                    log.info("a router was of no use: %s", type(refused).__name__)
                    # Of several reasons, one that the user can do something about says more.
                    error = error if isinstance(refused, _NOBODY) and _tells(error) else refused
                    continue
                async with aclosing(self._ask(client, router, departure, prepared, stop)) as events:
                    async for event in events:
                        yield event
                return
        raise error

    async def _prepare(self, client: RouterClient, router: Router, departure: Departure) -> Prepared:
        workers = 1 if departure.level is PrivacyLevel.MY_DEVICES else self._settings.current.network_answers
        return await self._preparation.prepare(client, router, departure, workers)

    async def _ask(
        self,
        client: RouterClient,
        router: Router,
        departure: Departure,
        prepared: Prepared,
        stop: StopSwitch,
    ) -> AsyncGenerator[Token | Replaced | Asked | Answered, None]:
        loop = asyncio.get_running_loop()
        panel = Panel(prepared.seats, prepared.wanted, loop.time())
        listening = Listening(
            prepared.asked,
            panel,
            Provenance(
                level=departure.level,
                router=router.name,
                departed=departure.departed,  # from here on it may have left, whatever happens
                replies=tuple(seat.reply() for seat in prepared.seats if not seat.spare),
            ),
            departure.placeholders,
            Patience(float(self._settings.current.network_patience_seconds)),
            first_only=self._joining(departure) == "first",
            clock=loop.time,
        )
        yield Asked(listening.provenance)
        accepted: JobAccepted | None = None
        stopped = asyncio.Event()
        try:
            accepted = await stop.wait_for(client.submit(prepared.sealed.request))
            listening.provenance = msgspec.structs.replace(listening.provenance, position=accepted.position)
            if accepted.position:
                yield Asked(listening.provenance)
            messages = client.answers(prepared.job, accepted.access)
            with stop.ends_by(stopped.set):
                async with aclosing(messages), aclosing(listening.events(messages, stopped)) as words:
                    async for word in words:
                        yield word
        finally:
            if accepted is not None and not (listening.ended or panel.done):
                self._run(self._cancel(router, prepared.job, accepted.access))
        async with aclosing(self._finish(router, departure, prepared, listening, stopped.is_set())) as events:
            async for event in events:
                yield event
        if not stopped.is_set():
            self._maybe_send_canary(router, departure.level, prepared)

    async def _finish(
        self,
        router: Router,
        departure: Departure,
        prepared: Prepared,
        listening: Listening,
        stopped: bool,
    ) -> AsyncGenerator[Token | Replaced | Asked | Answered, None]:
        """Compare, settle, and tell what stands in the end."""
        panel = listening.panel
        shown = panel.seats.get(listening.provenance.shown)
        panel.leave_out()
        whole = panel.whole
        if not whole:
            if not (stopped and shown is not None):
                if stopped:
                    raise StoppedEarly
                raise NobodyAnswered
            joined = Joined.alone(shown)
        else:
            best = shown if shown in whole else max(whole, key=lambda seat: seat.trust)
            joined = await join(whole, best, self._meanings)
        of_one_mind = agreeing(joined, whole)
        near = await nearness(departure.question, of_one_mind, self._meanings)
        merged = merge_passages(of_one_mind, joined.best.node, near)
        fusing = len(whole) > 1 and not stopped and self._joining(departure) == "fuse"
        together = merge_passages(quoted(whole if fusing else []), joined.best.node)
        originals = {node: restore(text, departure.placeholders) for node, text in together.texts.items()}
        for event in listening.show(joined.best, merged.texts[joined.best.node]):
            yield event
        yield Asked(compared(listening.provenance, panel, joined, departure, originals))
        now = self._preparation.now
        await self._settling.settle(prepared, joined, router.name, now)
        yield Answered(
            joined.best.model,
            departure.sources or merged.sources,
            joined.best.finish,
            usage(listening, joined.best),
            stopped=not whole,
            answers=tuple(originals.values()),
            all_sources=departure.sources or together.sources,
        )

    def _joining(self, departure: Departure) -> Joining:
        return departure.wishes.joining or self._settings.current.network_joining

    def _maybe_send_canary(self, router: Router, level: PrivacyLevel, prepared: Prepared) -> None:
        """Now and then, after a question to strangers, and unknown to them: who answers what is known?"""
        if level is PrivacyLevel.PUBLIC and self.chance() < self._canaries.share(prepared):
            self._run(self._send_canary(router))

    async def _send_canary(self, router: Router) -> None:
        try:
            async with self._open_client(router) as client:
                await self._canaries.send(client, router)
        except Exception as error:  # noqa: BLE001 - nobody waits for it
            log.info("no canary: %s", type(error).__name__)

    async def _cancel(self, router: Router, job: str, access: bytes) -> None:
        """Nobody waits any more; without this, the router finds out when the question expires."""
        try:
            async with self._open_client(router) as client:
                await client.cancel(job, access)
        except Exception as error:  # noqa: BLE001 - nobody waits for it
            log.info("a question was not cancelled: %s", type(error).__name__)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


def _tells(error: Exception) -> bool:
    return not isinstance(error, NoWorkerFits | NoRouter)
