"""What a new conversation shows: an invitation, and questions to begin with."""

from __future__ import annotations

import flet as ft

from app.core.any_model import AnyModel
from app.core.provenance import PrivacyLevel
from app.core.servers import ServerModel
from app.ui.components.controls import marked
from app.ui.state.app import AppState
from app.ui.theme import Radius, Space
from engines.library import InstalledModel, Origin

EXAMPLES = (
    (ft.Icons.LIGHTBULB_OUTLINE, "chat.example.explain"),
    (ft.Icons.EDIT_NOTE, "chat.example.write"),
    (ft.Icons.CODE, "chat.example.code"),
)


@ft.component
def Welcome(app: AppState, model: AnyModel | None, level: PrivacyLevel) -> ft.Control:
    """A tap on an example asks it. `model` will answer, or others, as far as `level` reaches."""
    starter = isinstance(model, InstalledModel) and model.origin is Origin.STARTER
    strings = app.strings
    text = strings("chat.empty_text")
    if level is not PrivacyLevel.DEVICE:
        text = strings(f"level.{level}_text")
    elif isinstance(model, ServerModel) and not model.local:
        text = strings("chat.empty_text_server")
    return ft.Container(
        ft.Column(
            [
                ft.Image(src="icon.png", width=72, height=72, border_radius=Radius.L),
                ft.Text(
                    strings("chat.empty_title"),
                    theme_style=ft.TextThemeStyle.HEADLINE_MEDIUM,
                    text_align=ft.TextAlign.CENTER,
                ),
                ft.Text(
                    text,
                    text_align=ft.TextAlign.CENTER,
                    color=ft.Colors.ON_SURFACE_VARIANT,
                ),
                ft.Container(height=Space.S),
                *(_example(app, icon, strings(key), key.rsplit(".", 1)[1]) for icon, key in EXAMPLES),
                *([_first_taste(app)] if starter else []),
            ],
            horizontal_alignment=ft.CrossAxisAlignment.CENTER,
            alignment=ft.MainAxisAlignment.CENTER,
            spacing=Space.M,
            width=480,
            rtl=app.rtl,
            scroll=ft.ScrollMode.AUTO,
        ),
        alignment=ft.Alignment.CENTER,
        padding=Space.XL,
        expand=True,
    )


def _example(app: AppState, icon: ft.IconData, question: str, name: str) -> ft.Control:
    async def ask() -> None:
        await app.chat.send(question)

    return marked(
        ft.Container(
            ft.Row(
                [
                    ft.Icon(icon, size=20, color=ft.Colors.PRIMARY),
                    ft.Text(question, expand=True),
                ],
                spacing=Space.M,
            ),
            ink=True,
            on_click=ask,
            bgcolor=ft.Colors.SURFACE_CONTAINER_LOWEST,
            border=ft.Border.all(1, ft.Colors.OUTLINE_VARIANT),
            border_radius=Radius.L,
            padding=ft.Padding.symmetric(horizontal=Space.L, vertical=Space.M),
        ),
        identifier=f"example-{name}",
        button=True,
    )


def _first_taste(app: AppState) -> ft.Control:
    """What may be expected of the starter model, and the way to a better one."""
    quiet = ft.Colors.ON_SURFACE_VARIANT
    return ft.Column(
        [
            ft.Text(
                app.strings("chat.starter"),
                theme_style=ft.TextThemeStyle.LABEL_MEDIUM,
                text_align=ft.TextAlign.CENTER,
                color=quiet,
            ),
            marked(
                ft.TextButton(app.strings("chat.better_model"), on_click=lambda: app.go("/models")),
                identifier="better-model",
            ),
        ],
        horizontal_alignment=ft.CrossAxisAlignment.CENTER,
        spacing=0,
        tight=True,
    )
