"""The controls that set an option: number, switch, choice, text, list of texts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import flet as ft

from app.core.direction import is_right_to_left
from app.core.errors import OptionInvalid
from app.ui.components.controls import icon_button, marked, remembered, text_field
from app.ui.components.option_values import meant, number_text, read_number, shown
from app.ui.components.setting_rows import chips
from app.ui.state.app import AppState
from app.ui.theme import Radius, Space, field_border

Change = Callable[..., Awaitable[bool]]
"""Takes the value, and whether it is finished; tells whether it was accepted."""

SLIDERS = {
    "temperature": (0.0, 2.0, 40),
    "top_p": (0.0, 1.0, 20),
    "min_p": (0.0, 0.5, 50),
    "repeat_penalty": (0.9, 1.5, 60),
    "presence_penalty": (-2.0, 2.0, 40),
    "frequency_penalty": (-2.0, 2.0, 40),
    "dry_multiplier": (0.0, 2.0, 40),
}
"""Values that make sense, and steps; the field beside the slider takes all that are possible."""
WHOLE = frozenset(
    {
        "batch_tokens",
        "context_tokens",
        "dry_allowed_length",
        "gpu_layers",
        "max_answer_tokens",
        "repeat_last_n",
        "seed",
        "threads",
        "top_k",
    }
)
WINDOWS = (2048, 4096, 8192, 16384, 32768, 65536, 131072)
_FIELD_WIDTH = 132
_NOT_A_NUMBER = "?"
"""No option that is a number takes this: what makes the refusal of a text that is none."""


@remembered
def NumberControl(
    app: AppState, name: str, value: float | None, change: Change, trained_context: int, known: bool
) -> ft.Control:
    """A field, with a slider before it or usual values above it.

    Where the value is not `known` unless it is set, nobody can say where a slider would stand.
    """
    slides = known and name in SLIDERS
    typed: ft.MutableRef[str | None] = ft.use_ref(None)  # while somebody writes: what stands in the field
    _, redraw = ft.use_state(0)
    text = number_text(app.strings, value) if typed.current is None else typed.current

    def show(written: str | None) -> None:
        typed.current = written
        redraw(lambda count: count + 1)

    async def writing(event: ft.Event[ft.TextField]) -> None:
        show(event.control.value)
        if event.control.value.strip():  # else a new number comes
            await change(_read(name, event.control.value), finished=False)

    async def written() -> None:
        if typed.current is not None and await change(_read(name, typed.current)):
            show(None)

    async def choose(number: float) -> None:
        if await change(number):
            show(None)

    field = marked(
        ft.TextField(
            value=text,
            on_change=writing,
            on_blur=written,
            on_submit=written,
            hint_text=app.strings(f"option.{name}.unset") if name in UNSET else None,
            keyboard_type=ft.KeyboardType.NUMBER if name in WHOLE else ft.KeyboardType.TEXT,
            rtl=app.rtl,
            width=_FIELD_WIDTH * max(1.0, app.scale) if slides else None,
            dense=True,
            border=field_border(),
            content_padding=ft.Padding.symmetric(horizontal=Space.M, vertical=Space.M),
        ),
        identifier=f"field-{name}",
        label=app.strings(f"option.{name}"),
    )
    if name == "context_tokens":
        return _with_windows(app, field, value, choose, trained_context)
    if not slides:
        return field
    return ft.Row([_slider(app, name, text, choose, show), field], rtl=app.rtl, spacing=Space.M)


UNSET = frozenset({"threads", "gpu_layers", "seed"})
"""Without a value these have a meaning of their own."""


def _read(name: str, text: str) -> float | str | None:
    try:
        return read_number(name, text, whole=name in WHOLE)
    except OptionInvalid:
        return _NOT_A_NUMBER


def _slider(
    app: AppState,
    name: str,
    text: str,
    choose: Callable[[float], Awaitable[None]],
    show: Callable[[str], object],
) -> ft.Control:
    least, most, steps = SLIDERS[name]
    read = _read(name, text)
    now = read if isinstance(read, int | float) else least

    def moving(event: ft.Event[ft.Slider]) -> None:
        show(number_text(app.strings, round(event.control.value or 0.0, 3)))

    async def moved(event: ft.Event[ft.Slider]) -> None:
        await choose(round(event.control.value or 0.0, 3))

    return marked(
        ft.Slider(
            value=min(max(now, least), most),
            min=least,
            max=most,
            divisions=steps,
            on_change=moving,
            on_change_end=moved,
            rtl=app.rtl,
        ),
        identifier=f"slider-{name}",
        label=app.strings(f"option.{name}"),
        expand=True,
    )


def _with_windows(
    app: AppState,
    field: ft.Control,
    value: float | None,
    choose: Callable[[float], Awaitable[None]],
    trained_context: int,
) -> ft.Control:
    windows = [tokens for tokens in WINDOWS if not trained_context or tokens <= trained_context]
    if trained_context and trained_context not in windows:
        windows.append(trained_context)

    async def pick(tokens: str) -> None:
        await choose(int(tokens))

    names = {str(tokens): app.strings.number(tokens) for tokens in sorted(windows)}
    return ft.Column(
        [chips(app, "window", names, str(value), pick), field],
        spacing=Space.S,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


@ft.component
def SwitchControl(app: AppState, name: str, value: bool, change: Change, disabled: bool) -> ft.Control:
    """On or off."""

    async def turn(event: ft.Event[ft.Switch]) -> None:
        await change(bool(event.control.value))

    return marked(
        ft.Switch(value=value, on_change=turn, disabled=disabled),
        identifier=f"switch-{name}",
        label=app.strings(f"option.{name}"),
        container=True,
    )


@remembered
def ChoiceControl(
    app: AppState, name: str, values: Sequence[str], value: str | None, change: Change
) -> ft.Control:
    """One of several values, each with a name in plain words."""
    names = {each: app.strings(f"option.{name}.{each}") for each in values}
    return chips(app, name, names, value or "", change)


@remembered
def TextControl(app: AppState, name: str, value: str, change: Change) -> ft.Control:
    """A text of several lines, kept while it is written."""
    typed: ft.MutableRef[str | None] = ft.use_ref(None)
    _, redraw = ft.use_state(0)
    text = value if typed.current is None else typed.current

    async def writing(event: ft.Event[ft.TextField]) -> None:
        typed.current = event.control.value
        redraw(lambda count: count + 1)
        await change(event.control.value)

    return marked(
        ft.TextField(
            value=text,
            on_change=writing,
            hint_text=app.strings(f"option.{name}.example"),
            multiline=True,
            min_lines=2,
            max_lines=8,
            rtl=is_right_to_left(text) if text.strip() else app.rtl,
            border=field_border(),
            content_padding=Space.M,
        ),
        identifier=f"field-{name}",
        label=app.strings(f"option.{name}"),
    )


@remembered
def StopControl(app: AppState, values: Sequence[str], change: Change) -> ft.Control:
    """A list of texts; each can be taken out, and one more put in."""
    text, set_text = ft.use_state("")
    typed = ft.use_ref("")
    strings = app.strings

    def writing(event: ft.Event[ft.TextField]) -> None:
        typed.current = event.control.value
        set_text(typed.current)

    async def add() -> None:
        new = meant(typed.current or "")
        if new and await change(tuple(dict.fromkeys([*values, new]))):
            typed.current = ""
            set_text("")

    def remover(removed: str) -> Callable[[], Awaitable[None]]:
        async def remove() -> None:
            await change(tuple(each for each in values if each != removed))

        return remove

    there: list[ft.Control] = [
        ft.Container(
            ft.Row(
                [
                    ft.Text(strings.isolate(shown(each)), theme_style=ft.TextThemeStyle.LABEL_LARGE),
                    icon_button(
                        ft.Icons.CLOSE,
                        strings("option.stop.remove", text=shown(each)),
                        remover(each),
                        identifier=f"remove-stop-{number}",
                    ),
                ],
                tight=True,
                spacing=0,
                rtl=app.rtl,
            ),
            bgcolor=ft.Colors.SECONDARY_CONTAINER,
            border_radius=Radius.L,
            padding=ft.Padding.only(left=0 if app.rtl else Space.M, right=Space.M if app.rtl else 0),
        )
        for number, each in enumerate(values)
    ]
    field = marked(
        text_field(app, strings("option.stop.add"), text, writing, on_submit=add, dense=True, expand=True),
        identifier="field-stop",
    )
    button = icon_button(
        ft.Icons.ADD, strings("option.stop.add"), add, identifier="add-stop", disabled=not text
    )
    return ft.Column(
        [
            *([ft.Row(there, wrap=True, spacing=Space.S, run_spacing=Space.S, rtl=app.rtl)] if there else []),
            ft.Row([ft.Container(field, expand=True), button], rtl=app.rtl, spacing=Space.S),
        ],
        spacing=Space.S,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )
