"""Which recogniser this device has."""

from __future__ import annotations

import shutil

from rag.recognition.protocol import TextRecogniser
from rag.recognition.tesseract import Tesseract, languages_of

_known: dict[str, list[str]] = {}
"""Languages by program, as asking takes a moment; a program without any is asked again."""


def find_recogniser() -> TextRecogniser | None:
    """Tesseract, if it is on the path with data for Persian or English; else None.

    Looked for each time, so that who installs it need not start the app again.
    """
    program = shutil.which("tesseract")
    if program is None:
        return None
    languages = _known.get(program) or languages_of(program)
    if not languages:
        return None
    _known[program] = languages
    return Tesseract(program, languages)
