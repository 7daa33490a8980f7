"""A router's side of an asker: who could answer, a question to keep, answers to pass on."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncGenerator
from dataclasses import replace
from itertools import islice

from network.balancing import Wish, Worker, choose, fits
from network.broker.protocol import Frame, JobState, QueuedJob
from network.envelope import LONGEST_LIFE_SECONDS
from network.errors import MessageInvalid
from network.protocol.jobs import Grant, JobAccepted, JobRequest
from network.protocol.tickets import Candidate, Candidates, WorkerQuery
from network.router.desk import RouterDesk
from network.router.directory import Directory, ListedWorker
from network.router.workers import WorkerDesk
from network.signatures import verify_own
from network.tickets import check_ticket, issue_ticket


class AskingDesk:
    """What askers may do at this router."""

    def __init__(self, desk: RouterDesk, workers: WorkerDesk) -> None:
        self._desk = desk
        self._workers = workers
        self.directory = Directory(desk)

    async def candidates(self, query: WorkerQuery) -> Candidates:
        """Workers for a question, drawn by this router, and its ticket for them.

        Raises:
            NoWorkerFits: nobody that the asker may see fits, free or busy.
        """
        listed: dict[str, ListedWorker] = {}
        pool: list[Worker] = []
        for entry in await self.directory.workers():
            seen = entry.seen_by(query)
            if seen is not None and not entry.state.pause:
                listed[seen.node] = entry
                pool.append(seen)
        wish = Wish(
            model=query.model,
            languages=frozenset(query.languages),
            topics=frozenset(query.topics),
            workers=query.workers,
            spares=query.spares,
            nearest_first=True,
        )
        free = islice((worker for worker in pool if fits(wish, worker)), query.workers)
        if len(tuple(free)) < query.workers:
            # Too few are free: the question may wait in the mailbox of a busy one.
            pool = [replace(worker, credit=max(1, worker.credit)) for worker in pool]
        choice = choose(wish, pool, self._desk.token("draw", query.job, query.asker))
        ticket = issue_ticket(self._desk.key, choice, job=query.job, asker=query.asker, now=self._desk.now())
        found = tuple(
            Candidate(
                card=listed[node].state.card,
                credit=listed[node].state.credit,
                memberships=listed[node].shared(query.groups),
            )
            for node in (*choice.workers, *choice.spares)
        )
        return Candidates(candidates=found, ticket=ticket)

    def check(self, request: JobRequest) -> QueuedJob:
        """The question as it will be kept, if all of it belongs together; its asker has signed it.

        Raises:
            MessageError: grants, body and ticket do not belong together.
        """
        grants = [verify_own(signed, Grant) for signed in request.grants]
        first = grants[0]
        digest = hashlib.sha256(request.body).digest()
        for grant in grants:
            same = (grant.job, grant.asker, grant.issued, grant.expires, grant.body_digest)
            if same != (request.job, first.asker, first.issued, first.expires, digest):
                raise MessageInvalid("grants of different questions")
        if not first.issued < first.expires <= self._desk.now() + LONGEST_LIFE_SECONDS:
            raise MessageInvalid("a question lives for at most a day")
        nodes = [grant.node for grant in grants]
        if len(set(nodes)) < len(nodes) or request.workers > len(nodes):
            raise MessageInvalid("a worker twice, or fewer than shall answer")
        if request.ticket is not None:
            check_ticket(
                request.ticket,
                self._desk.public,
                job=request.job,
                asker=first.asker,
                nodes=nodes,
                now=self._desk.now(),
            )
        return QueuedJob(
            job=request.job,
            asker=first.asker,
            body=request.body,
            grants=tuple(zip(nodes, request.grants, strict=True)),
            workers=request.workers,
            expires=first.expires,
            ticket=request.ticket,
        )

    async def submit(self, request: JobRequest) -> JobAccepted:
        """Check and keep a question. When this returns, it will not be lost.

        Raises:
            MessageError: as `check`.
            QueueFull, QueueConflict: as the broker says.
        """
        return await self.keep(self.check(request))

    async def keep(self, job: QueuedJob) -> JobAccepted:
        """Keep a question that `check` has seen. Raises QueueFull and QueueConflict."""
        position = await self._desk.broker.submit(job)
        return JobAccepted(job=job.job, access=self._access(job.job), position=position)

    def answers(self, job: str, access: bytes, after: int = 0) -> AsyncGenerator[Frame, None]:
        """Encoded messages about a question, until it has ended. Raises PermissionError."""
        self._check(job, access)
        return self._desk.broker.frames(job, after)

    async def state(self, job: str, access: bytes) -> JobState | None:
        """How a question stands; None if it is not known. Raises PermissionError."""
        self._check(job, access)
        return await self._desk.broker.state(job)

    async def cancel(self, job: str, access: bytes) -> None:
        """Nobody waits for it any more. Raises PermissionError."""
        self._check(job, access)
        await self._workers.cancel(job, await self._desk.broker.cancel(job))

    def _access(self, job: str) -> bytes:
        return self._desk.token("access", job)

    def _check(self, job: str, access: bytes) -> None:
        if not hmac.compare_digest(access, self._access(job)):
            raise PermissionError("not the asker of this question")
