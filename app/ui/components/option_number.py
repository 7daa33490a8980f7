"""The control that sets a number."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import flet as ft

from app.core.errors import OptionInvalid
from app.ui.components.controls import marked, remembered
from app.ui.components.option_values import number_text, read_number
from app.ui.components.setting_rows import chips
from app.ui.components.typed_text import use_typed_text
from app.ui.state.app import AppState
from app.ui.theme import Space, field_border

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
_FIELD_WIDTH = 104
_RESTING: float | None = None
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
    typed = use_typed_text()
    dragged, set_dragged = ft.use_state(_RESTING)
    _, redraw = ft.use_state(0)
    text = number_text(app.strings, value if dragged is None else dragged)
    text = typed.text(text)

    async def keep(text: str) -> None:
        if text.strip():  # else a new number comes
            await change(_read(name, text), finished=False)

    async def writing() -> None:
        typed.going_on = True
        redraw(lambda count: count + 1)
        await typed.keep(keep)

    async def written() -> None:
        if typed.going_on and await change(_read(name, typed.text(""))):
            typed.going_on = False
            redraw(lambda count: count + 1)

    def drag(number: float) -> None:
        typed.going_on = False
        set_dragged(number)

    async def choose(number: float) -> None:
        typed.going_on = False
        await change(number)
        set_dragged(None)

    field = marked(
        typed.shows(
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
            )
        ),
        identifier=f"field-{name}",
        label=app.strings(f"option.{name}"),
    )
    if name == "context_tokens":
        return _with_windows(app, field, value, choose, trained_context)
    if not slides:
        return field
    return ft.Row([_slider(app, name, text, drag, choose), field], rtl=app.rtl, spacing=Space.M)


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
    drag: Callable[[float], None],
    choose: Callable[[float], Awaitable[None]],
) -> ft.Control:
    least, most, steps = SLIDERS[name]
    read = _read(name, text)
    now = read if isinstance(read, int | float) else least

    def moving(event: ft.Event[ft.Slider]) -> None:
        drag(round(event.control.value or 0.0, 3))

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
