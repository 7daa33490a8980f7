"""What of a passage is embedded and indexed.

A vector of 800 characters is a mean of all that they say, and a question often asks for one of it. So the
parts of a passage are embedded beside the whole, and a passage is as near to a question as the nearest of
them (MaxP: Dai and Callan, "Deeper Text Understanding for IR with Contextual Neural Language Modeling",
2019). What is found, cited and shown is always the whole passage, in which the part is understood. It costs
twice the embedding and three vectors instead of one; docs/benchmarks.md says what that buys.
"""

from __future__ import annotations

from rag.chunking import split
from rag.documents.parsed import Section

SCHEME = "parts400"
"""Stored with the embedder: a change of the numbers below must change it, so that all is embedded anew."""
_CHARACTERS = 400
_OVERLAP = 80
_SHORT = 480
"""A passage up to this has no parts: the second would be a scrap."""
MOST_PARTS = 4
"""The whole counted in."""


def searchable_text(text: str, heading: str | None) -> str:
    """The passage, or a part of it, under its heading if it does not begin with it.

    The second passage of a section would otherwise not be found by what the section is about.
    """
    return text if not heading or text.startswith(heading) else f"{heading}\n{text}"


def embedded_parts(text: str, heading: str | None) -> list[str]:
    """The texts whose vectors stand for a passage: the whole first; `MOST_PARTS` at most."""
    if len(text) <= _SHORT:
        return [searchable_text(text, heading)]
    size = max(_CHARACTERS, len(text) // (MOST_PARTS - 2))
    found = [chunk.text for chunk in split([Section(text, None, heading)], size, _OVERLAP)]
    last = MOST_PARTS - 2
    parts = [text, *found[:last], "\n".join(found[last:])]
    return [searchable_text(part, heading) for part in parts if part]
