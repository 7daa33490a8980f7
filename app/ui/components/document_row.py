"""One document of a collection, and how far it is."""

from __future__ import annotations

from urllib.parse import urlsplit

import flet as ft

from app.ui.components.controls import card, icon_button, marked, menu, remembered
from app.ui.state.app import AppState
from app.ui.state.dialogs import Confirmation, MoveDocument
from app.ui.state.knowledge import Reading
from app.ui.theme import Space
from rag.model import Document, DocumentState


@remembered
def DocumentRow(app: AppState, document: Document, progress: Reading | None) -> ft.Control:
    """Name, state, and what can be done in that state."""
    failed = document.state is DocumentState.FAILED
    lines: list[ft.Control] = [
        ft.Text(
            app.strings.isolate(document.title),
            theme_style=ft.TextThemeStyle.TITLE_SMALL,
            max_lines=2,
            overflow=ft.TextOverflow.ELLIPSIS,
        ),
        marked(
            ft.Text(
                _details(app, document, progress),
                theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
                color=ft.Colors.ERROR if failed else ft.Colors.ON_SURFACE_VARIANT,
            ),
            identifier=f"document-state-{document.id}",
            live_region=failed,
        ),
    ]
    if document.state is DocumentState.INDEXING:
        share = (
            progress.done_passages / progress.total_passages if progress and progress.total_passages else None
        )
        lines.append(
            ft.Container(ft.ProgressBar(value=share, bar_height=4, border_radius=2), padding=Space.XS)
        )
    icon = {
        DocumentState.QUEUED: ft.Icons.SCHEDULE,
        DocumentState.INDEXING: ft.Icons.AUTO_STORIES_OUTLINED,
        DocumentState.READY: ft.Icons.LANGUAGE if document.address else ft.Icons.DESCRIPTION_OUTLINED,
        DocumentState.FAILED: ft.Icons.ERROR_OUTLINE,
    }[document.state]
    return marked(
        card(
            ft.Row(
                [
                    ft.Icon(icon, color=ft.Colors.ERROR if failed else ft.Colors.PRIMARY),
                    ft.Column(lines, spacing=Space.XS, tight=True, expand=True),
                    *_actions(app, document),
                ],
                rtl=app.rtl,
                spacing=Space.M,
            )
        ),
        identifier=f"document-{document.id}",
        container=True,
    )


@remembered
def FetchRow(app: AppState, address: str, received: int) -> ft.Control:
    """A page of the web that is being fetched."""
    host = urlsplit(address).netloc or address
    text = app.strings("page.fetching", host=host)

    def stop() -> None:
        app.knowledge.stop_fetching(address)

    return marked(
        card(
            ft.Row(
                [
                    ft.Icon(ft.Icons.LANGUAGE, color=ft.Colors.PRIMARY),
                    ft.Column(
                        [
                            ft.Text(text, theme_style=ft.TextThemeStyle.TITLE_SMALL),
                            *(
                                [
                                    ft.Text(
                                        app.strings.size(received),
                                        theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
                                        color=ft.Colors.ON_SURFACE_VARIANT,
                                    )
                                ]
                                if received
                                else []
                            ),
                            ft.ProgressBar(bar_height=4, border_radius=2),
                        ],
                        spacing=Space.S,
                        tight=True,
                        expand=True,
                    ),
                    icon_button(
                        ft.Icons.CLOSE,
                        app.strings("page.stop", host=host),
                        stop,
                        identifier="stop-fetching",
                    ),
                ],
                rtl=app.rtl,
                spacing=Space.M,
            )
        ),
        identifier="fetching",
        container=True,
    )


@remembered
def UploadRow(app: AppState, name: str, share: float) -> ft.Control:
    """A file that is on its way from the browser."""
    return card(
        ft.Row(
            [
                ft.Icon(ft.Icons.UPLOAD_FILE, color=ft.Colors.PRIMARY),
                ft.Column(
                    [
                        ft.Text(
                            app.strings("knowledge.uploading", document=name),
                            theme_style=ft.TextThemeStyle.TITLE_SMALL,
                        ),
                        ft.ProgressBar(value=share or None, bar_height=4, border_radius=2),
                    ],
                    spacing=Space.S,
                    tight=True,
                    expand=True,
                ),
            ],
            rtl=app.rtl,
            spacing=Space.M,
        )
    )


