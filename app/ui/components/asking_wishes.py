"""What the open conversation wishes of the other devices that it asks."""

from __future__ import annotations

import flet as ft
import msgspec

from app.core.asking_wishes import Joining
from app.core.provenance import PrivacyLevel
from app.ui.components.controls import marked
from app.ui.components.setting_rows import chips, label_of, notice
from app.ui.state.app import AppState
from app.ui.state.chat_state import ChatState
from app.ui.theme import Space

JOININGS: tuple[Joining, ...] = ("compare", "first", "fuse")


@ft.component
def AskingWishesRows(app: AppState, chat: ChatState, level: PrivacyLevel) -> ft.Control:
    """The models that devices of this level offer now; and, where several answer, what becomes of that."""
    ft.use_effect(app.chat.look_for_models, dependencies=[level])
    rows = [_models(app, chat)]
    if level is not PrivacyLevel.MY_DEVICES:
        rows.append(_joining(app, chat))
    return ft.Container(
        ft.Column(
            rows,
            spacing=Space.L,
            tight=True,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        ),
        padding=ft.Padding.only(top=Space.M),
    )


def _models(app: AppState, chat: ChatState) -> ft.Control:
    strings, wished = app.strings, chat.wishes.model

    async def choose(model: str) -> None:
        await app.chat.set_wishes(msgspec.structs.replace(chat.wishes, model=model or None))

    options = {"": strings("level.any_model")}
    for one in chat.offered or ():
        options[one.model] = strings("level.model_devices", model=one.model, count=one.devices)
    problem = ""
    if chat.offers_problem is not None:
        problem = strings.error(chat.offers_problem)
    elif chat.offered is not None and wished is not None and wished not in options:
        problem = strings("level.model_gone", model=wished)
    elif chat.offered == []:
        problem = strings("level.models_none")
    if wished is not None:
        options.setdefault(wished, strings.isolate(wished))
    controls: list[ft.Control] = [
        label_of(app, strings("level.model")),
        chips(app, "wished-model", options, wished or "", choose),
    ]
    if problem:
        again = marked(
            ft.TextButton(strings("action.retry"), icon=ft.Icons.REFRESH, on_click=app.chat.look_for_models),
            identifier="look-for-models",
        )
        color = ft.Colors.ON_SURFACE_VARIANT
        controls.append(notice(app, ft.Icons.INFO_OUTLINE, problem, color, identifier="models-problem"))
        controls.append(ft.Row([again], rtl=app.rtl))
    elif chat.offered is None:
        controls.append(ft.ProgressBar())
    return ft.Column(
        controls, spacing=Space.S, tight=True, horizontal_alignment=ft.CrossAxisAlignment.STRETCH
    )


def _joining(app: AppState, chat: ChatState) -> ft.Control:
    strings = app.strings
    chosen: Joining = chat.wishes.joining or app.settings.network_joining

    async def choose(joining: Joining) -> None:
        await app.chat.set_wishes(msgspec.structs.replace(chat.wishes, joining=joining))

    hint = strings("level.joining_fuse_text") if chosen == "fuse" else ""
    options: dict[str, str] = {one: strings(f"level.joining.{one}") for one in JOININGS}
    return ft.Column(
        [
            label_of(app, strings("level.joining"), hint),
            chips(app, "joining", options, chosen, choose),
        ],
        spacing=Space.S,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )
