"""Every sentence of the app, in every language it speaks.

The catalogues are `locales/<language>.json`: flat, dotted keys, values in braces. A key that
counts something has two entries, `<key>.one` and `<key>.other`. Missing, unused and differing
entries are found by `tests/app/test_strings.py`.
"""

from __future__ import annotations

import errno
import functools
import math
import re
import unicodedata
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from app.core.foreign_text import harmless_part
from app.core.jalali import jalali
from app.core.settings import Language

LOCALES = Path(__file__).resolve().parent.parent.parent / "locales"
RIGHT_TO_LEFT = frozenset({"fa"})

_PERSIAN_DIGITS = str.maketrans("0123456789.,", "۰۱۲۳۴۵۶۷۸۹٫٬")
_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"
_UNITS = ("bytes", "kilobytes", "megabytes", "gigabytes", "terabytes")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@functools.cache
def catalogue(language: Language) -> dict[str, str]:
    """All entries of one language."""
    return msgspec.json.decode((LOCALES / f"{language}.json").read_bytes(), type=dict[str, str])


def placeholders(text: str) -> frozenset[str]:
    """Names of the values that an entry needs."""
    return frozenset(_PLACEHOLDER.findall(text))


class Strings:
    """Looks up sentences and writes numbers, sizes and times in one language."""

    def __init__(self, language: Language = "en", *, persian_digits: bool = True) -> None:
        self.language: Language = language
        self.persian_digits = persian_digits and language == "fa"
        self.right_to_left = language in RIGHT_TO_LEFT
        self._entries = catalogue(language)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Strings):
            return NotImplemented
        return (self.language, self.persian_digits) == (other.language, other.persian_digits)

    def __hash__(self) -> int:
        return hash((self.language, self.persian_digits))

    def __call__(self, key: str, /, **values: object) -> str:
        """The sentence of a key, with its values filled in.

        Numbers are written in the language's digits; texts are isolated, so that a file name
        in the other direction cannot turn the sentence around it.

        Raises:
            KeyError: there is no such entry, or it needs a value that was not given.
        """
        if key not in self._entries and "count" in values:
            key = f"{key}.one" if values["count"] == 1 else f"{key}.other"
        shown = {name: self._shown(value) for name, value in values.items()}
        return _PLACEHOLDER.sub(lambda match: shown[match.group(1)], self._entries[key])

    def error(self, error: BaseException) -> str:
        """What went wrong and what to do about it, for the user."""
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            return self("errors.disk_full")
        known = (kind.__name__ for kind in type(error).__mro__ if f"errors.{kind.__name__}" in self._entries)
        return self.error_named(next(known, "Exception"), **vars(error))

    def error_named(self, class_name: str, /, **values: object) -> str:
        """The same for an error of which only the class name was kept, and perhaps some values."""
        key = f"errors.{class_name}"
        if key not in self._entries:
            return self._entries["errors.Exception"]
        if not placeholders(self._entries[key]) <= values.keys():
            key += ".brief"
        shown = {
            name: self.size(value)
            if isinstance(value, int) and (name == "bytes" or name.endswith("_bytes"))
            else self.exact(value)
            if isinstance(value, float)
            else value
            for name, value in values.items()
        }
        return self(key, **shown)

    def number(self, value: float, decimals: int = 0) -> str:
        """A number with thousands marks, and so many digits after the point."""
        text = f"{value:,.{decimals}f}"
        return text.translate(_PERSIAN_DIGITS) if self.persian_digits else text

    def exact(self, value: float) -> str:
        """A number with as many digits after the point as it has, at most four."""
        if isinstance(value, int):
            text = f"{value:,}"
            return text.translate(_PERSIAN_DIGITS) if self.persian_digits else text
        decimals = next((n for n in range(4) if math.isclose(round(value, n), value, abs_tol=1e-9)), 4)
        return self.number(value, decimals)

    def size(self, bytes: int) -> str:
        """A size as people say it, in decimal units: 1,500,000 bytes are 1.5 MB."""
        value, unit = float(bytes), 0
        while value >= 999.5 and unit < len(_UNITS) - 1:
            value, unit = value / 1000, unit + 1
        if unit == 0:
            return self("unit.bytes", count=bytes)
        decimals = 1 if unit >= 2 and value < 99.95 else 0
        return self(f"unit.{_UNITS[unit]}", number=self.number(value, decimals))

    def time(self, moment: datetime, now: datetime | None = None) -> str:
        """When something happened, as short as it is clear: a time today, else a day."""
        moment = moment.astimezone()
        now = (now or datetime.now().astimezone()).astimezone(moment.tzinfo)
        if moment.date() == now.date():
            return self._digits(f"{moment:%H:%M}")
        if moment.date() == (now - timedelta(days=1)).date():
            return self("time.yesterday")
        year, month, day = self._calendar(moment)
        values = {"day": day, "month": self(f"time.month.{month}")}
        if year == self._calendar(now)[0]:
            return self("time.day_month", **values)
        return self("time.day_month_year", **values, year=self._digits(str(year)))

    def clock(self, minute: int) -> str:
        """A time of the day, given in minutes since midnight."""
        return self._digits(f"{minute // 60:02}:{minute % 60:02}")

    def time_left(self, seconds: float) -> str:
        """How long something will still take, no more exact than anybody can know."""
        if seconds < 60:
            return self("time.left.soon")
        if seconds < 90 * 60:
            return self("time.left.minutes", count=round(seconds / 60))
        return self("time.left.hours", count=round(seconds / 3600))

    def isolate(self, text: str) -> str:
        """A text that keeps its own direction wherever it is put, and cannot turn what stands beside it."""
        text = harmless_part(text)
        needed = any(
            (unicodedata.bidirectional(character) in ("R", "AL")) != self.right_to_left
            for character in text
            if unicodedata.bidirectional(character) in ("L", "R", "AL")
        )
        return f"{_FIRST_STRONG_ISOLATE}{text}{_POP_ISOLATE}" if needed else text

    def _calendar(self, moment: datetime) -> tuple[int, int, int]:
        """Year, month and day, by the calendar of the language."""
        if self.language == "fa":
            return jalali(moment.date())
        return moment.year, moment.month, moment.day

    def _shown(self, value: object) -> str:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return self.isolate(str(value))
        return self.number(value)

    def _digits(self, text: str) -> str:
        return text.translate(_PERSIAN_DIGITS) if self.persian_digits else text
