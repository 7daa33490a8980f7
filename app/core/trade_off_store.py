"""Tables of trade-offs that were measured, kept so that nobody has to wait for them twice."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path

import msgspec

from app.core.json_file import write_whole
from engines.compression import Perplexity
from engines.library import InstalledModel

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TradeOff:
    """One row of the table."""

    format: str
    installed: bool
    """Whether it is the model as it is, and not a copy made for the table."""
    bytes: int
    prompt_tokens_per_second: float
    generation_tokens_per_second: float
    peak_memory_bytes: int | None
    perplexity: tuple[Perplexity, ...]
    """In each language of the shipped texts; only rows of one table can be compared."""


class TradeOffTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was measured of one model."""

    model_id: str
    bytes: int
    """Of the model's file: another file under the same name is another model."""
    measured_at: str
    """UTC, ISO 8601."""
    rows: tuple[TradeOff, ...]


class TradeOffStore:
    """One JSON file per model in a folder, which is made when the first one is saved."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, model: InstalledModel) -> TradeOffTable | None:
        """The newest table of a model, if there is one."""
        try:
            table = msgspec.json.decode(self._path(model.id).read_bytes(), type=TradeOffTable)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            log.warning("a table of trade-offs cannot be read: %s", type(error).__name__)
            return None
        return table if (table.model_id, table.bytes) == (model.id, model.bytes) else None

    def save(self, table: TradeOffTable) -> None:
        """Keep a table in the place of the one before; a kill in the middle leaves the old one."""
        write_whole(self._path(table.model_id), table)

    def _path(self, model_id: str) -> Path:
        return self._folder / f"{hashlib.sha256(model_id.encode('utf-8', 'replace')).hexdigest()[:16]}.json"
