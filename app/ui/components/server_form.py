"""The parts of the form for a model of a server."""

from __future__ import annotations

import sys

import flet as ft

from app.core.server_presets import PRESETS, ServerPreset
from app.core.servers import TRIAL_QUESTION
from app.ui.components.controls import Handler, SearchField, marked
from app.ui.components.setting_rows import choice, entry, notice, section
from app.ui.state.app import AppState
from app.ui.state.servers import ServerForm, Work
from app.ui.theme import TOUCH, Space
from engines.errors import RemoteRefused
from engines.remote.models import RemoteModel

_MANY_MODELS = 8
"""More are searched and scrolled."""


def _runs_programs() -> bool:
    """Whether other programs may serve models on this very device."""
    return sys.platform not in ("android", "ios")


def program_section(app: AppState, form: ServerForm) -> ft.Control:
    """Which program serves the model: fills in where it usually listens."""
    strings = app.strings

    async def take(chosen: str) -> None:
        preset = next(preset for preset in PRESETS if preset.id == chosen)
        app.servers.take(preset, preset.here if _runs_programs() else "")

    names = {preset.id: preset.name or strings("server.preset.other") for preset in PRESETS}
    return section(
        app,
        strings("server.program"),
        [
            choice(
                app,
                "preset",
                strings("server.program_hint"),
                names,
                form.preset.id if form.preset else "",
                take,
            )
        ],
    )


def address_section(app: AppState, form: ServerForm) -> ft.Control:
    """Address and key; below the address, where questions would go."""
    strings = app.strings

    def typed_address(event: ft.Event[ft.TextField]) -> None:
        app.servers.type_address(event.control.value)

    def typed_key(event: ft.Event[ft.TextField]) -> None:
        app.servers.type_key(event.control.value)

    async def forget() -> None:
        await app.servers.forget_key()

    rows = [
        entry(
            app,
            "server-address",
            strings("server.address"),
            form.url,
            typed_address,
            hint=strings("server.address_hint"),
            hint_text=_example(form.preset),
            keyboard_type=ft.KeyboardType.URL,
        ),
        *_where(app, form),
        entry(
            app,
            "server-key",
            strings("server.key"),
            form.key,
            typed_key,
            hint=strings("server.key_kept" if form.keys_last else "server.key_session"),
            hint_text=strings("server.key_known") if form.key_known else None,
            password=True,
            can_reveal_password=True,
        ),
        *(
            [
                ft.Row(
                    [
                        marked(
                            ft.TextButton(strings("server.forget_key"), on_click=forget),
                            identifier="forget-key",
                        )
                    ],
                    rtl=app.rtl,
                )
            ]
            if form.key_known and form.editing
            else []
        ),
    ]
    return section(app, strings("server.where"), rows)


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
            *(_working(app, strings("server.asking", host=host), stop) if form.work is Work.LOOKING else []),
        ],
        rtl=app.rtl,
        spacing=Space.M,
        run_spacing=Space.S,
        wrap=True,
    )
    what = strings("server.look_hint", host=host) if host else strings("server.look_hint_any")
    rows: list[ft.Control] = [_quiet(app, what), button]
    if form.problem is not None and form.failed is Work.LOOKING:
        rows.append(_problem(app, form, form.problem))
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
        rows or [_quiet(app, strings("server.none_found"))],
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


def outcome(app: AppState, form: ServerForm) -> list[ft.Control]:
    """What a trial sends, what it has brought, or what went wrong."""
    strings = app.strings

    def stop() -> None:
        app.servers.stop()

    if form.problem is not None and form.failed is not Work.LOOKING:
        return [_problem(app, form, form.problem)]
    if form.work is Work.TRYING:
        waiting = _working(app, strings("server.trying"), stop)
        return [ft.Row(waiting, rtl=app.rtl, spacing=Space.M, run_spacing=Space.S, wrap=True)]
    if form.seconds is not None:
        shown = strings.number(form.seconds, 2 if form.seconds < 1 else 1)
        seconds = strings("bench.seconds", number=shown)
        text = strings("server.works", seconds=seconds)
        icon, color = ft.Icons.CHECK_CIRCLE_OUTLINE, ft.Colors.PRIMARY
        return [notice(app, icon, text, color, identifier="server-works")]
    return [_quiet(app, strings("server.try_hint", question=TRIAL_QUESTION))]


def _problem(app: AppState, form: ServerForm, problem: Exception) -> ft.Control:
    text = app.strings.error(problem)
    if isinstance(problem, RemoteRefused) and not (form.key or form.key_known):
        text = app.strings("server.wants_key", host=problem.host)
    return notice(app, ft.Icons.ERROR_OUTLINE, text, ft.Colors.ERROR, identifier="server-problem")


def _where(app: AppState, form: ServerForm) -> list[ft.Control]:
    strings, address = app.strings, form.address
    if address is None:
        if not form.url.strip():
            return []
        return [
            notice(
                app,
                ft.Icons.ERROR_OUTLINE,
                strings.error_named("RemoteAddressInvalid", host=form.url.strip().rpartition("@")[2][:100]),
                ft.Colors.ERROR,
                identifier="server-where",
            )
        ]
    if address.local:
        icon, text, color = ft.Icons.LOCK_OUTLINE, strings("server.stays"), ft.Colors.PRIMARY
    elif address.encrypted:
        icon, color = ft.Icons.CLOUD_UPLOAD_OUTLINED, ft.Colors.ON_SURFACE_VARIANT
        text = strings("server.leaves", host=address.host)
    else:
        icon, color = ft.Icons.LOCK_OPEN, ft.Colors.ERROR
        text = strings("server.leaves_open", host=address.host)
    return [notice(app, icon, text, color, identifier="server-where")]


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
                    *([_quiet(app, " · ".join(facts))] if facts else []),
                ],
                spacing=0,
                tight=True,
                expand=True,
            ),
        ],
        rtl=app.rtl,
        spacing=Space.S,
    )


def _example(preset: ServerPreset | None) -> str:
    if preset is None:
        return PRESETS[0].here if _runs_programs() else PRESETS[0].example
    return (preset.here if _runs_programs() else "") or preset.example


def _working(app: AppState, text: str, stop: Handler) -> list[ft.Control]:
    return [
        ft.ProgressRing(width=18, height=18, stroke_width=2),
        ft.Text(text, theme_style=ft.TextThemeStyle.LABEL_LARGE),
        marked(
            ft.TextButton(app.strings("action.cancel"), on_click=stop),
            identifier="stop-server",
        ),
    ]


def _quiet(app: AppState, text: str) -> ft.Control:
    return ft.Row(
        [
            ft.Text(
                text,
                theme_style=ft.TextThemeStyle.BODY_SMALL,
                color=ft.Colors.ON_SURFACE_VARIANT,
                expand=True,
            )
        ],
        rtl=app.rtl,
    )