@remembered
def ReembeddingRow(app: AppState, done: int, total: int) -> ft.Control:
    """How many passages have vectors of another embedding model already."""
    strings = app.strings
    return marked(
        card(
            ft.Row(
                [
                    ft.Icon(ft.Icons.AUTORENEW, color=ft.Colors.PRIMARY),
                    ft.Column(
                        [
                            ft.Text(
                                strings("knowledge.reembedding"), theme_style=ft.TextThemeStyle.TITLE_SMALL
                            ),
                            ft.Text(
                                strings("knowledge.progress", done=done, count=total),
                                theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
                                color=ft.Colors.ON_SURFACE_VARIANT,
                            ),
                            ft.ProgressBar(
                                value=done / total if total else None, bar_height=4, border_radius=2
                            ),
                        ],
                        spacing=Space.S,
                        tight=True,
                        expand=True,
                        rtl=app.rtl,
                        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
                    ),
                ],
                rtl=app.rtl,
                spacing=Space.M,
            )
        ),
        identifier="reembedding",
        container=True,
    )


def _details(app: AppState, document: Document, progress: Reading | None) -> str:
    strings = app.strings
    if document.state is DocumentState.FAILED:
        return strings.error_named(document.error or "DocumentError", name=document.title)
    if document.state is DocumentState.READY:
        parts = [strings("knowledge.passages", count=document.passages), strings.size(document.bytes)]
        if document.pages is not None:
            parts.insert(0, strings("knowledge.pages", count=document.pages))
        if document.address and document.fetched_at:
            host = strings.isolate(urlsplit(document.address).netloc)
            parts = [host, strings.time(document.fetched_at), *parts[:-1]]
        return " · ".join(parts)
    if document.state is DocumentState.INDEXING and progress is not None and progress.total_passages:
        parts = [strings("knowledge.progress", done=progress.done_passages, count=progress.total_passages)]
        if progress.seconds_left is not None:
            parts.append(strings.time_left(progress.seconds_left))
        return " · ".join(parts)
    if document.state is DocumentState.INDEXING:
        return strings("knowledge.reading")
    return strings(f"document.state.{document.state}")


def _actions(app: AppState, document: Document) -> list[ft.Control]:
    strings = app.strings

    async def delete() -> None:
        await app.knowledge.delete_document(document.id)

    async def cancel() -> None:
        await app.knowledge.cancel(document.id)

    async def retry() -> None:
        await app.knowledge.retry(document.id)

    async def refresh() -> None:
        if await app.knowledge.refresh_page(document) is False:
            app.notify(strings("page.unchanged", document=document.title))

    async def search_only() -> None:
        await app.knowledge.search_only(document)

    def ask_delete() -> None:
        app.dialogs.show(
            Confirmation(
                strings("knowledge.delete_document_title"),
                strings("knowledge.delete_document_text", document=document.title),
                strings("action.delete"),
                delete,
            )
        )

    if document.state in (DocumentState.QUEUED, DocumentState.INDEXING):
        label = strings("knowledge.cancel", document=document.title)
        return [icon_button(ft.Icons.CLOSE, label, cancel, identifier=f"cancel-{document.id}")]
    move = (
        ft.Icons.DRIVE_FILE_MOVE_OUTLINED,
        strings("knowledge.move_to"),
        lambda: app.dialogs.show(MoveDocument(document)),
    )
    delete_it = (ft.Icons.DELETE_OUTLINE, strings("action.delete"), ask_delete)
    label = strings("knowledge.more", document=document.title)
    search_it = (ft.Icons.SEARCH, strings("knowledge.search_only"), search_only)
    ready = document.state is DocumentState.READY
    items = [*([search_it] if ready else []), move, delete_it]
    buttons = [menu(app, label, items, identifier=f"document-menu-{document.id}")]
    if document.address and document.state is DocumentState.READY:
        label = strings("page.refresh", document=document.title)
        buttons.insert(0, icon_button(ft.Icons.REFRESH, label, refresh, identifier=f"refresh-{document.id}"))
    if document.state is DocumentState.FAILED:
        label = strings("knowledge.retry", document=document.title)
        buttons.insert(0, icon_button(ft.Icons.REFRESH, label, retry, identifier=f"retry-{document.id}"))
    return buttons
