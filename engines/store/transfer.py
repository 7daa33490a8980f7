"""The download of one file: resumable, verified, whole under its name or not there at all.

What may happen to it, and what it does:

- killed, asleep, offline: the part stays, and the next attempt goes on behind it;
- another content at the same address: it starts again;
- a host that ignores `Range`: what is there already is skipped, not written twice;
- a length that contradicts itself: it is refused before anything is written;
- a wrong hash, or more bytes than announced: nothing is kept;
- no room: the part stays until there is some.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import random
import re
import shutil
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from engines.errors import (
    DownloadInProgress,
    DownloadNeedsSpace,
    HubAnswerBroken,
    HubBusy,
    HubFileChanged,
    HubUnreachable,
    Offline,
    TransferDamaged,
)
from engines.store.connection import HubConnection, HubReply, header_number
from engines.store.file_lock import file_lock
from engines.store.part import Identity, Part, lock_path

logger = logging.getLogger(__name__)

RESERVE_BYTES = 64 << 20
"""Left free on the disk, so that conversations can still be saved."""
_CHECK_ROOM_BYTES = 64 << 20
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")
_DISK_FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})
_PASSING = (Offline, HubUnreachable, HubBusy)
"""What is worth another attempt."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file on the hub."""

    url: str
    repository: str
    name: str
    """Of the file, for errors."""
    size: int | None = None
    """In bytes, where the hub has told it."""
    sha256: str | None = None
    beginning: bytes = b""
    """What its first bytes must be: something else is refused before it fills the disk."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often, and after how long, a failed attempt is repeated. Seconds."""

    attempts: int = 8
    """Attempts in a row that bring nothing; one that brings something starts the count again."""
    first_wait: float = 1.0
    longest_wait: float = 60.0
    longest_obeyed: float = 15 * 60.0
    """Of what a server asks for in `Retry-After`."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A file that is whole."""

    path: Path
    size: int
    sha256: str


