"""Which recogniser this device has."""

from __future__ import annotations

import shutil
from functools import lru_cache

from rag.recognition.protocol import TextRecogniser
from rag.recognition.tesseract import Tesseract, languages_of


def find_recogniser() -> TextRecogniser | None:
    """Tesseract, if it is on the path with data for Persian or English; else None.

    Looked for each time, so that who installs it need not start the app again.
    """
    program = shutil.which("tesseract")
    if program is None:
        return None
    languages = _languages(program)
    return Tesseract(program, languages) if languages else None


@lru_cache(maxsize=4)
def _languages(program: str) -> tuple[str, ...]:
    return tuple(languages_of(program))
