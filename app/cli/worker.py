"""`dai worker`: answer questions of others in the terminal, until it is interrupted."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import typer

from app.cli.choices import model_named
from app.cli.errors import CommandError
from app.cli.session import on_interrupt, run, services, strings_of
from app.cli.text import print_line
from app.core.errors import NoModelInstalled, RouterMissing
from app.core.network.groups import Group, GroupKind
from app.core.network.router_address import read_router_address
from app.core.network.routers import Router
from app.core.network.work_plan import model_for_others
from app.core.network.work_policy import WorkHours, WorkPolicy, changed_policy
from app.core.network.work_records import WorkEntry
from app.core.network.work_status import WorkStatus
from app.core.network.work_words import asked_by, facts_of, standing_of
from app.core.strings import Strings
from app.services import Services
from network.errors import PairingCodeInvalid
from network.groups import read_group_code

_ENVIRONMENT = "DAI_WORKER_"
"""Before the names of options that hold secrets: arguments can be read by other programs of this device."""
_HOURS = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")


def worker(
    router: Annotated[
        str, typer.Option("--router", help="Address or name of a router; else all that are switched on.")
    ] = "",
    invite: Annotated[
        str, typer.Option("--invite", envvar=f"{_ENVIRONMENT}INVITE", help="The router's invitation.")
    ] = "",
    group: Annotated[
        str,
        typer.Option(
            "--group",
            envvar=f"{_ENVIRONMENT}GROUP",
            help="Answer this group only: its name, or its code, with which this device joins.",
        ),
    ] = "",
    mine: Annotated[bool, typer.Option("--mine", help="The code is that of your own devices.")] = False,
    public: Annotated[bool, typer.Option("--public", help="Answer strangers, too.")] = False,
    model: Annotated[str, typer.Option("--model", help="Id or name of the model that answers.")] = "",
    hours: Annotated[str, typer.Option("--hours", help="Part of the day, such as 22:00-07:00.")] = "",
    quota: Annotated[int | None, typer.Option("--quota", min=0, help="Questions a day; 0: no limit.")] = None,
    slots: Annotated[
        int | None, typer.Option("--slots", min=1, max=4, help="Questions at the same time.")
    ] = None,
    on_battery: Annotated[
        bool, typer.Option("--on-battery", help="Also while the device is not plugged in.")
    ] = False,
    metered: Annotated[
        bool, typer.Option("--metered", help="Also over a connection that is paid by the byte.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON for each event.")] = False,
) -> None:
    """Answer questions of others until Ctrl-C. The rules of the app hold where no option says otherwise."""
    wishes = _Wishes(router, invite, group, mine, public, model, _hours(hours), quota, slots)
    run(_work(wishes, on_battery=on_battery, metered=metered, as_json=as_json))


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What the options say."""

    router: str
    invite: str
    group: str
    mine: bool
    public: bool
    model: str
    hours: WorkHours | None
    quota: int | None
    slots: int | None


@dataclass(frozen=True, slots=True)
class StatusLine:
    """With `--json`: how the work stands now."""

    state: str
    obstacle: str | None
    routers: int
    """That are connected."""
    running: int
    questions_today: int
    tokens_today: int
    event: str = "status"


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """With `--json`: a question has ended."""

    level: str
    outcome: str
    model: str
    tokens: int
    seconds: float
    event: str = "answer"


async def _work(wishes: _Wishes, *, on_battery: bool, metered: bool, as_json: bool) -> None:
    async with services() as opened:
        strings = strings_of(opened)
        policy = await _policy(opened, wishes)
        if on_battery:
            policy = changed_policy(policy, only_charging=False)
        if metered:
            policy = changed_policy(policy, only_unmetered=False)
        if not policy.public and not _groups(opened, policy):
            raise CommandError("cli.worker_nobody")
        if await asyncio.to_thread(model_for_others, policy, opened.models) is None:
            raise NoModelInstalled
        told = _Told(opened, strings, as_json=as_json)
        opened.working.subscribe(told.status)
        ended = asyncio.Event()
        with on_interrupt(ended.set), _on_termination(ended.set):
            opened.working.start(policy)
            await ended.wait()
            if not as_json:
                print(strings("cli.worker_goodbye"), file=sys.stderr)
            await opened.working.stop()


