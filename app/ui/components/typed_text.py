"""Fields whose text is kept, and rendered again, while somebody writes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import flet as ft


@dataclass
class TypedText:
    """What stands in a field, from its first letter until what was written is taken over.

    What is rendered meanwhile is what the field holds already: any other text would be one event old, and
    undo the letters that were typed while it was computed.

        typed = use_typed_text()
        field = typed.shows(ft.TextField(value=typed.text(value), on_change=writing))
    """

    field: ft.TextField | None = None
    going_on: bool = False
    """Set while somebody writes, until what was written is accepted."""
    _keeping: bool = False

    def text(self, otherwise: str) -> str:
        """The text for the field: what is being written, else another one."""
        return self.field.value or "" if self.going_on and self.field is not None else otherwise

    def shows(self, field: ft.TextField) -> ft.TextField:
        """Remember the field as it is rendered now."""
        self.field = field
        return field

    async def keep(self, keep: Callable[[str], Awaitable[object]]) -> None:
        """Keep what is written, and where somebody writes on meanwhile, once more at the end."""
        if self._keeping:
            return
        self._keeping = True
        try:
            kept: str | None = None
            while self.going_on and kept != self.text(""):
                kept = self.text("")
                await keep(kept)
        finally:
            self._keeping = False


def use_typed_text() -> TypedText:
    """The same `TypedText` in every rendering of a component."""
    kept: ft.MutableRef[TypedText] = ft.use_ref(TypedText())
    return kept.current or TypedText()
