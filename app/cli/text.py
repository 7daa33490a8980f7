"""Text as the terminal gives it and takes it."""

from __future__ import annotations

import sys

import msgspec

from app.core.foreign_text import harmless


def readable(text: str) -> str:
    """The text without what is no text: bytes of an argument that are not UTF-8 become question marks."""
    return text.encode(errors="replace").decode()


def printable(text: str) -> str:
    """What others, documents or models have written, without anything that a terminal obeys."""
    return harmless(readable(text))


def dim(text: str) -> str:
    """The text for standard error in a fainter colour, where a terminal shows it."""
    return f"\x1b[2m{text}\x1b[22m" if sys.stderr.isatty() else text


def print_json(value: object) -> None:
    """Print a value as one JSON document; dataclasses and paths are understood."""
    encoded = msgspec.json.encode(value, enc_hook=str)
    sys.stdout.buffer.write(msgspec.json.format(encoded, indent=2) + b"\n")
    sys.stdout.flush()


def print_line(value: object) -> None:
    """Print a value as one line of JSON, at once: for programs that read while it goes on."""
    sys.stdout.buffer.write(msgspec.json.encode(value, enc_hook=str) + b"\n")
    sys.stdout.flush()


def show_progress(text: str) -> None:
    """Write over the last line of a terminal; an empty text clears it. Nothing where no terminal is."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[2K{text}")
        sys.stderr.flush()
