"""One option: what it means, the control that sets it, what is wrong, and where its value comes from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import flet as ft

from app.core.model_options import OptionOrigin, ResolvedOption
from app.ui.components.controls import badge, marked, remembered
from app.ui.components.option_controls import (
    ChoiceControl,
    StopControl,
    SwitchControl,
    TextControl,
)
from app.ui.components.option_number import UNSET, NumberControl
from app.ui.components.option_values import problem
from app.ui.components.setting_rows import label_of
from app.ui.state.app import AppState
from app.ui.state.options import Tunable
from app.ui.theme import TOUCH, Space

SWITCHES = frozenset({"thinking", "flash_attention", "use_mmap", "use_mlock"})


@remembered
def OptionRow(app: AppState, tunable: Tunable, name: str) -> ft.Control:
    """A row; a value that is refused stays in its field, with the reason below."""
    wrong, set_wrong = ft.use_state("")
    resets, set_resets = ft.use_state(0)
    strings = app.strings
    option = tunable.options.by_name[name]

    async def change(value: object, *, finished: bool = True) -> bool:
        """Set the value; an unfinished one that is refused is not complained about yet."""
        error = await tunable.change(name, value)
        set_wrong(problem(strings, error) if error is not None and finished else "")
        return error is None

    async def reset() -> None:
        await tunable.change(name, None)
        set_wrong("")
        set_resets(resets + 1)

    head: list[ft.Control] = [
        ft.Container(label_of(app, strings(f"option.{name}"), _hint(app, tunable, name)), expand=True)
    ]
    if name in SWITCHES:
        disabled = name == "thinking" and not tunable.can_think
        head.append(SwitchControl(app, name, bool(option.value), change, disabled))
    line: list[ft.Control] = [_origin(app, tunable, name)]
    if option.origin is tunable.own:
        line.append(
            marked(
                ft.TextButton(
                    _way_back(app, name, option.beneath),
                    icon=ft.Icons.UNDO,
                    on_click=reset,
                    style=ft.ButtonStyle(padding=ft.Padding.symmetric(horizontal=Space.S)),
                    height=TOUCH,
                ),
                identifier=f"reset-{name}",
                label=strings("option.reset_named", name=strings(f"option.{name}")),
            )
        )
    control = _control(app, tunable, name, change, f"{name}-{resets}")
    return marked(
        ft.Column(
            [
                ft.Row(head, rtl=app.rtl, spacing=Space.L),
                *([control] if control is not None else []),
                *(
                    [
                        marked(
                            ft.Row(
                                [
                                    ft.Text(
                                        wrong,
                                        color=ft.Colors.ERROR,
                                        theme_style=ft.TextThemeStyle.BODY_SMALL,
                                        expand=True,
                                    )
                                ],
                                rtl=app.rtl,
                            ),
                            identifier=f"wrong-{name}",
                            live_region=True,
                        )
                    ]
                    if wrong
                    else []
                ),
                ft.Row(line, rtl=app.rtl, spacing=Space.S, height=TOUCH if len(line) > 1 else None),
            ],
            spacing=Space.S,
            tight=True,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        ),
        identifier=f"option-{name}",
        container=True,
    )


def _control(
    app: AppState, tunable: Tunable, name: str, change: Callable[..., Awaitable[bool]], key: str
) -> ft.Control | None:
    value = tunable.options[name]
    if name in SWITCHES:
        return None
    if name == "system_prompt":
        return TextControl(app, name, value or "", change, key=key)
    if name == "stop":
        return StopControl(app, value or (), change, key=key)
    if name == "kv_cache_type":
        return ChoiceControl(app, name, ("f16", "q8_0", "q4_0"), value, change, key=key)
    return NumberControl(app, name, value, change, tunable.trained_context, not tunable.remote, key=key)


def _way_back(app: AppState, name: str, beneath: ResolvedOption | None) -> str:
    """Where "back" leads: said where it is a number, or a word that stands for one."""
    value = beneath.value if beneath is not None else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return app.strings("option.reset_to", value=app.strings.exact(value))
    if value is None and name in UNSET:
        return app.strings("option.reset_to", value=app.strings(f"option.{name}.unset"))
    return app.strings("option.reset")


def _hint(app: AppState, tunable: Tunable, name: str) -> str:
    if name == "thinking" and not tunable.can_think:
        return app.strings("option.thinking.cannot")
    if name == "context_tokens" and tunable.trained_context:
        return app.strings("option.context_tokens.trained", count=tunable.trained_context)
    return app.strings(f"option.{name}.hint")


def _origin(app: AppState, tunable: Tunable, name: str) -> ft.Control:
    origin = tunable.options.origin(name)
    own = origin is tunable.own
    unknown = tunable.remote and origin is OptionOrigin.ENGINE
    return marked(
        badge(
            app.strings("option.origin_server" if unknown else f"option.origin.{origin}"),
            ft.Colors.SECONDARY_CONTAINER if own else ft.Colors.SURFACE_CONTAINER_HIGH,
            ft.Colors.ON_SECONDARY_CONTAINER if own else ft.Colors.ON_SURFACE_VARIANT,
        ),
        identifier=f"origin-{name}",
    )
