"""What the owner sees of the work for others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from app.core.network.device_conditions import Conditions
from app.core.network.work_policy import Obstacle
from app.core.network.work_records import Served
from network.worker.connection import ConnectionState, Phase


class WorkState(StrEnum):
    """How it stands; every one of them is told to the owner in words."""

    OFF = "off"
    ELSEWHERE = "elsewhere"
    """Another window or terminal of the app on this device does it."""
    OFFLINE = "offline"
    """The owner wants nothing to leave this device."""
    NO_ROUTER = "no_router"
    NOBODY = "nobody"
    """Neither a group nor strangers are to be answered."""
    NO_MODEL = "no_model"
    LOCKED = "locked"
    """The keys of this device cannot be used; `WorkStatus.error` tells why."""
    CONNECTING = "connecting"
    UNREACHABLE = "unreachable"
    """No router can be reached at the moment; it is tried again by itself."""
    PAUSED = "paused"
    """Connected, and takes nothing; `WorkStatus.obstacle` tells why."""
    READY = "ready"
    WORKING = "working"


@dataclass(frozen=True, slots=True)
class RouterStatus:
    """The connection to one router."""

    id: str
    name: str
    host: str
    connection: ConnectionState


@dataclass(frozen=True, slots=True)
class WorkStatus:
    """All of it, at one moment."""

    state: WorkState = WorkState.OFF
    obstacle: Obstacle | None = None
    error: Exception | None = None
    routers: tuple[RouterStatus, ...] = ()
    running: int = 0
    """Questions that it is at."""
    today: Served = field(default_factory=Served)
    model: str | None = None
    """Name of the model that answers."""
    conditions: Conditions = field(default_factory=lambda: Conditions(None, None, None))


def state_of(connections: Sequence[ConnectionState], obstacle: Obstacle | None, running: int) -> WorkState:
    """How the work stands that nothing forbids."""
    phases = {connection.phase for connection in connections}
    if running:
        return WorkState.WORKING
    if Phase.CONNECTED in phases:
        return WorkState.PAUSED if obstacle is not None else WorkState.READY
    return WorkState.UNREACHABLE if phases == {Phase.WAITING} else WorkState.CONNECTING
