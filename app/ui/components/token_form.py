"""Entering, testing and removing the hub's access token. What is kept is never shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import flet as ft

from app.core.secrets import TokenSource
from app.ui.components.controls import marked, text_field
from app.ui.state.app import AppState
from app.ui.state.dialogs import TokenEntry
from app.ui.state.hub_token import HubTokenState
from app.ui.theme import Space


@ft.component
def TokenForm(app: AppState, entry: TokenEntry, known: HubTokenState) -> ft.Control:
    """A field for a new token, and what there is already."""
    strings = app.strings
    token, set_token = ft.use_state("")
    typed = ft.use_ref("")
    result, set_result = ft.use_state(("", False))
    busy, set_busy = ft.use_state(0)
    ft.use_effect(app.token.refresh, dependencies=[])

    def changed(event: ft.Event[ft.TextField]) -> None:
        typed.current = event.control.value
        set_token(typed.current)
        set_result(("", False))

    async def attempt(work: Callable[[], Awaitable[str]]) -> None:
        set_busy(1)
        try:
            set_result((await work(), True))
        except ValueError:
            set_result((strings("token.invalid"), False))
        except Exception as error:  # noqa: BLE001 - it stands below the field
            set_result((strings.error(error), False))
        finally:
            set_busy(0)

    async def check() -> str:
        name = await app.token.test((typed.current or "").strip() or None)
        return strings("token.works", name=name)

    async def test() -> None:
        await attempt(check)

    async def keep() -> str:
        await app.token.keep(typed.current or "")
        app.dialogs.close()
        app.notify(strings("token.kept"))
        if entry.on_saved is not None:
            await entry.on_saved()
        return ""

    async def save() -> None:
        if (typed.current or "").strip():
            await attempt(keep)

    async def remove() -> None:
        await app.token.forget()
        set_result((strings("token.removed"), True))

    async def make() -> None:
        await app.open_link(app.token.page)

    text, good = result
    quiet = ft.Colors.ON_SURFACE_VARIANT
    lines: list[ft.Control] = [
        ft.Text(strings("token.text", host=known.host or app.store.host), color=quiet, rtl=app.rtl),
        _kept(app, known),
    ]
    if not known.usable:
        lines.append(ft.Text(strings("token.not_encrypted"), color=ft.Colors.ERROR, rtl=app.rtl))
    lines.append(
        marked(
            text_field(
                app,
                strings("token.label"),
                token,
                changed,
                on_submit=save,
                password=True,
                autocorrect=False,
                enable_suggestions=False,
            ),
            identifier="token",
        )
    )
    if text:
        color = ft.Colors.PRIMARY if good else ft.Colors.ERROR
        lines.append(
            marked(ft.Text(text, color=color, rtl=app.rtl), identifier="token-result", live_region=True)
        )
    lines.append(
        ft.Row(
            [
                _button(ft.TextButton(strings("token.make"), on_click=make), "token-make"),
                *(
                    [_button(ft.TextButton(strings("token.remove"), on_click=remove), "token-remove")]
                    if known.removable
                    else []
                ),
                _button(
                    ft.TextButton(
                        strings("token.test"),
                        on_click=test,
                        disabled=bool(busy) or not known.usable or not (token.strip() or known.source),
                    ),
                    "token-test",
                ),
                _button(
                    ft.FilledButton(
                        strings("action.save"),
                        on_click=save,
                        disabled=bool(busy) or not known.usable or not token.strip(),
                    ),
                    "token-save",
                ),
            ],
            rtl=app.rtl,
            wrap=True,
            spacing=Space.S,
            run_spacing=Space.S,
            alignment=ft.MainAxisAlignment.END,
        )
    )
    return ft.Column(lines, spacing=Space.L, tight=True, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)


def kept_text(app: AppState, known: HubTokenState) -> str:
    """Whether there is a token, and how long it will be known."""
    return app.strings(f"token.source.{known.source}" if known.source else "token.source.none")


def _kept(app: AppState, known: HubTokenState) -> ft.Control:
    lines = [kept_text(app, known)]
    if known.source in (None, TokenSource.SESSION):
        lines.append(app.strings("token.lasting" if known.lasting else "token.not_lasting"))
    return ft.Row(
        [
            ft.Icon(
                ft.Icons.KEY if known.source else ft.Icons.KEY_OFF_OUTLINED,
                size=18,
                color=ft.Colors.PRIMARY if known.source else ft.Colors.ON_SURFACE_VARIANT,
            ),
            marked(
                ft.Text(" ".join(lines), theme_style=ft.TextThemeStyle.LABEL_MEDIUM),
                identifier="token-source",
                expand=True,
            ),
        ],
        rtl=app.rtl,
        spacing=Space.S,
    )


def _button(button: ft.Control, name: str) -> ft.Control:
    return marked(button, identifier=name)


@ft.component
def TokenRow(app: AppState, known: HubTokenState) -> ft.Control:
    """The setting: whether there is a token, as soon as somebody has looked, and the way to change it."""

    def change() -> None:
        app.dialogs.show(TokenEntry())

    return ft.Row(
        [
            ft.Column(
                [
                    ft.Text(app.strings("token.title"), theme_style=ft.TextThemeStyle.TITLE_SMALL),
                    ft.Text(
                        kept_text(app, known) if known.known else app.strings("token.hint"),
                        theme_style=ft.TextThemeStyle.BODY_SMALL,
                        color=ft.Colors.ON_SURFACE_VARIANT,
                    ),
                ],
                spacing=0,
                tight=True,
                rtl=app.rtl,
                expand=True,
                horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
            ),
            marked(
                ft.OutlinedButton(app.strings("token.change"), on_click=change), identifier="change-token"
            ),
        ],
        rtl=app.rtl,
        spacing=Space.L,
    )
