"""Links that leave the app: followed only after a look at where they lead."""

from __future__ import annotations

from app.ui.state.app import AppState
from app.ui.state.dialogs import Confirmation

_LONGEST_ADDRESS = 400


def ask_to_open(app: AppState, address: str) -> None:
    """Show where a link leads, and open it if the user wants that."""

    async def leave() -> None:
        await app.open_link(address)

    strings = app.strings
    app.dialogs.show(
        Confirmation(
            strings("link.title"),
            strings("link.text", address=_shortened(address)),
            strings("link.open"),
            leave,
            destructive=False,
        )
    )


def _shortened(address: str) -> str:
    return address if len(address) <= _LONGEST_ADDRESS else f"{address[:_LONGEST_ADDRESS]}…"
