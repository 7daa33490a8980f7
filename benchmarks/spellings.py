"""Other spellings of one Persian text, as keyboards and programs produce them."""

from __future__ import annotations

from collections.abc import Callable

_ARABIC_LETTERS = str.maketrans("یک", "يك")
_LATIN_DIGITS = str.maketrans("۰۱۲۳۴۵۶۷۸۹", "0123456789")

SPELLINGS: dict[str, Callable[[str], str]] = {
    "as-it-is": lambda text: text,
    "arabic-letters": lambda text: text.translate(_ARABIC_LETTERS),
    "joined": lambda text: text.replace("\u200c", ""),
    "apart": lambda text: text.replace("\u200c", " "),
    "latin-digits": lambda text: text.translate(_LATIN_DIGITS),
    "all": lambda text: text.translate(_ARABIC_LETTERS).translate(_LATIN_DIGITS).replace("\u200c", " "),
}
"""What `benchmarks/retrieval.py --written` takes."""
