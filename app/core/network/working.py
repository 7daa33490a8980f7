"""This device answers questions of others: when its owner allows it, and never in the owner's way."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from app.core.instance import InstanceLock, WritersLock
from app.core.models import Models
from app.core.network.device_answerer import DeviceAnswerer
from app.core.network.device_conditions import Conditions, DeviceConditions
from app.core.network.facade import Network
from app.core.network.shared_documents import SharedDocuments
from app.core.network.work_connections import WorkConnections
from app.core.network.work_plan import WorkPlan, make_plan
from app.core.network.work_policy import (
    Obstacle,
    Situation,
    WorkPolicy,
    WorkPolicyStore,
    changed_policy,
    obstacle,
)
from app.core.network.work_records import WorkRecords
from app.core.network.work_status import WorkState, WorkStatus, state_of
from app.core.owner_activity import OwnerActivity
from app.core.provenance import PrivacyLevel
from app.core.settings import SettingsStore
from network.protocol.content import Question
from network.worker.waking import Waking
from rag.knowledge import KnowledgeBase

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
"""How often power, temperature, the time of the day and the network are looked at."""

Listener = Callable[[WorkStatus], None]


class Working:
    """Begins with `start`, ends with `stop`; belongs to the event loop in which it was started.

    What the owner does in this process stops it at once; what happens in another process, and all that only
    the system knows, is noticed within some seconds.
    """

    def __init__(
        self,
        folder: Path,
        network: Network,
        models: Models,
        knowledge: KnowledgeBase,
        settings: SettingsStore,
        activity: OwnerActivity,
        writers: WritersLock,
        *,
        conditions: DeviceConditions | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Opens nothing and asks nobody yet."""
        self.records = WorkRecords(folder / "work.db", clock)
        self.conditions = conditions or DeviceConditions()
        self._lock_path = folder / "worker.lock"
        self._store = WorkPolicyStore(folder / "working.json")
        self._temporary: WorkPolicy | None = None
        self._network = network
        self._models = models
        self._settings = settings
        self._activity = activity
        self._writers = writers
        self._clock = clock
        self._documents = SharedDocuments(knowledge, lambda: settings.current.passages)
        self._answerer = DeviceAnswerer(
            models,
            self._documents,
            self.records,
            level_of=self._level_of,
            model=lambda: self._plan.model if self._plan is not None else None,
            policy=lambda: self.policy,
            needed=self._needed,
            changed=self._look_soon,
        )
        self._plan: WorkPlan | None = None
        self._obstacle: Obstacle | None = None
        self._connections = WorkConnections(network, self._answerer, self.records.answered, self._look_soon)
        self._lock: InstanceLock | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._status = WorkStatus()
        self._listeners: list[Listener] = []
        self._unsubscribe: list[Callable[[], None]] = []

    @property
    def policy(self) -> WorkPolicy:
        """The owner's rules, as they are followed now."""
        return self._temporary or self._store.current

    @property
    def status(self) -> WorkStatus:
        """How it stands."""
        return self._status

    def change(self, **values: object) -> WorkPolicy:
        """Change the rules; they are followed at once, and kept unless `start` was given others.

        Raises:
            msgspec.ValidationError: a value is out of range or of the wrong type.
            OSError: they cannot be kept.
        """
        if self._temporary is not None:
            self._temporary = changed_policy(self._temporary, **values)
        else:
            self._store.change(**values)
        if self.policy.paused or not self.policy.enabled:
            self._hold(Obstacle.PAUSED)
        self._look_soon()
        return self.policy

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every new status; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def start(self, policy: WorkPolicy | None = None) -> None:
        """Follow the rules from now on; with `policy`, these instead of the owner's, for this time only."""
        if self._task is not None:
            return
        self._temporary = policy
        self._loop = asyncio.get_running_loop()
        self._unsubscribe = [
            self._activity.subscribe(self._owner_begins_or_ends),
            self._models.subscribe(self._look_soon),
            self._network.routers.stored.subscribe(self._look_soon),
            self._network.groups.stored.subscribe(self._look_soon),
            self._settings.subscribe(lambda _: self._look_soon()),
        ]
        self._task = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """Say goodbye to all routers; what runs is given to others."""
        task, self._task = self._task, None
        if task is not None:
            for unsubscribe in self._unsubscribe:
                unsubscribe()
            task.cancel()
            await asyncio.wait({task})
            self._tell(WorkStatus())

    async def close(self) -> None:
        """Stop, and close the log."""
        await self.stop()
        self.records.close()

    async def _follow(self) -> None:
        """Look at everything every now and then, and at once after a change; nothing that fails ends it."""
        waking = Waking()
        try:
            while True:
                self._changed.clear()
                try:
                    status = await self._look()
                except Exception as error:  # noqa: BLE001 - keyrings and disks fail in many ways
                    log.warning("work for others is interrupted: %s", type(error).__name__)
                    await self._connections.leave()
                    status = WorkStatus(WorkState.LOCKED, error=error)
                self._tell(status)
                pause = LOOK_SECONDS if self.policy.enabled else None
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._changed.wait()
                if await asyncio.to_thread(waking.look, LOOK_SECONDS) and pause is not None:
                    await self._connections.wake()
        finally:
            await self._connections.leave()
            self._release()

    async def _look(self) -> WorkStatus:
        """Decide, do what was decided, and tell."""
        policy = self.policy
        if (state := self._forbidden(policy)) is not None:
            return await self._rest(state)
        self._plan = plan = await asyncio.to_thread(
            make_plan, policy, self._network, self._models, self._documents, self.records
        )
        if plan.impossible is not None:
            return await self._rest(plan.impossible)
        situation, conditions = await asyncio.to_thread(self._situation)
        self._hold(
            obstacle(policy, replace(situation, owner_busy=situation.owner_busy or self._activity.busy))
        )
        await self._connections.follow(plan)
        routers = self._connections.status()
        running = self._answerer.running
        return WorkStatus(
            state_of([each.connection for each in routers], self._obstacle, running),
            self._obstacle,
            None,
            routers,
            running,
            await asyncio.to_thread(self.records.today),
            plan.model.name if plan.model is not None else None,
            conditions,
        )

    def _forbidden(self, policy: WorkPolicy) -> WorkState | None:
        if not policy.enabled:
            self._release()
            return WorkState.OFF
        if self._network.offline.on:
            return WorkState.OFFLINE
        if self._lock is None:
            self._lock = InstanceLock(self._lock_path)
        return None if self._lock.acquire() else WorkState.ELSEWHERE

    async def _rest(self, state: WorkState) -> WorkStatus:
        await self._connections.leave()
        if state is WorkState.OFF:
            return WorkStatus()
        return WorkStatus(state, today=await asyncio.to_thread(self.records.today))

    def _situation(self) -> tuple[Situation, Conditions]:
        conditions = self.conditions.now()
        now = datetime.fromtimestamp(self._clock())
        served = self.records.today()
        return Situation(
            minute=now.hour * 60 + now.minute,
            owner_busy=not self._writers.if_nobody_writes(lambda: None),
            idle_seconds=self._activity.idle_seconds,
            charging=conditions.charging,
            metered=conditions.metered,
            celsius=conditions.celsius,
            questions_today=served.questions,
            tokens_today=served.tokens,
        ), conditions

    def _hold(self, now: Obstacle | None) -> None:
        self._obstacle = now
        self._connections.hold(now)

    def _owner_begins_or_ends(self) -> None:
        if self._activity.busy:
            self._hold(Obstacle.OWNER_BUSY)
        self._look_soon()

    def _needed(self) -> bool:
        return self._activity.busy or (self._obstacle is not None and self._obstacle.urgent)

    def _level_of(self, question: Question, asker: bytes) -> PrivacyLevel | None:
        return self._plan.level_of(question, asker, self._network) if self._plan is not None else None

    def _look_soon(self) -> None:
        """May be called from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._changed.set)

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _tell(self, status: WorkStatus) -> None:
        if status != self._status:
            self._status = status
            for listener in list(self._listeners):
                listener(status)
