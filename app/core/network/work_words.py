"""The work for others in words, for the screen and the terminal."""

from __future__ import annotations

from datetime import UTC, datetime

from app.core.network.work_records import WorkEntry
from app.core.network.work_status import WorkState, WorkStatus
from app.core.strings import Strings


def standing_of(status: WorkStatus, strings: Strings) -> str:
    """How the work stands, in a sentence."""
    if status.error is not None:
        return strings.error(status.error)
    if status.state is WorkState.PAUSED and status.obstacle is not None:
        return strings(f"working.obstacle.{status.obstacle}")
    if status.state is WorkState.READY:
        connected = sum(router.connection.way is not None for router in status.routers)
        return strings("working.ready", count=connected)
    if status.state is WorkState.WORKING:
        return strings("working.busy", count=status.running)
    return strings(f"working.state.{status.state}")


def facts_of(entry: WorkEntry, strings: Strings) -> str:
    """Model, amount and duration of the work on a question."""
    facts = [strings("working.seconds", seconds=strings.number(entry.seconds, 1))]
    if entry.tokens:
        facts.insert(0, strings("working.tokens", count=entry.tokens))
    if entry.model:
        facts.insert(0, strings.isolate(entry.model))
    if entry.sources:
        facts.append(strings("working.sources", count=entry.sources))
    return " · ".join(facts)


def asked_by(entry: WorkEntry, strings: Strings) -> str:
    """When a question came, and from which step of the ladder."""
    when = strings.time(datetime.fromtimestamp(entry.began, UTC))
    return f"{when} · {strings(f'working.level.{entry.level}')}"
