"""Tesseract, as a child process for each picture.

Both languages at once would find Latin letters in Persian words, so each language reads alone and the surer
one is believed; the language of one page is tried first on the next.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from rag.recognition.pictures import straightened
from rag.recognition.protocol import GoingOn, RecognitionFailed

LANGUAGES = ("fas", "eng")
_SECONDS = 180.0
"""For one picture."""
_LOOK_SECONDS = 0.2
_SURE = 80.0
"""Percent; a page that is read so surely is in this language."""
_WORD = "5"
"""Level of words in Tesseract's tables."""
_COLUMNS = 12


class _Reading(NamedTuple):
    text: str
    sureness: float
    """In percent, of the average letter."""


class Tesseract:
    """Reads with the program at a path, in those of `LANGUAGES` that it has."""

    def __init__(self, program: str, languages: Sequence[str]) -> None:
        self._program = program
        self._languages = list(languages)

    @property
    def name(self) -> str:
        """See `TextRecogniser.name`."""
        return f"Tesseract ({', '.join(sorted(self._languages))})"

    def recognise(self, picture: bytes, going_on: GoingOn) -> str:
        """See `TextRecogniser.recognise`."""
        going_on()
        straight = straightened(picture)
        best = _Reading("", -1.0)
        for language in list(self._languages):
            reading = _reading(self._run(straight, language, going_on))
            if reading.sureness > best.sureness:
                best = reading
                self._languages.remove(language)
                self._languages.insert(0, language)
            if best.sureness >= _SURE:
                break
        return best.text

    def _run(self, picture: bytes, language: str, going_on: GoingOn) -> str:
        command = [self._program, "-", "-", "-l", language, "--psm", "3", "tsv"]
        end = time.monotonic() + _SECONDS
        # From a file: the rest of what a slow reader has not taken from a pipe in time would never be sent.
        try:
            with tempfile.TemporaryFile() as given:
                given.write(picture)
                given.seek(0)
                process = subprocess.Popen(  # noqa: S603 - a picture on its standard input, nothing else
                    command,
                    stdin=given,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    env={**os.environ, "OMP_THREAD_LIMIT": "1"},
                    creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                )
        except OSError as error:
            raise RecognitionFailed(type(error).__name__) from error
        with process:
            try:
                while True:
                    try:
                        output, _ = process.communicate(timeout=_LOOK_SECONDS)
                        break
                    except subprocess.TimeoutExpired:
                        going_on()
                        if time.monotonic() > end:
                            raise RecognitionFailed("takes too long") from None
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            raise RecognitionFailed(f"status {process.returncode}")
        return output.decode("utf-8", "replace")


def languages_of(program: str) -> list[str]:
    """Those of `LANGUAGES` that the program has data for; none where it cannot be run."""
    if sys.platform in ("android", "ios"):
        return []
    try:
        listed = subprocess.run(  # noqa: S603 - the program on the path
            [program, "--list-langs"],
            capture_output=True,
            timeout=20,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    found = (listed.stdout + listed.stderr).decode("utf-8", "replace").split()
    return [language for language in LANGUAGES if language in found]


def _reading(table: str) -> _Reading:
    """The text of a table of words, by lines and paragraphs, and how sure its letters are."""
    words = [
        cells
        for cells in (line.split("\t", _COLUMNS - 1) for line in table.splitlines()[1:])
        if len(cells) == _COLUMNS and cells[0] == _WORD and cells[11].strip()
    ]
    paragraphs = [
        "\n".join(
            " ".join(cells[11].strip() for cells in line)
            for _, line in groupby(paragraph, key=lambda cells: cells[4])
        )
        for _, paragraph in groupby(words, key=lambda cells: tuple(cells[1:4]))
    ]
    letters = sum(len(cells[11]) for cells in words)
    sureness = sum(float(cells[10]) * len(cells[11]) for cells in words) / letters if letters else 0.0
    return _Reading("\n\n".join(paragraphs), sureness)
