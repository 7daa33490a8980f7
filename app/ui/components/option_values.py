"""Values of options as people read and write them."""

from __future__ import annotations

import math
import unicodedata

from app.core.errors import OptionError, OptionInvalid, OptionOutOfRange, OptionsConflict
from app.core.strings import Strings

_ESCAPES = (("\\", "\\\\"), ("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r"))
_POINTS = str.maketrans("٫،", "..", "٬,")


def number_text(strings: Strings, value: float | None) -> str:
    """A number for a field: no marks of thousands, which would be in the way of writing."""
    return "" if value is None else strings.exact(value).replace("٬", "").replace(",", "")


def read_number(name: str, text: str, *, whole: bool) -> int | float | None:
    """What somebody has written, in whatever digits; nothing is `None`.

    Raises:
        OptionInvalid: it is no number, or no whole one.
    """
    digits = (unicodedata.decimal(letter, None) for letter in text)
    written = "".join(
        letter if digit is None else str(digit) for letter, digit in zip(text, digits, strict=True)
    )
    written = written.translate(_POINTS).replace("−", "-").replace(",", "" if whole else ",").strip()
    if not written:
        return None
    try:
        number = float(written)
    except ValueError:
        raise OptionInvalid(name) from None
    if not math.isfinite(number) or (whole and not number.is_integer()):
        raise OptionInvalid(name)
    return int(written) if whole and written.lstrip("+-").isdigit() else int(number) if whole else number


def shown(text: str) -> str:
    """A text in one line: what cannot be seen is written as \\n and the like."""
    for letter, escape in _ESCAPES:
        text = text.replace(letter, escape)
    return text


def meant(text: str) -> str:
    """The text that was written like `shown` would write it."""
    return "\\".join(
        part.replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r") for part in text.split("\\\\")
    )


def problem(strings: Strings, error: OptionError) -> str:
    """What is wrong with a value, for the line below its field."""
    match error:
        case OptionOutOfRange(least=least, most=most):
            return strings("option.between", least=strings.exact(least), most=strings.exact(most))
        case OptionsConflict(other=other):
            return strings("option.conflict", other=strings(f"option.{other}"))
        case OptionInvalid():
            return strings("option.invalid")
    return strings.error(error)
