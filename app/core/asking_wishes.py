"""What a conversation wishes of the other devices that it asks."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Joining = Literal["compare", "first", "fuse"]
"""What becomes of several answers: see the setting `network_joining`."""


class AskingWishes(msgspec.Struct, frozen=True, kw_only=True):
    """Stored with the conversation; whatever is not wished is as the settings say."""

    model: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    """Tag of the model that is to answer; None: any."""
    joining: Joining | None = None
    """What becomes of several answers; None: as in the settings."""


NO_WISHES = AskingWishes()
