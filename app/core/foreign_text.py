"""Text that others have written, before it is shown."""

from __future__ import annotations

import re

_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f"
_TURNING = "\u202a-\u202e"
_ISOLATES = "\u2066-\u2069"
_COMMANDS = re.compile(f"[{_CONTROLS}{_TURNING}{_ISOLATES}]")
_COMMANDS_BUT_ISOLATES = re.compile(f"[{_CONTROLS}{_TURNING}]")
_OPEN, _CLOSE = "\u2066\u2067\u2068", "\u2069"
_UNSEEN = re.compile(
    f"[{_CONTROLS}{_TURNING}{_ISOLATES}"
    "\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028\u2029\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0"
    "\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""What nobody sees, but whoever reads the characters: letters of the tag block are a favourite way to hide
instructions from people. The joiners that Persian, Indic scripts and emoji are written with stay."""


def harmless(text: str) -> str:
    """The text without what a terminal obeys and what turns the text beside it round; it keeps its lines.

    Left out are the control characters of ISO/IEC 6429, but for tabulators and line breaks, and the
    embeddings, overrides and isolates of Unicode's bidirectional algorithm (UAX #9). The marks and joiners
    that Persian and Arabic are written with stay.
    """
    return _COMMANDS.sub("", text)


def harmless_part(text: str) -> str:
    """The same for a part of a sentence, in which isolates may stay that are closed again."""
    depth = 0
    for character in text:
        depth += (character in _OPEN) - (character == _CLOSE)
        if depth < 0:
            break
    return _COMMANDS_BUT_ISOLATES.sub("", text) if depth == 0 else harmless(text)


def visible(text: str) -> str:
    """The text with a sign in the place of each character that is not seen, such as `[U+202E]`.

    For whoever has to know exactly what there is: what is about to leave this device, say.
    """
    return _UNSEEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)
