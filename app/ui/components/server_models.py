"""The models that a server offers, in the form for a model of a server."""

from __future__ import annotations

import flet as ft

from app.ui.components.controls import SearchField, marked
from app.ui.components.server_outcome import problem_notice, working
from app.ui.components.setting_rows import entry, notice, remark, section
from app.ui.state.app import AppState
from app.ui.state.servers import ServerForm, Work
from app.ui.theme import TOUCH, Space
from engines.remote.models import RemoteModel

_MANY_MODELS = 8
"""More are searched and scrolled."""


def models_section(app: AppState, form: ServerForm) -> ft.Control:
    """What the server has, asked only when the button is tapped; or the model's name, typed."""
    strings = app.strings
    host = form.address.host if form.address else ""

    async def look() -> None:
        await app.servers.look()

    def typed_name(event: ft.Event[ft.TextField]) -> None:
        form.name = event.control.value

    def typed_model(event: ft.Event[ft.TextField]) -> None:
        app.servers.type_model(event.control.value)

    def stop() -> None:
        app.servers.stop()

    button = ft.Row(
        [
            marked(
                ft.FilledTonalButton(
                    strings("server.look"),
                    icon=ft.Icons.SEARCH,
                    on_click=look,
                    disabled=form.address is None or form.work is not None,
                ),
                identifier="look-models",
            ),
            *(working(app, strings("server.asking", host=host), stop) if form.work is Work.LOOKING else []),
        ],
        rtl=app.rtl,
        spacing=Space.M,
        run_spacing=Space.S,
        wrap=True,
    )
    what = strings("server.look_hint", host=host) if host else strings("server.look_hint_any")
    rows: list[ft.Control] = [remark(app, what), button]
    if form.problem is not None and form.failed is Work.LOOKING:
        rows.append(problem_notice(app, form, form.problem))
    if form.offered:
        rows.append(OfferedModels(app, form))
    else:
        if form.offered is not None:
            rows.append(
                notice(
                    app,
                    ft.Icons.INFO_OUTLINE,
                    strings("server.no_models", host=host),
                    ft.Colors.ON_SURFACE_VARIANT,
                    identifier="no-models",
                )
            )
        rows.append(
            entry(
                app,
                "server-model",
                strings("server.model"),
                form.model,
                typed_model,
                hint=strings("server.model_hint"),
                max_length=256,
                counter="",
            )
        )
    rows.append(
        entry(
            app,
            "server-name",
            strings("server.name"),
            form.name,
            typed_name,
            hint=strings("server.name_hint"),
            max_length=100,
            counter="",
        )
    )
    return section(app, strings("server.models"), rows)


@ft.component
def OfferedModels(app: AppState, form: ServerForm) -> ft.Control:
    """The server's models, each to be taken or left; many of them can be searched."""
    text, set_text = ft.use_state("")
    strings = app.strings

    async def search(typed: str) -> None:
        set_text(typed)

    offered = form.offered or ()
    shown = [model for model in offered if text.strip().casefold() in model.id.casefold()]
    rows = [_model_row(app, form, model) for model in shown]
    many = len(offered) > _MANY_MODELS
    found = ft.Column(
        rows or [remark(app, strings("server.none_found"))],
        spacing=0,
        tight=not many,
        height=_MANY_MODELS * TOUCH if many else None,
        scroll=ft.ScrollMode.AUTO if many else None,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )
    search_field = SearchField(app, strings("server.search"), search, identifier="search-offered")
    return ft.Column(
        [*([search_field] if many else []), found],
        spacing=Space.S,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def _model_row(app: AppState, form: ServerForm, model: RemoteModel) -> ft.Control:
    strings = app.strings
    here = app.servers.added(model.id)

    def chosen(event: ft.Event[ft.Checkbox]) -> None:
        app.servers.pick(model.id, bool(event.control.value))

    facts = [
        *([strings("model.context_tokens", count=model.context_tokens)] if model.context_tokens else []),
        *([strings("server.already")] if here else []),
    ]
    return ft.Row(
        [
            marked(
                ft.Checkbox(value=model.id in form.picked or here, disabled=here, on_change=chosen),
                identifier=f"offered-{model.id}",
                label=model.id,
                container=True,
            ),
            ft.Column(
                [
                    ft.Text(strings.isolate(model.id)),
                    *([remark(app, " · ".join(facts))] if facts else []),
                ],
                spacing=0,
                tight=True,
                expand=True,
            ),
        ],
        rtl=app.rtl,
        spacing=Space.S,
    )
