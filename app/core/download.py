"""What is downloaded: one file of a model hub, and how far it is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from engines.library import ModelSource

KEY_LENGTH = 24


class DownloadState(StrEnum):
    """Where a download stands."""

    QUEUED = "queued"
    """Begins when others are done, or the app that does them is started."""
    RUNNING = "running"
    VERIFYING = "verifying"
    """What has arrived is read and compared."""
    WAITING = "waiting"
    """The network or the hub fails: it goes on by itself later; `problem` tells why."""
    PAUSED = "paused"
    """By the user, or by a full disk (then `problem` says so); what has arrived stays."""
    FAILED = "failed"
    """`problem` tells why; `Downloads.retry` may help."""
    DONE = "done"
    """The model is installed; `model_id` is its id."""

    @property
    def active(self) -> bool:
        """Whether it goes on by itself, so that it can be paused."""
        return self in ACTIVE


ACTIVE = (DownloadState.QUEUED, DownloadState.RUNNING, DownloadState.VERIFYING, DownloadState.WAITING)


class OrderPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a model that is split into several."""

    file: str
    """Path in the repository."""
    bytes: int | None = None
    sha256: str | None = None


class Order(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model as the hub described it when the user chose it. Nothing else is accepted later."""

    repository: str
    """As `owner/name`."""
    branch: str = "main"
    """What the user asked for."""
    commit: str
    """What that was at the time."""
    file: str
    """Path in the repository; of a model in parts, without the number of the part."""
    bytes: int | None = None
    """Where the hub tells it, as all but some mirrors do."""
    sha256: str | None = None
    """Where the hub tells it. Of a model in parts: see `engines.split_files.content_hash`."""
    parts: tuple[OrderPart, ...] = ()
    """The files it is split into, in their order; none for a whole file."""
    name: str
    """What to call the model until its file has arrived."""
    stale: bool = False
    """Ask the hub again what the file is, before anything else: the user wants what is there now."""

    @property
    def key(self) -> str:
        """The same for the same file, in every process: names the part on the disk."""
        text = f"{self.repository}\n{self.commit}\n{self.file}"
        return hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH]

    @property
    def files(self) -> tuple[OrderPart, ...]:
        """What has to be fetched."""
        return self.parts or (OrderPart(self.file, self.bytes, self.sha256),)

    def arrived(self, bytes: int, sha256: str) -> ModelSource:
        """What the library remembers of the model."""
        return ModelSource(self.repository, self.commit, self.file, bytes, sha256)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a download does not go on; for `Strings.error_named`."""

    name: str
    """Class of the error."""
    values: dict[str, object] = field(default_factory=dict)
    """Its attributes that are texts or numbers."""

    @classmethod
    def of(cls, error: BaseException) -> Problem:
        """What is kept of an error."""
        kept: dict[str, object] = {
            key: value
            for key, value in vars(error).items()
            if isinstance(value, str | int | float) and key != "details"
        }
        return cls(type(error).__name__, kept)


@dataclass(frozen=True, slots=True)
class Download:
    """One line of the list of downloads."""

    id: int
    order: Order
    state: DownloadState
    done_bytes: int
    problem: Problem | None = None
    model_id: str | None = None
    bytes_per_second: float | None = None
    """Of the last seconds; None while nobody can know."""

    @property
    def name(self) -> str:
        """What to call it."""
        return self.order.name

    @property
    def total_bytes(self) -> int | None:
        """Size of the whole file; None where the hub has not told it yet."""
        return self.order.bytes

    @property
    def fraction(self) -> float | None:
        """How much has arrived, from 0 to 1; None while the size of the whole is not known."""
        return min(1.0, self.done_bytes / self.order.bytes) if self.order.bytes else None

    @property
    def seconds_left(self) -> float | None:
        """How long it still takes at this speed; None while nobody can know."""
        if self.state is not DownloadState.RUNNING or not self.bytes_per_second or self.order.bytes is None:
            return None
        return max(0, self.order.bytes - self.done_bytes) / self.bytes_per_second
