"""What compressing a model costs and what it gives: size, speed, memory and perplexity, format by format."""

from __future__ import annotations

import asyncio
import datetime
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app.core.benchmarking import versions
from app.core.errors import ModelMissing
from app.core.models import Models
from app.core.trade_off_store import TradeOff, TradeOffStore, TradeOffTable
from engines.benchmark import BenchmarkPlan, BenchmarkProgress, BenchmarkStage, measure
from engines.compression import (
    CompressionProgress,
    CompressionStage,
    compress,
    format_named,
    measure_perplexity,
    predict_sizes,
)
from engines.errors import CompressionFailed, CompressionUnknown
from engines.gguf import read_header
from engines.library import InstalledModel
from engines.library.unfinished import UNFINISHED_SUFFIX, remove_abandoned, unfinished_file

_PLAN = BenchmarkPlan(repetitions=3)
_COPIES = ".copies"


class TradeOffStage(StrEnum):
    """What is being done."""

    COMPRESSING = "compressing"
    SPEED = "speed"
    PERPLEXITY = "perplexity"


_SHARES = {
    TradeOffStage.COMPRESSING: (0.0, 0.2),
    TradeOffStage.SPEED: (0.2, 0.7),
    TradeOffStage.PERPLEXITY: (0.7, 1.0),
}
"""Where the stages of one format begin and end, as a share of the time that it takes."""
_SPEED_SHARES = {
    BenchmarkStage.LOADING: (0.0, 0.1),
    BenchmarkStage.PROMPT: (0.1, 0.5),
    BenchmarkStage.GENERATION: (0.5, 1.0),
    BenchmarkStage.SUSTAINED: (1.0, 1.0),
}


@dataclass(frozen=True, slots=True)
class TradeOffProgress:
    """How far it is."""

    format: str
    stage: TradeOffStage
    done: int
    """Formats that are finished."""
    total: int
    share: float = 0.0
    """Of this stage, from 0 to 1."""

    @property
    def overall(self) -> float:
        """How much of all the work is done, roughly, from 0 to 1."""
        begin, end = _SHARES[self.stage]
        return (self.done + begin + (end - begin) * self.share) / self.total


class TradeOffs:
    """Makes the table. The copies are made in `folder`, which nobody else uses, and deleted again."""

    def __init__(self, models: Models, folder: Path, store: TradeOffStore | None = None) -> None:
        """`store` keeps every table that is finished."""
        self._models = models
        self._folder = folder
        self._store = store
        _remove_abandoned_copies(folder)

    async def measure(
        self,
        model_id: str,
        formats: Sequence[str] = (),
        *,
        plan: BenchmarkPlan = _PLAN,
        progress: Callable[[TradeOffProgress], None] = lambda _: None,
    ) -> list[TradeOff]:
        """Measure a model as it is, and then as it would be in other formats; takes minutes.

        Cancelling the task ends it and deletes what was made. The model in memory is unloaded first.

        Args:
            model_id: an installed model that can chat.
            formats: names such as "Q4_0"; all that would make it smaller, if none are given.
            plan: what to measure.
            progress: called when a step begins, and while it goes on.

        Raises:
            ModelMissing: it is not installed any more.
            CompressionUnknown: there is no such format.
            EngineError: it cannot be loaded, compressed or measured.
        """
        installed = await asyncio.to_thread(self._models.installed)
        model = next((model for model in installed if model.id == model_id), None)
        if model is None:
            raise ModelMissing
        for name in formats:
            if format_named(name) is None:
                raise CompressionUnknown(model.name, name)
        sizes = await predict_sizes(model.path)
        wanted = {known.name for name in formats if (known := format_named(name)) is not None}
        targets = [
            size.format.name
            for size in sizes
            if size.worthwhile and (size.format.name in wanted or not formats)
        ]
        await self._models.unload()
        await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True)
        with unfinished_file(self._folder) as (mark, _):
            copies = mark.with_suffix(_COPIES)
            try:
                rows = await self._rows(model, targets, copies, plan, progress)
            finally:
                await asyncio.to_thread(shutil.rmtree, copies, ignore_errors=True)
        if self._store is not None:
            now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
            await asyncio.to_thread(self._store.save, TradeOffTable(model.id, model.bytes, now, tuple(rows)))
        return rows

    async def _rows(
        self,
        model: InstalledModel,
        targets: Sequence[str],
        copies: Path,
        plan: BenchmarkPlan,
        progress: Callable[[TradeOffProgress], None],
    ) -> list[TradeOff]:
        rows = []
        for number, target in enumerate(["", *targets]):

            def tell(stage: TradeOffStage, share: float, at: int = number, name: str = target) -> None:
                progress(TradeOffProgress(name or model.quantisation, stage, at, len(targets) + 1, share))

            path = model.path
            if target:
                tell(TradeOffStage.COMPRESSING, 0.0)
                try:
                    path = await compress(model.path, target, copies, progress=_compressing(tell))
                except CompressionFailed:  # this model has no such form; the others may
                    continue
            rows.append(await self._row(path, plan, tell, installed=not target))
            if target:
                await asyncio.to_thread(path.unlink)
        return rows

    async def _row(
        self,
        path: Path,
        plan: BenchmarkPlan,
        tell: Callable[[TradeOffStage, float], None],
        *,
        installed: bool,
    ) -> TradeOff:
        def measuring(now: BenchmarkProgress) -> None:
            begin, end = _SPEED_SHARES[now.stage]
            tell(TradeOffStage.SPEED, begin + (end - begin) * now.share)

        tell(TradeOffStage.SPEED, 0.0)
        speed = await measure(path, plan, self._models.options(), versions=versions(), progress=measuring)
        tell(TradeOffStage.PERPLEXITY, 0.0)
        perplexity = await measure_perplexity(
            path, progress=lambda share: tell(TradeOffStage.PERPLEXITY, share)
        )
        header = await asyncio.to_thread(read_header, path)
        return TradeOff(
            format=header.quantisation,
            installed=installed,
            bytes=header.file_bytes,
            prompt_tokens_per_second=speed.prompt.median,
            generation_tokens_per_second=speed.generation.median,
            peak_memory_bytes=speed.peak_memory_bytes,
            perplexity=tuple(perplexity),
        )


def _compressing(tell: Callable[[TradeOffStage, float], None]) -> Callable[[CompressionProgress], None]:
    def compressing(now: CompressionProgress) -> None:
        done = now.stage is CompressionStage.CHECKING
        tell(TradeOffStage.COMPRESSING, 1.0 if done else now.share)

    return compressing


def _remove_abandoned_copies(folder: Path) -> None:
    """Delete what a process that was killed has left; the mark beside the copies tells whether it lives."""
    remove_abandoned(folder)
    for copies in folder.glob(f".*{_COPIES}"):
        if not copies.with_suffix(UNFINISHED_SUFFIX).exists():
            shutil.rmtree(copies, ignore_errors=True)
