"""The seam to whatever reads text in pictures.

To add a recogniser:

1. write a class with the members of `TextRecogniser`; nothing is inherited from;
2. call `going_on` at least twice a second while it works, and end all work when that raises;
3. return it from `rag.recognition.finding.find_recogniser` where it can be used;
4. run `tests/rag/test_recognition.py` against it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

GoingOn = Callable[[], None]
"""Raises what ends the work when nobody wants it any more."""


class RecognitionFailed(Exception):
    """This one picture cannot be read; others may."""


class TextRecogniser(Protocol):
    """Reads the text in pictures. Blocks: call it off the event loop, from one thread at a time."""

    @property
    def name(self) -> str:
        """The program and its languages, for who looks for what is installed."""
        ...

    def recognise(self, picture: bytes, going_on: GoingOn) -> str:
        """The text in a picture in reading order, paragraphs a blank line apart; "" where there is none.

        Args:
            picture: A file of PNG, JPEG, TIFF, WebP, BMP or PNM.
            going_on: Whatever it raises is passed on.

        Raises:
            RecognitionFailed: The picture is broken, too large, or takes too long.
        """
        ...
