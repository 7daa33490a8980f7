"""The graphics cards that xllamacpp can use; `python -m engines.xllamacpp.graphics` prints them."""

from __future__ import annotations

from engines.graphics import GraphicsCard
from engines.llama_cpp.graphics import GRAPHICS_TYPES, print_cards
from engines.xllamacpp.server import load_library


def find_cards() -> tuple[GraphicsCard, ...]:
    """The cards of this device; none where the wheel was built without support for any.

    Raises:
        EngineUnavailable: xllamacpp is not installed, or does not load here.
    """
    return tuple(
        GraphicsCard(device["name"].rstrip("0123456789"), device["description"], device["memory_total"])
        for device in load_library().get_device_info()
        if int(device["type"]) in GRAPHICS_TYPES
    )


if __name__ == "__main__":
    print_cards(find_cards)
