"""Files of a question: beside the field while they wait, and under the question that was sent."""

from __future__ import annotations

from collections.abc import Sequence

import flet as ft

from app.core.messages import Attachment
from app.ui.components.controls import Handler, marked
from app.ui.state.app import AppState
from app.ui.state.attaching import AttachingState, WaitingFile
from app.ui.theme import TOUCH, Radius, Space

_WIDTH = 280


@ft.component
def WaitingFiles(app: AppState, attaching: AttachingState) -> ft.Control:
    """One chip a file: what it is, how far, how the model will get it, and a way to take it back."""
    if not attaching.files:
        return ft.Container(visible=False)
    return ft.Container(
        ft.Row(
            [_waiting(app, file) for file in attaching.files],
            rtl=app.rtl,
            wrap=True,
            spacing=Space.S,
            run_spacing=Space.S,
        ),
        padding=ft.Padding.only(left=Space.M, right=Space.M, top=Space.M),
    )


def attached_files(app: AppState, files: Sequence[Attachment]) -> list[ft.Control]:
    """Chips of the files that a question was sent with."""
    return [
        marked(
            _chip(app, file.name, _way(app, file), icon=_icon(file)),
            identifier=f"attached-{number}",
            container=True,
        )
        for number, file in enumerate(files, 1)
    ]


def _waiting(app: AppState, file: WaitingFile) -> ft.Control:
    async def remove() -> None:
        await app.attaching.remove(file)

    strings = app.strings
    if file.ready is not None:
        text = _way(app, file.ready)
    elif file.total:
        text = strings("knowledge.progress", done=file.done, count=file.total)
    else:
        text = strings("attachment.reading")
    return marked(
        _chip(
            app,
            file.name,
            text,
            icon=_icon(file.ready),
            busy=None if file.ready else (file.done / file.total if file.total else file.share or -1),
            on_remove=remove,
        ),
        identifier=f"waiting-file-{file.number}",
        container=True,
    )


def _chip(
    app: AppState,
    name: str,
    text: str,
    *,
    icon: ft.IconData,
    busy: float | None = None,
    on_remove: Handler | None = None,
) -> ft.Control:
    """`busy` is the share that is done, -1 where nobody knows, None where nothing is left to do."""
    sign = (
        ft.Icon(icon, size=20, color=ft.Colors.PRIMARY)
        if busy is None
        else ft.ProgressRing(value=None if busy < 0 else busy, width=18, height=18, stroke_width=2)
    )
    remove = (
        [
            ft.IconButton(
                ft.Icons.CLOSE,
                tooltip=app.strings("attachment.remove", name=name),
                on_click=on_remove,
                icon_size=18,
                icon_color=ft.Colors.ON_SURFACE_VARIANT,
                size_constraints=ft.BoxConstraints(min_width=TOUCH, min_height=TOUCH),
            )
        ]
        if on_remove
        else []
    )
    end = 0 if on_remove else Space.M
    return ft.Container(
        ft.Row(
            [
                sign,
                ft.Column(
                    [
                        ft.Text(
                            app.strings.isolate(name),
                            theme_style=ft.TextThemeStyle.LABEL_LARGE,
                            max_lines=1,
                            overflow=ft.TextOverflow.ELLIPSIS,
                        ),
                        ft.Text(
                            text,
                            theme_style=ft.TextThemeStyle.LABEL_SMALL,
                            color=ft.Colors.ON_SURFACE_VARIANT,
                            max_lines=1,
                            overflow=ft.TextOverflow.ELLIPSIS,
                        ),
                    ],
                    spacing=0,
                    tight=True,
                    expand=True,
                    rtl=app.rtl,
                    horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
                ),
                *remove,
            ],
            rtl=app.rtl,
            spacing=Space.S,
            vertical_alignment=ft.CrossAxisAlignment.CENTER,
        ),
        width=_WIDTH * min(1.2, app.scale),
        bgcolor=ft.Colors.SURFACE_CONTAINER,
        border_radius=Radius.M,
        padding=ft.Padding.only(
            left=end if app.rtl else Space.M, right=Space.M if app.rtl else end, top=Space.XS, bottom=Space.XS
        ),
    )


def _way(app: AppState, file: Attachment) -> str:
    way = app.strings("attachment.whole" if file.whole else "attachment.searched")
    return f"{app.strings.size(file.bytes)} · {way}"


def _icon(file: Attachment | None) -> ft.IconData:
    searched = file is not None and not file.whole
    return ft.Icons.MANAGE_SEARCH if searched else ft.Icons.DESCRIPTION_OUTLINED
