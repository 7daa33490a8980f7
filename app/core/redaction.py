"""Words that stay on this device: a placeholder leaves in their place, and they come back in the answer.

What a pattern can find is found: addresses of mail, numbers of telephones, cards, accounts and persons, in
Latin, Persian and Arabic digits. Names cannot be told from other words by a pattern; they are hidden where
the user names them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Hidden(StrEnum):
    """What a placeholder stands for; the value is the word that others see in it."""

    MAIL = "MAIL"
    ACCOUNT = "ACCOUNT"
    CARD = "CARD"
    PHONE = "PHONE"
    NUMBER = "NUMBER"
    NAME = "NAME"
    """Words that the user has named."""


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One hidden text, the same wherever it stands."""

    mark: str
    """What others see, such as [MAIL-1]."""
    kind: Hidden
    text: str


@dataclass(frozen=True, slots=True)
class Redacted:
    """Texts without what was hidden."""

    texts: tuple[str, ...]
    placeholders: tuple[Placeholder, ...]


_DIGITS = str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩", "01234567890123456789")
_LETTERS = str.maketrans("يىك", "ییک")
_INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u202a-\u202e\u2066-\u2069\u00ad"
_GAP = rf"[ \u00a0\u2009\u202f.\-\u2010-\u2013/()+{_INVISIBLE}]"

_MAIL = re.compile(r"[^\W_][\w.+%'\-]{0,63}@(?:[^\W_](?:[\w\-]{0,62})\.)+[^\W\d_]{2,24}")
_IBAN = re.compile(rf"(?<![^\W_])[A-Za-z]{{2}}{_GAP}{{0,2}}\d{{2}}(?:{_GAP}?[A-Za-z0-9]){{11,30}}(?![^\W_])")
_NUMBER = re.compile(rf"(?<!\w)\+?\(?\d(?:{_GAP}{{0,3}}\d){{5,24}}(?!\w)")
_DATE = re.compile(r"(?:\d{4}[./\-]\d{1,2}[./\-]\d{1,2}|\d{1,2}[./\-]\d{1,2}[./\-]\d{4})")
_AMOUNT = re.compile(r"\d{1,3}(?:\.\d{3})+|\d+\.\d+")
_MARK = re.compile(r"\[\s*(MAIL|ACCOUNT|CARD|PHONE|NUMBER|NAME)\s*-\s*([0-9۰-۹٠-٩]{1,4})\s*\]", re.IGNORECASE)
_ADDRESS = re.compile(r":/|www\.", re.IGNORECASE)
_UNFINISHED = re.compile(r"\[[A-Za-z0-9۰-۹\s\-]{0,12}\Z")

_CARD_DIGITS = range(13, 20)
_PHONE_DIGITS = range(7, 16)


def redact(texts: Sequence[str], names: Sequence[str] = (), *, patterns: bool = True) -> Redacted:
    """Hide these words of the user's, in every spelling, and with `patterns` what can be found without them.

    The same text gets the same placeholder everywhere, so that the question keeps its sense.
    """
    placeholders: dict[tuple[Hidden, str], Placeholder] = {}
    counts: dict[Hidden, int] = dict.fromkeys(Hidden, 0)

    def mark(kind: Hidden, text: str) -> str:
        key = kind, _comparable(text)
        if key not in placeholders:
            counts[kind] += 1
            placeholders[key] = Placeholder(f"[{kind}-{counts[kind]}]", kind, text)
        return placeholders[key].mark

    hidden = []
    for text in texts:
        parts = []
        at = 0
        for start, end, kind in _found(text, names, patterns=patterns):
            parts += [text[at:start], mark(kind, text[start:end])]
            at = end
        hidden.append("".join([*parts, text[at:]]))
    return Redacted(tuple(hidden), tuple(placeholders.values()))


def restore(text: str, placeholders: Sequence[Placeholder], *, unfinished: bool = False) -> str:
    """The text with what was hidden in its place again; models change case and digits of placeholders.

    In an address of the web they stay hidden: a tap on the link would take them to whoever wrote it.

    Args:
        unfinished: the text goes on: a placeholder that may only have begun is left out for now.
    """
    if not placeholders:
        return text
    by_mark = {placeholder.mark: placeholder.text for placeholder in placeholders}

    def back(found: re.Match[str]) -> str:
        if surroundings.in_address(found.start()):
            return found.group()
        mark = f"[{found.group(1).upper()}-{int(found.group(2).translate(_DIGITS))}]"
        return by_mark.get(mark, found.group())

    if unfinished and (begun := _UNFINISHED.search(text)):
        text = text[: begun.start()]
    surroundings = _Surroundings(text)
    return _MARK.sub(back, text)