class Transfer:
    """Fetches `source` into `target`. Cancelling the task pauses: the part stays, `run` again goes on.

    Only one transfer at a time gets this `target`, in all processes.
    """

    def __init__(
        self,
        hub: HubConnection,
        source: Source,
        target: Path,
        *,
        progress: Callable[[int, int], None] = lambda done, total: None,
        verifying: Callable[[], None] = lambda: None,
        patience: Patience = Patience(),
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
        more_bytes: int = 0,
    ) -> None:
        """`more_bytes` will be needed on the same disk for what is fetched after this file."""
        self._hub = hub
        self._source = source
        self._target = target
        self._progress = progress
        self._verifying = verifying
        self._patience = patience
        self._wait = wait
        self._free_bytes = free_bytes
        self._more_bytes = more_bytes

    async def run(self) -> Arrived:
        """Fetch what is missing, and check all.

        Raises:
            Offline, HubUnreachable, HubBusy: after several attempts; the part is kept.
            DownloadNeedsSpace: the part is kept.
            DownloadInProgress: another process, or another transfer, is fetching it.
            HubUntrusted, HubRefused, HubTokenRejected, HubGated, HubFileMissing, HubAnswerBroken: it is, too.
            HubFileChanged: the hub has another content than `source.sha256`; the part is kept.
            TransferDamaged: nothing is kept.
            OSError: the disk refuses something else.
        """
        with file_lock(lock_path(self._target)) as held:
            if not held:
                raise DownloadInProgress(self._source.name)
            return await self._run()

    async def _run(self) -> Arrived:
        part = Part(self._target)
        try:
            if part.size > 0:
                await self._hash(part)
            try:
                return await self._complete(part)
            except TransferDamaged:
                if not part.pieced:
                    raise
                # A power cut can leave zeros in a part, and a host can have two contents under one name.
                logger.warning("A download in several pieces was damaged; it starts again")
                part.discard()
                return await self._complete(part)
        except OSError as error:
            if error.errno not in _DISK_FULL:
                raise
            raise DownloadNeedsSpace(max(1, self._missing(part))) from error
        except TransferDamaged:
            part.discard()
            raise
        finally:
            part.close()

    async def _hash(self, part: Part) -> None:
        stop = threading.Event()
        self._verifying()
        reading = asyncio.create_task(asyncio.to_thread(part.hash_again, stop))
        try:
            await asyncio.shield(reading)
        finally:
            stop.set()  # when the task was cancelled: then the thread must not outlive the part
            await reading

    async def _complete(self, part: Part) -> Arrived:
        """Attempt after attempt, until all is there."""
        failures = 0
        while part.identity is None or part.size < part.identity.total:
            before = part.size
            try:
                await self._attempt(part)
            except _PASSING as error:
                failures = 0 if part.size > before else failures + 1
                if failures >= self._patience.attempts:
                    raise
                await self._wait(self._pause(failures, error))
        self._verifying()
        digest = part.sha256()
        if digest != (self._source.sha256 or part.identity.sha256 or digest):
            raise TransferDamaged(self._source.name, "hash")
        size = part.size
        return Arrived(await asyncio.to_thread(part.publish), size, digest)

    async def _attempt(self, part: Part) -> None:
        """One request: appends what it brings.

        Raises:
            HubUnreachable: it ended early.
        """
        headers = {}
        if part.size > 0 and part.identity is not None:
            headers["range"] = f"bytes={part.size}-"
            if part.identity.content is None and part.identity.etag is not None:
                headers["if-range"] = f'"{part.identity.etag}"'
        async with self._hub.get(self._source.url, self._source.repository, headers) as reply:
            if reply.response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                part.discard()  # the file is shorter than what we have of it: another one
                raise HubUnreachable(self._hub.host, "range refused")
            skip = self._place(part, reply)
            self._check_room(part)
            await self._receive(part, reply.response, skip)
        if part.identity is not None and part.size < part.identity.total:
            raise HubUnreachable(self._hub.host, "ended early")

    def _place(self, part: Part, reply: HubReply) -> int:
        """Decide where the body belongs; returns how many of its bytes are here already."""
        response = reply.response
        if "text/html" in response.headers.get("content-type", "").lower():
            raise HubAnswerBroken(response.url.host, "a page instead of a file")
        start, total = _extent(response)
        identity = self._identity(reply, total)
        if part.identity is not None and identity.continues(part.identity):
            if start > part.size:
                raise HubAnswerBroken(response.url.host, "another range")
            part.remember(identity)
            return part.size - start
        if start > 0:  # the rest of another content: its beginning has to come first
            part.discard()
            raise HubUnreachable(self._hub.host, "the file has changed")
        part.begin(identity)
        return 0

    def _identity(self, reply: HubReply, total: int | None) -> Identity:
        name, announced = self._source.name, reply.linked_bytes
        if None not in (announced, self._source.size) and announced != self._source.size:
            raise HubFileChanged(name)
        known = {size for size in (self._source.size, announced, total) if size is not None}
        if len(known) != 1:  # not damage: what has arrived before need not suffer from it
            raise HubAnswerBroken(reply.response.url.host, "another length than announced, or none")
        content = reply.linked_etag
        etag = reply.response.headers.get("etag", "")
        strong = etag[1:-1] if re.fullmatch(r'"[!#-~]{1,200}"', etag) else None
        identity = Identity(known.pop(), content or self._source.sha256, strong)
        if self._source.sha256 and identity.sha256 and identity.sha256 != self._source.sha256:
            raise HubFileChanged(name)
        return identity

    async def _receive(self, part: Part, response: httpx.Response, skip: int) -> None:
        total, name = part.identity.total if part.identity else 0, self._source.name
        unchecked, next_check = part.size == 0, part.size + _CHECK_ROOM_BYTES
        head = b""
        self._progress(part.size, total)
        async for received in response.aiter_raw():  # no chunk size: what waits for more would be lost
            chunk, skip = received[skip:], max(0, skip - len(received))
            if part.size + len(chunk) > total:
                raise TransferDamaged(name, "longer than announced")
            if unchecked:
                head = (head + chunk)[: len(self._source.beginning)]
                if not self._source.beginning.startswith(head):
                    part.discard()
                    raise HubAnswerBroken(response.url.host, "another kind of file")
                unchecked = len(head) < len(self._source.beginning)
            part.write(chunk)
            self._progress(part.size, total)
            if part.size >= next_check:
                next_check = part.size + _CHECK_ROOM_BYTES
                self._check_room(part)

    def _check_room(self, part: Part) -> None:
        if (missing := self._missing(part)) > 0:
            raise DownloadNeedsSpace(missing)

    def _missing(self, part: Part) -> int:
        """Bytes that the disk lacks for the rest."""
        total = part.identity.total if part.identity else self._source.size or 0
        return total - part.size + self._more_bytes + RESERVE_BYTES - self._free_bytes(self._target.parent)

    def _pause(self, failures: int, error: Exception) -> float:
        asked = error.wait_seconds if isinstance(error, HubBusy) else None
        if asked is not None:
            return min(asked, self._patience.longest_obeyed) + random.uniform(0, 1)  # noqa: S311
        longest = min(self._patience.longest_wait, self._patience.first_wait * 2.0 ** max(0, failures - 1))
        return random.uniform(longest / 2, longest)  # noqa: S311 - so that many devices do not come back at once


def _extent(response: httpx.Response) -> tuple[int, int | None]:
    """Where the body starts in the file, and how long the file is, where that is told.

    Raises:
        HubAnswerBroken: a range that is none.
    """
    if response.status_code != httpx.codes.PARTIAL_CONTENT:
        return 0, header_number(response.headers.get("content-length"))
    found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", "").strip())
    if found is None:
        raise HubAnswerBroken(response.url.host, "a range that is none")
    start, _, total = map(int, found.groups())
    return start, total
