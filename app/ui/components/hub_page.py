"""A model of the hub: its terms, and its files with what each would mean for this device."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import flet as ft

from app.core.download import Download
from app.core.licences import LicenceKind, licence_kind
from app.core.offers import FileOffer
from app.ui.components.controls import card, marked, remembered
from app.ui.components.download_card import DownloadCard
from app.ui.components.fit import best_badge, fit_badge, plain_badge
from app.ui.components.hub_card import popularity
from app.ui.components.hub_problem import problem_actions
from app.ui.components.readme import ReadmeSection
from app.ui.state.app import AppState
from app.ui.state.find import OpenedModel
from app.ui.state.models import ModelRow
from app.ui.theme import Space
from engines.errors import HubGated
from engines.library import ModelSource
from engines.store.hub import HubFile, HubModel, HubModelDetails


def hub_page(
    app: AppState, opened: OpenedModel, rows: Sequence[ModelRow], downloads: Sequence[Download]
) -> list[ft.Control]:
    """The cards of a model whose details are known."""
    details = opened.details
    if details is None:
        return []
    repository = details.model.repository
    here = [row.model.source for row in rows if row.model.source is not None]
    coming = [one for one in downloads if one.order.repository == repository]
    cards: list[ft.Control] = [_about(app, opened, details.model)]
    cards.append(ReadmeSection(app, repository, details.commit, key=f"readme-{repository}"))
    cards += [DownloadCard(app, download, key=f"download-{download.id}") for download in coming]
    if not opened.files:
        cards.append(_note(app, ft.Icons.INSERT_DRIVE_FILE_OUTLINED, app.strings("find.no_files")))
        return cards
    if not any(offer.best for offer in opened.files):
        cards.append(_note(app, ft.Icons.MEMORY_OUTLINED, app.strings("find.nothing_fits")))
    files = {one.order.file for one in coming}
    labels = Counter(offer.file.quantisation for offer in opened.files)
    cards += [
        FileCard(
            app,
            details,
            offer,
            _label(offer.file, labels),
            here=_is_here(details, offer, here),
            coming=offer.file.name in files,
            key=f"{details.commit}/{offer.file.name}",
        )
        for offer in opened.files
    ]
    return cards


def _label(file: HubFile, labels: Counter[str]) -> str:
    """The quantisation, as long as it tells a file from the others; else its name."""
    if file.quantisation and labels[file.quantisation] == 1:
        return file.quantisation
    return file.name.rpartition("/")[2].removesuffix(".gguf")


def _is_here(details: HubModelDetails, offer: FileOffer, here: Sequence[ModelSource]) -> bool:
    return any(
        (source.repository, source.file) == (details.model.repository, offer.file.name)
        or source.sha256 == offer.file.sha256
        for source in here
    )


@remembered
def FileCard(
    app: AppState, details: HubModelDetails, offer: FileOffer, label: str, *, here: bool, coming: bool
) -> ft.Control:
    """One file: how much of the model it keeps, its size, its need, and the way to get it."""
    strings, file = app.strings, offer.file

    async def get() -> None:
        await app.store.get_file(details, file)

    def to_models() -> None:
        app.go("/models")

    badges: list[ft.Control] = []
    if offer.fit is not None:
        badges.append(fit_badge(app, offer.fit))
    badges.append(
        plain_badge(strings.size(file.bytes) if file.bytes is not None else strings("find.size_unknown"))
    )
    if offer.needed_bytes is not None:
        badges.append(plain_badge(strings("find.memory", size=strings.size(offer.needed_bytes))))
    if file.parts > 1:
        badges.append(plain_badge(strings("find.parts", count=file.parts)))
    if here:
        action: ft.Control = marked(
            ft.TextButton(strings("find.here"), icon=ft.Icons.CHECK_CIRCLE_OUTLINE, on_click=to_models),
            identifier=f"here-{label}",
        )
    elif coming:
        action = marked(
            ft.Text(strings("find.coming"), theme_style=ft.TextThemeStyle.LABEL_LARGE),
            identifier=f"coming-{label}",
        )
    else:
        kind = ft.FilledButton if offer.best else ft.OutlinedButton
        action = marked(
            kind(strings("catalogue.get"), icon=ft.Icons.DOWNLOAD, on_click=get),
            identifier=f"get-{label}",
        )
    return marked(
        card(
            ft.Column(
                [
                    ft.Row(
                        [
                            ft.Text(
                                strings.isolate(label),
                                theme_style=ft.TextThemeStyle.TITLE_MEDIUM,
                                expand=True,
                            ),
                            *([best_badge(app)] if offer.best else []),
                        ],
                        rtl=app.rtl,
                        spacing=Space.S,
                    ),
                    ft.Row(
                        [
                            ft.Text(
                                _quality(app, file.quantisation),
                                color=ft.Colors.ON_SURFACE_VARIANT,
                                expand=True,
                            )
                        ],
                        rtl=app.rtl,
                    ),
                    ft.Row(badges, rtl=app.rtl, spacing=Space.S, run_spacing=Space.S, wrap=True),
                    ft.Row([action], rtl=app.rtl, alignment=ft.MainAxisAlignment.END),
                ],
                spacing=Space.S,
                tight=True,
                horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
            )
        ),
        identifier=f"file-{label}",
        container=True,
    )


def _quality(app: AppState, quantisation: str) -> str:
    """What a quantisation means, for people who have never heard the word."""
    bits = next((int(letter) for letter in quantisation if letter.isdigit()), 0)
    if quantisation.startswith(("F", "BF")):
        return app.strings("find.quality.whole")
    if quantisation.startswith("MXFP"):
        bits = 4
    if bits == 0:
        return app.strings("find.quality.unknown")
    key = "lossless" if bits >= 8 else "high" if bits >= 5 else "usual" if bits == 4 else "low"
    return app.strings(f"find.quality.{key}")


def _about(app: AppState, opened: OpenedModel, model: HubModel) -> ft.Control:
    strings = app.strings
    recommended = opened.recommended

    async def open_page() -> None:
        await app.open_link(opened.page)

    lines: list[ft.Control] = [popularity(app, model)]
    if recommended is not None:
        text = recommended.description.fa if strings.language == "fa" else recommended.description.en
        lines.append(ft.Row([ft.Text(text, expand=True)], rtl=app.rtl))
    licence = recommended.licence.name if recommended else model.licence
    lines.append(_line(app, ft.Icons.DESCRIPTION_OUTLINED, _licence_text(app, licence, model.licence)))
    if model.gated:
        lines.append(_line(app, ft.Icons.LOCK_OUTLINE, strings("find.gated_text")))
        lines.append(
            ft.Row(
                problem_actions(app, HubGated.__name__, opened.page, app.find.retry),
                rtl=app.rtl,
                wrap=True,
                spacing=Space.S,
                run_spacing=Space.S,
            )
        )
    else:
        lines.append(
            ft.Row(
                [
                    marked(
                        ft.TextButton(
                            strings("find.open_page"), icon=ft.Icons.OPEN_IN_NEW, on_click=open_page
                        ),
                        identifier="open-page",
                    )
                ],
                rtl=app.rtl,
            )
        )
    return marked(
        card(
            ft.Column(
                lines,
                spacing=Space.M,
                tight=True,
                horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
            )
        ),
        identifier="about-model",
        container=True,
    )


def _licence_text(app: AppState, shown: str, tag: str) -> str:
    strings = app.strings
    if not shown:
        return strings("find.licence.none")
    kind = licence_kind(tag) if tag else LicenceKind.UNKNOWN
    return strings(f"find.licence.{kind}", name=shown)


def _line(app: AppState, icon: ft.IconData, text: str) -> ft.Control:
    return ft.Row(
        [
            ft.Icon(icon, size=18, color=ft.Colors.ON_SURFACE_VARIANT),
            ft.Text(text, theme_style=ft.TextThemeStyle.BODY_MEDIUM, expand=True),
        ],
        rtl=app.rtl,
        spacing=Space.S,
        vertical_alignment=ft.CrossAxisAlignment.START,
    )


def _note(app: AppState, icon: ft.IconData, text: str) -> ft.Control:
    return marked(card(_line(app, icon, text)), identifier="note")