class _Told:
    """Says what is new, and nothing twice."""

    def __init__(self, opened: Services, strings: Strings, *, as_json: bool) -> None:
        self._records = opened.working.records
        self._strings = strings
        self._as_json = as_json
        latest = self._records.latest(1)
        self._last = latest[0].id if latest else 0
        self._standing = ""

    def status(self, status: WorkStatus) -> None:
        """A status of `Working`."""
        for entry in reversed(self._records.latest()):
            if entry.id > self._last:
                self._last = entry.id
                self._answer(entry)
        if self._as_json:
            connected = sum(router.connection.way is not None for router in status.routers)
            obstacle = status.obstacle.value if status.obstacle is not None else None
            today = status.today
            print_line(
                StatusLine(status.state, obstacle, connected, status.running, today.questions, today.tokens)
            )
        elif (standing := standing_of(status, self._strings)) != self._standing:
            self._standing = standing
            print(standing, file=sys.stderr)

    def _answer(self, entry: WorkEntry) -> None:
        if self._as_json:
            print_line(
                AnswerLine(entry.level, entry.outcome, entry.model, entry.tokens, round(entry.seconds, 3))
            )
        else:
            outcome = self._strings(f"working.outcome.{entry.outcome}")
            facts = facts_of(entry, self._strings)
            print(f"{asked_by(entry, self._strings)} · {facts} · {outcome}", flush=True)


async def _policy(opened: Services, wishes: _Wishes) -> WorkPolicy:
    """The owner's rules with what the options change; nothing of it is kept."""
    changes: dict[str, object] = {"enabled": True, "paused": False, "idle_minutes": 0}
    if wishes.group:
        changes["groups"] = (_group(opened, wishes).id,)
    if wishes.router:
        changes["routers"] = ((await _router(opened, wishes)).id,)
    elif not opened.network.routers.enabled():
        raise CommandError("cli.worker_no_router")
    if wishes.public:
        changes["public"] = True
    if wishes.model:
        changes["model_id"] = model_named(opened, wishes.model).id
    if wishes.hours is not None:
        changes["hours"] = wishes.hours
    if wishes.quota is not None:
        changes["daily_questions"] = wishes.quota
    if wishes.slots is not None:
        changes["slots"] = wishes.slots
    return changed_policy(opened.working.policy, **changes)


async def _router(opened: Services, wishes: _Wishes) -> Router:
    """The router that is meant; one that is not known yet is asked who it is, and kept."""
    routers = opened.network.routers
    try:
        return routers.find(wishes.router)
    except RouterMissing:
        address = read_router_address(wishes.router)
    try:
        return routers.find(address)
    except RouterMissing:
        return await routers.add(address, wishes.invite)


def _group(opened: Services, wishes: _Wishes) -> Group:
    """The group of this name, or of this code, which is joined if it is new."""
    groups = opened.network.groups
    wanted = wishes.group.strip()
    for group in groups.all():
        if wanted in (group.id, group.name):
            return group
    try:
        secret = read_group_code(wanted).secret
    except PairingCodeInvalid:
        raise CommandError("cli.worker_no_group") from None
    for group in groups.all():
        if group.secret == secret:
            return group
    kind = GroupKind.MINE if wishes.mine else GroupKind.CIRCLE
    name = strings_of(opened)(f"working.level.{'my_devices' if wishes.mine else 'circle'}")
    return groups.join(wanted, name, kind)[0]


def _groups(opened: Services, policy: WorkPolicy) -> list[Group]:
    chosen = policy.groups
    return [group for group in opened.network.groups.all() if chosen is None or group.id in chosen]


def _hours(text: str) -> WorkHours | None:
    if not text:
        return None
    found = _HOURS.fullmatch(text.strip())
    start_hour, start, end_hour, end = map(int, found.groups()) if found else (24, 0, 24, 0)
    if max(start_hour, end_hour) > 23 or max(start, end) > 59:
        raise CommandError("cli.worker_hours", example="22:00-07:00")
    return WorkHours(start_hour * 60 + start, end_hour * 60 + end)


@contextmanager
def _on_termination(action: Callable[[], object]) -> Iterator[None]:
    """What a service manager sends is as good as Ctrl-C."""
    loop = asyncio.get_running_loop()
    before = signal.signal(signal.SIGTERM, lambda *_: loop.call_soon_threadsafe(action))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
