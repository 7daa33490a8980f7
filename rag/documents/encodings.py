"""The encoding of a text file, found by its bytes.

A mark at its start knows best, UTF-8 cannot be mistaken for anything else, and of the old encodings those
that people here have are told apart by the letters that are frequent in their languages. (charset-normalizer
knows a hundred more, and therefore takes two words of Persian for Icelandic or Russian.)
"""

from __future__ import annotations

import codecs
import io
import re
from pathlib import Path
from typing import BinaryIO

from rag.errors import DocumentDamaged

_BLOCK = 1 << 20
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: it starts with the same two bytes
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL_BYTES = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_MOST_CONTROL = 100
"""One control byte in a hundred is an accident; more of them are no text."""
_MOST_FAULTS = 20
"""One fault in twenty letters beyond ASCII: still UTF-8, with damage; more of them are another encoding."""

_WORD_BEYOND_ASCII = re.compile(rb"[\x80-\xff]{3,}")
"""Arabic and Cyrillic words are whole runs of such bytes; in Western words they stand among ASCII letters."""
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
_WESTERN = "cp1252"
_ARABIC_LETTERS = "اليكنموهرتبدسعف"
_FREQUENT = {
    encoding: frozenset(letters.encode(encoding))
    for encoding, letters in {
        "cp1256": _ARABIC_LETTERS,
        "iso8859_6": _ARABIC_LETTERS,
        "cp1251": "оеаинтсрвлкмду",
    }.items()
}


def is_text(start: bytes) -> bool:
    """Whether a file of unknown kind that starts so is text: UTF-8, or another encoding with its mark."""
    if mark_of(start):
        return True
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)  # may end within a letter
    except UnicodeDecodeError:
        return False
    return b"\0" not in start and len(_CONTROL_BYTES.findall(start)) * _MOST_CONTROL <= len(start)


def mark_of(start: bytes) -> str | None:
    """The encoding that a byte order mark at the start names."""
    return next((encoding for mark, encoding in _BYTE_ORDER_MARKS if start.startswith(mark)), None)


def encoding_of(path: Path, name: str) -> str:
    """The encoding of a text file, from all of its bytes: by a mark, else UTF-8, else an old one.

    Raises:
        DocumentDamaged: The content is no text.
    """
    with path.open("rb") as file:
        return _encoding(file, name)


def encoding_in(content: bytes, name: str) -> str:
    """The encoding of a text in memory; as `encoding_of`."""
    return _encoding(io.BytesIO(content), name)


def _encoding(file: BinaryIO, name: str) -> str:
    start = file.read(_BLOCK)
    if marked := mark_of(start):
        return marked
    if unmarked := _unmarked_utf16(start):
        return unmarked
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    size = control = faults = beyond_ascii = 0
    sample = b""
    block = start
    while block:
        if b"\0" in block:
            raise DocumentDamaged(name, "binary content")
        text = decoder.decode(block)
        size += len(block)
        control += len(_CONTROL_BYTES.findall(block))
        faults_here = text.count("\ufffd")
        if faults_here and not faults:
            sample = block
        faults += faults_here
        beyond_ascii += len(text) - len(text.encode("ascii", "ignore"))
        block = file.read(_BLOCK)
    faults += len(decoder.decode(b"", final=True))
    if control * _MOST_CONTROL > size:
        raise DocumentDamaged(name, "binary content")
    return "utf-8" if faults * _MOST_FAULTS <= beyond_ascii else old_encoding(sample or start)


def old_encoding(sample: bytes) -> str:
    """The encoding of text that is not UTF-8, for Persian and Arabic, Western or Russian letters."""
    words = b"".join(_WORD_BEYOND_ASCII.findall(sample))
    if len(words) * 2 < len(_BEYOND_ASCII.findall(sample)):
        return _WESTERN
    return max(
        _FREQUENT, key=lambda encoding: sum(map(words.count, (bytes([b]) for b in _FREQUENT[encoding])))
    )


def _unmarked_utf16(start: bytes) -> str | None:
    """UTF-16 without a mark, known by the zero halves of its spaces, digits and line ends."""
    sample = start[:4096]
    low, high = sample[0::2], sample[1::2]
    if high.count(0) * 10 > len(high) and 0 not in low:
        encoding = "utf-16-le"
    elif low.count(0) * 10 > len(low) and 0 not in high:
        encoding = "utf-16-be"
    else:
        return None
    try:
        text = sample[: len(sample) & ~1].decode(encoding)
    except UnicodeDecodeError:
        return None
    return encoding if sum(map(str.isprintable, text)) * 10 > len(text) * 8 else None
