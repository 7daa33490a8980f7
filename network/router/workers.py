"""A router's side of a worker's connection: admission, presence, leases, and answers on their way back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

from network.broker.protocol import Claim, Handout, Passed
from network.errors import CardError, Goodbye, LinkClosed, MessageError, MessageInvalid, QueueError
from network.link import Link
from network.protocol import frames
from network.protocol.answers import AnswerChunk, AnswerStart
from network.protocol.jobs import Cancel, Decline, Lease, Renew
from network.protocol.message import encode
from network.protocol.presence import Bye, ByeReason, Ping, Presence
from network.protocol.registration import Hello, Resumption
from network.router.admission import Admission
from network.router.answers import AnswerDesk
from network.router.connected import ConnectedWorker
from network.router.desk import RouterDesk
from network.router.pace import Pace
from network.router.returning import ReturningWorkers

log = logging.getLogger(__name__)

_COME_BACK_SECONDS = 5
"""When the router's own server does not answer."""


class WorkerDesk:
    """All workers that are connected to this router. Belongs to one event loop."""

    def __init__(self, desk: RouterDesk) -> None:
        self._desk = desk
        self._workers: dict[str, ConnectedWorker] = {}
        self._admission = Admission(desk)
        self._returning: set[asyncio.Future[None]] = set()
        self._back = ReturningWorkers(desk, self._return)
        self._finishing = False
        self._closing = False
        self._settled = asyncio.Event()
        self._answers = AnswerDesk(desk, self._settled.set)
        self._invited = desk.invites.now() if desk.invites else ()

    def __len__(self) -> int:
        return len(self._workers)

    @property
    def held(self) -> int:
        """Questions that workers of this router are at."""
        return sum(len(worker.held) for worker in self._workers.values())

    async def serve(self, link: Link) -> None:
        """One connection, until it ends. Whatever a worker sends, nothing else than its own link suffers."""
        found: dict[Claim, Passed] = {}

        async def take_up(node: str, hello: Hello) -> tuple[Resumption, ...]:
            await self._replace(node)
            found.update(await self._back.welcome(node, hello))
            return tuple(
                Resumption(job=claim.job, attempt=claim.attempt, next_index=max(0, passed.parts))
                for claim, passed in found.items()
            )

        try:
            card, hello = await self._admission.admit(link, take_up)
        except (MessageError, CardError, TimeoutError) as error:
            log.info("a worker was not admitted: %s", type(error).__name__)
            self._desk.counts["workers refused"] += 1
            await _goodbye(link, "refused")
            return
        except QueueError as error:
            log.warning("a worker is sent away, the broker fails: %s", error)
            await _goodbye(link, "restart", _COME_BACK_SECONDS)
            return
        except LinkClosed:
            return
        worker = ConnectedWorker(card, hello, link)
        await self._replace(card.node)  # another one may have come while this one was being admitted
        self._workers[card.node] = worker
        self._desk.counts["workers admitted"] += 1
        if self._desk.invites is not None:
            self._desk.invites.came(hello.invite, card.node)
        may_return = False
        try:
            async with asyncio.TaskGroup() as tasks:
                await self._go_on(worker, found)
                tasks.create_task(self._hand_out(worker))
                tasks.create_task(self._listen(worker))
                tasks.create_task(self._ping(worker))
                tasks.create_task(_until_replaced(worker))
        except* Goodbye:
            pass
        except* LinkClosed:
            may_return = not (self._closing or worker.dismissed)
        except* MessageError as errors:
            log.info("a worker's connection was ended: %s", type(errors.exceptions[0]).__name__)
        except* QueueError as errors:
            log.warning("a worker is sent away, the broker fails: %s", errors.exceptions[0])
            await _goodbye(link, "restart", _COME_BACK_SECONDS)
        finally:
            try:
                await self._left(worker, may_return=may_return)
            finally:
                worker.gone.set()
                await (_goodbye(link, "replaced") if worker.replaced.is_set() else link.close())

    async def cancel(self, job: str, nodes: list[str]) -> None:
        """Tell these workers that nobody waits for a question any more."""

        async def tell(worker: ConnectedWorker) -> None:
            with contextlib.suppress(LinkClosed):
                await worker.send(Cancel(job=job))

        told = [worker for node in nodes if (worker := self._workers.get(node))]
        for worker in told:
            worker.drop(job)
        self._settled.set()
        await asyncio.gather(*map(tell, told))  # one that does not read must not keep the others waiting

    async def dismiss_uninvited(self) -> None:
        """Send those away whose invitation was taken back."""
        if self._desk.invites is None or self._desk.invites.now() == self._invited:
            return
        self._invited = self._desk.invites.now()
        late = [worker for worker in self._workers.values() if not self._desk.admits(worker.hello.invite)]
        for worker in late:
            worker.dismissed = True
        self._desk.counts["workers dismissed"] += len(late)
        await asyncio.gather(*(_goodbye(worker.link, "refused") for worker in late))

    async def close(self, retry_seconds: int) -> None:
        """Say goodbye to all, before a restart."""

        async def part(worker: ConnectedWorker) -> None:
            with contextlib.suppress(LinkClosed):
                await worker.send(Bye(reason="restart", retry_seconds=retry_seconds))
            await worker.link.close()

        self._closing = True
        await asyncio.gather(*map(part, list(self._workers.values())))

    async def finish_running(self, seconds: float) -> bool:
        """Hand out nothing more, and wait for what runs; False if some of it still does after so long."""
        self._finishing = True
        for worker in self._workers.values():
            worker.news.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.held:
                    self._settled.clear()
                    await self._settled.wait()
        return not self.held

    async def _replace(self, node: str) -> None:
        """End an earlier connection of this worker; it may be one that only looks alive."""
        if earlier := self._workers.get(node):
            earlier.replaced.set()
            await earlier.gone.wait()

    async def _go_on(self, worker: ConnectedWorker, found: dict[Claim, Passed]) -> None:
        """What it was at before its connection broke."""
        self._desk.counts["answers taken up again"] += len(found)
        for claim, passed in found.items():
            if passed.ended:  # all that the worker did not hear is that it has arrived
                await self._answers.finish(worker, claim, passed.parts)
            else:
                worker.held[claim.job, claim.attempt] = passed.parts

    async def _ping(self, worker: ConnectedWorker) -> None:
        while True:
            await asyncio.sleep(self._desk.times.ping)
            await worker.send(Ping(time=self._desk.now()))

    async def _hand_out(self, worker: ConnectedWorker) -> None:
        """Questions from the mailbox, never more than the worker has credit for."""
        while True:
            worker.news.clear()
            if worker.credit <= 0 or self._finishing:
                await worker.news.wait()
                continue
            found = await self._lease(worker)
            worker.credit -= len(found)
            for handout in found:
                worker.drop(handout.claim.job)
                key = handout.claim.job, handout.claim.attempt
                worker.held[key], worker.handed[key] = -1, self._desk.monotonic()
                self._desk.timings.queue_wait.observe(handout.waited_seconds)
            if found:
                await self._announce(worker)
            for handout in found:
                await self._answers.tell(handout.claim.job, "handed_out", worker, handout.claim.attempt)
            for handout in found:
                claim = handout.claim
                await worker.send(
                    Lease(
                        job=claim.job,
                        attempt=claim.attempt,
                        grant=handout.grant,
                        body=handout.body,
                        ticket=handout.ticket,
                    )
                )

    async def _lease(self, worker: ConnectedWorker) -> list[Handout]:
        """What waits for the worker; nothing as soon as it says something new about itself."""
        node, credit = worker.card.node, worker.credit
        lease = asyncio.ensure_future(self._desk.broker.lease(node, credit, wait_seconds=60.0))
        news = asyncio.ensure_future(worker.news.wait())
        found: list[Handout] | None = None
        try:
            await asyncio.wait({lease, news}, return_when=asyncio.FIRST_COMPLETED)
            found = lease.result() if lease.done() else None
        finally:
            news.cancel()
            if found is None:
                lease.cancel()  # the broker keeps what it had not handed out yet,
                lease.add_done_callback(self._return_unseen)  # and gets back what it had
        return found or []

    def _return_unseen(self, lease: asyncio.Future[list[Handout]]) -> None:
        if lease.cancelled() or lease.exception() is not None:
            return
        for handout in lease.result():
            task = asyncio.ensure_future(self._return(handout.claim))
            self._returning.add(task)
            task.add_done_callback(self._returning.discard)

    async def _listen(self, worker: ConnectedWorker) -> None:
        silence = self._desk.times.ping * 2.5
        pace = Pace(worker.card.slots, time.monotonic())
        while True:
            if wait := pace.message(time.monotonic()):
                await asyncio.sleep(wait)
            try:
                async with asyncio.timeout(silence):
                    data = await worker.link.receive()
            except TimeoutError:
                raise LinkClosed("silent for too long") from None
            message = frames.from_worker(data)
            match message:
                case Presence():
                    await self._present(worker, message)
                case AnswerStart() | AnswerChunk():
                    await self._answers.part(worker, message, data)
                case Renew():
                    await self._answers.renew(worker, message.job, message.attempt)
                case Decline():
                    await self._answers.declined(worker, message)
                case Bye():
                    raise Goodbye(message.reason)
                case _:
                    raise MessageInvalid("registered already")

    async def _present(self, worker: ConnectedWorker, presence: Presence) -> None:
        worker.present(presence)
        await self._announce(worker)

    async def _announce(self, worker: ConnectedWorker) -> None:
        """Tell all who choose workers how busy this one is."""
        await self._desk.broker.announce(worker.state, self._desk.times.ping * 2.5)

    async def _left(self, worker: ConnectedWorker, *, may_return: bool) -> None:
        """Gone: others get its questions, at once or if it does not come back soon."""
        node = worker.card.node
        claims = [worker.claim(*key) for key in worker.held]
        worker.held.clear()
        self._settled.set()
        if may_return and self._desk.times.grace:
            await self._back.expect(node, claims)
        else:
            for claim in claims:
                await self._return(claim)
        if self._workers.get(node) is worker:
            await self._desk.broker.withdraw(node)
            del self._workers[node]  # last: until then a new connection waits for the end of this one

    async def _return(self, claim: Claim) -> None:
        """Give a question back that its worker will not answer now."""
        try:
            await self._desk.broker.give_back(claim, final=False)
        except QueueError as error:
            log.warning("a question waits for the end of its lease: %s", error)


async def _until_replaced(worker: ConnectedWorker) -> None:
    await worker.replaced.wait()
    raise LinkClosed("replaced")


async def _goodbye(link: Link, reason: ByeReason, retry_seconds: int = 0) -> None:
    with contextlib.suppress(LinkClosed):
        await link.send(encode(Bye(reason=reason, retry_seconds=retry_seconds)))
    await link.close()
