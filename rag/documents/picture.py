"""Pictures of text: photographs and scans, read by a recogniser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rag.documents.parsed import ParsedDocument, Section
from rag.errors import DocumentTooLarge, RecognitionGaveUp, ScannedDocument
from rag.recognition.pictures import frames
from rag.recognition.protocol import GoingOn, RecognitionFailed, TextRecogniser

LIMIT_BYTES = 128 * 1024 * 1024


def read_picture(
    path: Path, title: str, recogniser: TextRecogniser | None, going_on: GoingOn
) -> ParsedDocument:
    """Read the text in a picture, or in each page of a TIFF.

    Raises:
        ScannedDocument: Nothing on this device reads pictures.
        DocumentTooLarge: It is larger than `LIMIT_BYTES`.
        RecognitionGaveUp: From the sections: no page of it can be read.
    """
    if recogniser is None:
        raise ScannedDocument(title, "no recogniser")
    if (size := path.stat().st_size) > LIMIT_BYTES:
        raise DocumentTooLarge(title, size, LIMIT_BYTES)
    return ParsedDocument(title, None, _sections(path, title, recogniser, going_on))


def _sections(path: Path, name: str, recogniser: TextRecogniser, going_on: GoingOn) -> Iterator[Section]:
    read = failed = 0
    try:
        for number, frame in enumerate(frames(path.read_bytes()), 1):
            try:
                text = recogniser.recognise(frame, going_on)
                read += 1
            except RecognitionFailed:
                failed += 1
                continue
            yield Section(text, page=number)
    except RecognitionFailed:
        failed += 1
    if failed and not read:
        raise RecognitionGaveUp(name)
