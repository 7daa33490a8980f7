"""Which way a text runs."""

from __future__ import annotations

import re
import unicodedata

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|\$\$.*?(?:\$\$|\Z)", re.DOTALL)


def is_right_to_left(text: str) -> bool:
    """Whether the first strong character is a right-to-left one (UAX #9, rules P2 and P3).

    Code and formulas do not count: they always run left to right.
    """
    for character in _CODE.sub("", text):
        direction = unicodedata.bidirectional(character)
        if direction in ("R", "AL"):
            return True
        if direction == "L":
            return False
    return False