class _Surroundings:
    """Tells whether places stand in addresses of the web. They are asked for from left to right: a text is
    read once, however many places a stranger has put into it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._word = False
        """Whether the word up to here has the beginning of an address."""
        self._brackets: bool | None = None
        """The same of what is between < and here; None outside of such."""

    def in_address(self, place: int) -> bool:
        """Whether the letter at this place belongs to an address."""
        passed, self._at = self._text[self._at : place], place
        words = passed.split() or [""]
        if passed[-1:].isspace():
            self._word = False
        elif len(words) > 1 or passed[:1].isspace():
            self._word = bool(_ADDRESS.search(words[-1]))
        else:
            self._word = self._word or bool(_ADDRESS.search(passed))
        opened, closed = passed.rfind("<"), max(passed.rfind(">"), passed.rfind("\n"))
        if opened > closed:
            self._brackets = bool(_ADDRESS.search(passed, opened))
        elif closed >= 0:
            self._brackets = None
        elif self._brackets is not None:
            self._brackets = self._brackets or bool(_ADDRESS.search(passed))
        return self._word or bool(self._brackets)


def _found(text: str, names: Sequence[str], *, patterns: bool) -> Iterator[tuple[int, int, Hidden]]:
    """Places of what is to be hidden: in order, none inside another. What the user names comes first."""
    plain = text.translate(_DIGITS)  # letter for letter: places stay the same
    spans: list[tuple[int, int, Hidden]] = []

    def add(start: int, end: int, kind: Hidden) -> None:
        if all(end <= other_start or start >= other_end for other_start, other_end, _ in spans):
            spans.append((start, end, kind))

    for name in sorted({" ".join(name.split()) for name in names}, key=len, reverse=True):
        if name:
            for found in _pattern_of(name).finditer(plain):
                add(*found.span(), Hidden.NAME)
    if not patterns:
        yield from sorted(spans)
        return
    for found in _MAIL.finditer(plain):
        add(*found.span(), Hidden.MAIL)
    for found in _IBAN.finditer(plain):
        if (end := _account_end(found)) is not None:
            add(found.start(), end, Hidden.ACCOUNT)
    for found in _NUMBER.finditer(plain):
        if (kind := _kind_of_number(found.group())) is not None:
            add(*found.span(), kind)
    yield from sorted(spans)


def _pattern_of(name: str) -> re.Pattern[str]:
    """The words of a name, whatever blanks, case and kinds of ye and kaf they are written with."""
    letters = {"ي": "[یيى]", "ی": "[یيى]", "ى": "[یيى]", "ك": "[کك]", "ک": "[کك]", " ": r"[\s\u200c]+"}
    spelled = "".join(letters.get(letter, re.escape(letter)) for letter in name.translate(_DIGITS))
    return re.compile(rf"(?<!\w){spelled}(?!\w)", re.IGNORECASE)


def _kind_of_number(text: str) -> Hidden | None:
    digits = "".join(letter for letter in text if letter.isdigit())
    if _DATE.fullmatch(text) or _AMOUNT.fullmatch(text) or (len(digits) < 7 and digits != text):
        return None  # a day, an amount, or a few numbers beside each other
    if len(digits) in _CARD_DIGITS and _luhn(digits):
        return Hidden.CARD
    if len(digits) in _PHONE_DIGITS and (text.lstrip().startswith(("+", "(")) or digits.startswith("0")):
        return Hidden.PHONE
    return Hidden.NUMBER


def _luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


def _account_end(found: re.Match[str]) -> int | None:
    """Where the account ends: words after it look like a part of it."""
    ends = [found.end(), *(gap.start() for gap in re.finditer(_GAP, found.group()))]
    ends[1:] = [found.start() + end for end in reversed(ends[1:])]
    return next((end for end in ends if _is_account(found.string[found.start() : end])), None)


def _is_account(text: str) -> bool:
    """ISO 13616: the letters as numbers, modulo 97, are 1."""
    letters = "".join(letter for letter in text.upper() if letter.isascii() and letter.isalnum())
    if not 15 <= len(letters) <= 34:
        return False
    turned = letters[4:] + letters[:4]
    return int("".join(str(int(letter, 36)) for letter in turned)) % 97 == 1


def _comparable(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_DIGITS).translate(_LETTERS)
    return "".join(letter for letter in folded if unicodedata.category(letter) not in ("Cf", "Zs"))
