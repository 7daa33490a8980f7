"""Model files that were chosen: what belongs together, and on its way to this process."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path, PurePath

from app.ui.state.files import ChosenFile, Files, ReceivedFile
from engines.split_files import part_name


def by_model(files: Sequence[ChosenFile]) -> list[list[ChosenFile]]:
    """The files of each model: one, or the parts of a split one in their order."""
    models: dict[object, list[ChosenFile]] = {}
    for file in sorted(files, key=lambda file: file.name):
        named = part_name(Path(PurePath(file.name).name))
        models.setdefault((named.stem, named.count) if named else file.id, []).append(file)
    return list(models.values())


@asynccontextmanager
async def beside_each_other(
    files: Files, parts: Sequence[ChosenFile], show: Callable[[float], None]
) -> AsyncIterator[Path]:
    """All files of a model in one folder under their own names; yields the first.

    What a browser has sent is deleted at the end. `show` is told how much has arrived, from 0 to 1.

    Raises:
        UploadsOff, UploadFailed: see `Files.receive`.
    """
    total = max(1, sum(part.size for part in parts))
    paths: list[Path] = []
    folder: Path | None = None
    arrived = 0
    try:
        for part in parts:
            start, size = arrived, part.size

            def share(of_part: float, start: int = start, size: int = size) -> None:
                show((start + of_part * size) / total)

            received = await files.receive(part, share)
            arrived += size
            if received.owned:
                folder = folder or Path(await asyncio.to_thread(tempfile.mkdtemp, dir=received.path.parent))
                paths.append(await asyncio.to_thread(_move, received, folder))
            else:
                paths.append(received.path)
        yield paths[0]
    finally:
        if folder is not None:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _move(received: ReceivedFile, folder: Path) -> Path:
    return received.path.rename(folder / PurePath(received.name).name)
