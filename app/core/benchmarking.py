"""Speed tests of installed models, and what earlier ones found."""

from __future__ import annotations

import asyncio
import csv
import importlib.metadata
import io
import logging
import platform
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from app import __version__
from app.core.errors import AlreadyBenchmarking, BenchmarkMissing, ModelMissing
from app.core.models import Models
from engines.benchmark import BenchmarkPlan, BenchmarkProgress, BenchmarkResult, measure
from engines.benchmark.result import decode, encode
from engines.library import InstalledModel
from engines.protocol import LoadOptions
from network.whole_file import replace_file

_PACKAGES = ("llama-cpp-python", "xllamacpp", "numpy")
_DEFAULT_PLAN = BenchmarkPlan()
PLANS = {
    "quick": BenchmarkPlan(repetitions=1),
    "standard": BenchmarkPlan(repetitions=5),
    "sustained": BenchmarkPlan(repetitions=3, minutes=10),
}
"""What a screen offers: a first impression, figures to rely on, and whether the device keeps its speed when
it gets warm."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure of two benchmarks."""

    figure: str
    before: float
    after: float

    @property
    def ratio(self) -> float:
        """After over before; 0.0 where there was nothing."""
        return self.after / self.before if self.before else 0.0


class BenchmarkStore:
    """Results as JSON files of one folder, which is made when the first one is saved."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def list(self) -> list[BenchmarkResult]:
        """All results, the newest first; what is no result is left out."""
        found = []
        for path in self._folder.glob("*.json") if self._folder.is_dir() else ():
            try:
                found.append(decode(path.read_bytes()))
            except (ValueError, RecursionError, OSError) as error:
                log.warning("a benchmark cannot be read: %s", type(error).__name__)
        return sorted(found, key=lambda result: result.id, reverse=True)

    def get(self, id: str) -> BenchmarkResult:
        """The result with this id, or whose id alone begins so.

        Raises:
            BenchmarkMissing: there is none, or there are several.
        """
        found = [result for result in self.list() if id and result.id.startswith(id)]
        if len(found) != 1:
            raise BenchmarkMissing
        return found[0]

    def save(self, result: BenchmarkResult) -> Path:
        """Keep a result; a kill in the middle leaves none."""
        path = self._folder / f"{result.id}.json"
        replace_file(path, encode(result))
        return path

    def remove(self, id: str) -> None:
        """Forget a result.

        Raises:
            BenchmarkMissing: there is none with this id.
        """
        (self._folder / f"{self.get(id).id}.json").unlink(missing_ok=True)


class Benchmarking:
    """Runs one benchmark at a time, on an engine of its own, and keeps what it finds."""

    def __init__(self, models: Models, store: BenchmarkStore) -> None:
        self._models = models
        self.store = store
        self._task: asyncio.Task[BenchmarkResult] | None = None

    @property
    def running(self) -> bool:
        """Whether one is running."""
        return self._task is not None

    async def run(
        self,
        model_id: str,
        plan: BenchmarkPlan = _DEFAULT_PLAN,
        progress: Callable[[BenchmarkProgress], None] = lambda _: None,
        options: LoadOptions | None = None,
    ) -> BenchmarkResult:
        """Measure a model as its options say, or with other `options`, and keep the result.

        The model in memory is unloaded first: it would take memory and, while it answers, speed.

        Raises:
            AlreadyBenchmarking: another one is running.
            ModelMissing: the model is not installed any more.
            EngineError: it cannot be loaded, or cannot answer.
            asyncio.CancelledError: `cancel` was called.
        """
        if self._task is not None:
            raise AlreadyBenchmarking
        self._task = asyncio.create_task(self._run(model_id, plan, progress, options))
        try:
            return await self._task
        finally:
            self._task = None

    def cancel(self) -> None:
        """End the benchmark; nothing of it is kept. Does nothing when idle."""
        if self._task is not None:
            self._task.cancel()

    async def _run(
        self,
        model_id: str,
        plan: BenchmarkPlan,
        progress: Callable[[BenchmarkProgress], None],
        options: LoadOptions | None,
    ) -> BenchmarkResult:
        installed = await asyncio.to_thread(self._models.installed)
        model = next((model for model in installed if model.id == model_id), None)
        if model is None:
            raise ModelMissing
        await self._models.unload()
        result = await measure(
            model.path, plan, options or self._models.options(model), versions=versions(), progress=progress
        )
        await asyncio.to_thread(self.store.save, result)
        return result


def versions() -> dict[str, str]:
    """What the speed depends on, as far as it is installed."""
    found = {"dai": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found


def figures(result: BenchmarkResult) -> dict[str, float]:
    """The numbers of a result by name; what was not measured is missing."""
    found: dict[str, float | None] = {
        f"pp{result.prompt.tokens} tokens/s": result.prompt.median,
        f"tg{result.generation.tokens} tokens/s": result.generation.median,
        "first token s": result.first_token_seconds,
        "load s": result.load_seconds,
        "peak memory bytes": result.peak_memory_bytes,
        "sustained share": result.sustained_share,
        "joules per token": None if result.energy is None else result.energy.joules / result.energy.tokens,
    }
    return {name: float(value) for name, value in found.items() if value is not None}


def compare(before: BenchmarkResult, after: BenchmarkResult) -> list[Difference]:
    """The figures that both have."""
    old, new = figures(before), figures(after)
    return [Difference(name, old[name], new[name]) for name in old if name in new]


def as_json(results: Sequence[BenchmarkResult]) -> str:
    """All results with everything that is known of them, as one list."""
    return msgspec.json.format(msgspec.json.encode(list(results), enc_hook=str), indent=2).decode() + "\n"


def is_of(result: BenchmarkResult, model: InstalledModel) -> bool:
    """Whether a result was measured with this very file, under the name that it has now."""
    return (result.model.file, result.model.bytes) == (model.path.name, model.bytes)


def newest_of_each_model(results: Sequence[BenchmarkResult]) -> list[BenchmarkResult]:
    """Of results with the newest first, the first of each model."""
    found: dict[tuple[str, int], BenchmarkResult] = {}
    for result in results:
        found.setdefault((result.model.file, result.model.bytes), result)
    return list(found.values())


def as_csv(results: Sequence[BenchmarkResult]) -> str:
    """One line per result, for a spreadsheet."""
    rows = [
        {
            "id": result.id,
            "measured at": result.measured_at,
            "model": result.model.name,
            "quantisation": result.model.quantisation,
            "model bytes": result.model.bytes,
            "processor": result.device.processor,
            "cores": result.device.cores,
            "load before": result.device.load_before,
            "context tokens": result.settings.context_tokens,
            "threads": result.settings.threads,
        }
        | figures(result)
        | result.versions
        for result in results
    ]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
