"""Makes smaller copies of installed models."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.core.errors import AlreadyCompressing, ModelMissing
from app.core.models import Models
from engines.compression import (
    CompressionProgress,
    PredictedSize,
    can_be_cancelled,
    compress,
    predict_sizes,
)
from engines.library import InstalledModel

Listener = Callable[[], None]


@dataclass(frozen=True, slots=True)
class RunningCompression:
    """What is being made."""

    model: InstalledModel
    target: str
    progress: CompressionProgress | None
    """None until the size is predicted."""


class Compression:
    """One model at a time is compressed; the copy is installed beside the original."""

    def __init__(self, models: Models, folder: Path) -> None:
        """`folder` is the one in which the library finds its models."""
        self._models = models
        self._folder = folder
        self._running: RunningCompression | None = None
        self._task: asyncio.Task[Path] | None = None
        self._listeners: list[Listener] = []

    def relocate(self, folder: Path) -> None:
        """The library finds its models in another folder now."""
        self._folder = folder

    @property
    def running(self) -> RunningCompression | None:
        """What is being made now, if anything."""
        return self._running

    @property
    def can_be_cancelled(self) -> bool:
        """Whether `cancel` ends the work at once. On phones it goes on, and the copy is dropped then."""
        return can_be_cancelled()

    async def sizes(self, model_id: str) -> list[PredictedSize]:
        """How large the model would be in each format; takes about half a second.

        Raises:
            ModelMissing: it is not installed any more.
            EngineError: the file cannot be read.
        """
        return await predict_sizes((await self._model(model_id)).path)

    async def compress(
        self, model_id: str, target: str, progress: Callable[[CompressionProgress], None] | None = None
    ) -> InstalledModel:
        """Make a copy and install it.

        Raises:
            AlreadyCompressing: another one is being made.
            ModelMissing: the model is not installed any more.
            CompressionError, NotEnoughDiskSpace, ModelFileError: see `engines.compression.compress`.
            asyncio.CancelledError: `cancel` was called.
        """
        if self._running is not None or self._task is not None:
            raise AlreadyCompressing
        model = await self._model(model_id)

        def tell(now: CompressionProgress) -> None:
            self._running = RunningCompression(model, target, now)
            self._changed()
            if progress is not None:
                progress(now)

        if self._running is not None:  # another one came first meanwhile
            raise AlreadyCompressing
        self._running = RunningCompression(model, target, None)
        self._changed()
        try:
            self._task = asyncio.create_task(compress(model.path, target, self._folder, progress=tell))
            path = await self._task
        finally:
            self._running = self._task = None
            self._changed()
        self._models.look_again()
        return next(found for found in await self._installed() if found.path == path)

    def cancel(self) -> None:
        """End what is being made; nothing of it stays. Does nothing when idle."""
        if self._task is not None:
            self._task.cancel()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` after every change of `running`; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def _model(self, model_id: str) -> InstalledModel:
        found = next((model for model in await self._installed() if model.id == model_id), None)
        if found is None:
            raise ModelMissing
        return found

    async def _installed(self) -> list[InstalledModel]:
        return await asyncio.to_thread(self._models.installed)

    def _changed(self) -> None:
        for listener in list(self._listeners):
            listener()
