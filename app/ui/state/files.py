"""Files that people choose: on their way from the device, or from the browser, to this process."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import flet as ft

UPLOAD_SECONDS = 24 * 3600
"""How long a signed upload address is good: a large model on a slow connection takes hours."""

SILENCE_SECONDS = 120
"""A browser that sends nothing for so long is gone."""
_LOOK_SECONDS = 0.25


class UploadsOff(Exception):
    """The server was started without a folder for uploads."""


class UploadFailed(Exception):
    """The browser could not send the whole file."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


@dataclass(frozen=True, slots=True)
class ChosenFile:
    """A file that was chosen, not yet here."""

    id: int
    name: str
    size: int
    """In bytes."""
    path: Path | None
    """Where it lies; None in a browser, which must send it first."""


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file that can be opened."""

    name: str
    path: Path
    owned: bool
    """Whether it is a copy of ours, to be deleted after use."""


class Files:
    """Chooses files and receives them."""

    def __init__(self, page: ft.Page, uploads: Path) -> None:
        self._page = page
        self._uploads = uploads
        self._picker = ft.FilePicker(on_upload=self._on_upload)
        self._upload: asyncio.Future[None] | None = None
        self._turn = asyncio.Lock()

    async def choose(self, suffixes: Iterable[str], *, multiple: bool = False) -> Sequence[ChosenFile]:
        """Let the user choose files with one of these endings; empty if the choice was cancelled."""
        picked = await self._picker.pick_files(
            file_type=ft.FilePickerFileType.CUSTOM,
            allowed_extensions=sorted(suffix.removeprefix(".") for suffix in suffixes),
            allow_multiple=multiple,
            cancel_upload_on_window_blur=False,
        )
        return [
            ChosenFile(
                file.id, file.name, file.size, Path(file.path) if file.path and not self._page.web else None
            )
            for file in picked or ()
        ]

    async def save(self, name: str, content: bytes, title: str) -> bool:
        """Let the user keep a file: where a dialog says, or as a download of the browser.

        Returns whether it was kept; a browser does not tell, so there it is taken as kept.
        """
        path = await self._picker.save_file(dialog_title=title, file_name=name, src_bytes=content)
        return self._page.web or path is not None

    @property
    def writes_in_place(self) -> bool:
        """Whether a file can be written where the user says; else its content is handed over to be kept."""
        return not self._page.web and self._page.platform is not None and self._page.platform.is_desktop()

    async def place(self, name: str, title: str) -> Path | None:
        """Let the user say where a file is written, where `writes_in_place`; None if that was cancelled."""
        path = await self._picker.save_file(dialog_title=title, file_name=name)
        return Path(path) if path else None

    async def folder(self, title: str) -> Path | None:
        """Let the user choose a folder, where `writes_in_place`; None if that was cancelled."""
        path = await self._picker.get_directory_path(dialog_title=title)
        return Path(path) if path else None

    async def receive(
        self, file: ChosenFile, progress: Callable[[float], None] = lambda share: None
    ) -> ReceivedFile:
        """Make a chosen file readable; in a browser it is sent to this process first.

        Raises:
            UploadsOff: this process takes no files.
            UploadFailed: the file did not arrive completely.
        """
        if file.path is not None:
            return ReceivedFile(file.name, file.path, owned=False)
        name = f"{uuid.uuid4().hex}{Path(file.name).suffix.lower()}"
        path = self._uploads / name
        if file.size == 0:  # a browser sends no such file, and tells nothing
            path.touch()
            return ReceivedFile(file.name, path, owned=True)
        async with self._turn:  # the picker reports by file name only: one upload at a time
            try:
                address = self._page.get_upload_url(name, UPLOAD_SECONDS)
            except RuntimeError as error:
                raise UploadsOff from error
            self._upload = asyncio.get_running_loop().create_future()
            try:
                await self._picker.upload(
                    [ft.FilePickerUploadFile(upload_url=address, id=file.id, name=file.name)]
                )
                await self._arrival(self._upload, path, file.size, progress)
            except (RuntimeError, TimeoutError) as error:
                path.unlink(missing_ok=True)
                raise UploadFailed(file.name) from error
            except asyncio.CancelledError:
                path.unlink(missing_ok=True)
                raise
            finally:
                self._upload = None
        if not path.exists():
            raise UploadFailed(file.name)
        return ReceivedFile(file.name, path, owned=True)

    async def _arrival(
        self, upload: asyncio.Future[None], path: Path, size: int, progress: Callable[[float], None]
    ) -> None:
        """Wait for the browser's last word; what has arrived is seen in the file, which grows."""
        arrived, silence = 0, 0.0
        while not upload.done():
            await asyncio.wait({upload}, timeout=_LOOK_SECONDS)
            before, arrived = arrived, await asyncio.to_thread(_bytes_of, path)
            silence = 0.0 if arrived > before else silence + _LOOK_SECONDS
            if silence > SILENCE_SECONDS:
                raise TimeoutError
            progress(min(arrived / size, 1.0))
        upload.result()

    def _on_upload(self, event: ft.FilePickerUploadEvent) -> None:
        if self._upload is None or self._upload.done():
            return
        if event.error:
            self._upload.set_exception(RuntimeError(event.error))
        elif event.progress is not None and event.progress >= 1:
            self._upload.set_result(None)


def _bytes_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
