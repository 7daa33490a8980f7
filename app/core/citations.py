"""Citations are checked in code: a model's [3] counts only where source 3 exists."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from app.core.messages import Citation

MOST_CITED = 99
"""The highest number that can be cited."""

_DIGITS = str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩", "01234567890123456789")
_MARK = re.compile(r"\[\s*(\d{1,2}(?:\s*[,،]\s*\d{1,2})*)\s*\](?!\()")
_SPACED_MARK = re.compile(rf"([ \t]?){_MARK.pattern}")
_AFTER_A_WORD = (*".,;:!?)،؛؟» \n", "")
_FENCE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)


def cited_numbers(text: str) -> tuple[int, ...]:
    """The numbers an answer cites as [1], [2, 3] or [۴], in order, without repeats.

    Brackets in code and Markdown links are not citations.
    """
    found: dict[int, None] = {}
    for mark in _MARK.finditer(_FENCE.sub(" ", text).translate(_DIGITS)):
        for number in re.findall(r"\d+", mark.group(1)):
            found[int(number)] = None
    return tuple(found)


def cited(text: str, sources: Sequence[Citation]) -> tuple[Citation, ...]:
    """The sources that the answer really cites, in the order it cites them.

    A number without a source is dropped. Small models often forget to cite: an answer that
    cites nothing rests on the best source only where it repeats it, see `supporting`. What other
    devices gave is kept whole and in its order: each of them has already said that its answer rests on it.
    """
    if any(source.given_by for source in sources):
        return tuple(sources)
    by_number = {source.number: source for source in sources}
    named = tuple(by_number[number] for number in cited_numbers(text) if number in by_number)
    return named or supporting(text, sources)


def renumbered(text: str, numbers: Mapping[int, int | None]) -> str:
    """The text with other numbers in its citations; one that becomes None is left out of them.

    Numbers that are not named stay, and so does what stands in code. Digits keep their script.
    """
    if all(old == new for old, new in numbers.items()):
        return text

    def mark(found: re.Match[str]) -> str:
        new: dict[str, None] = {}
        space, cites = found.groups()
        for written in re.findall(r"\d+", cites):
            number = int(written)
            if number not in numbers:
                new.setdefault(written)
            elif (other := numbers[number]) is not None:
                new.setdefault(_in_script_of(written, other))
        separator = next((sign for sign in "،," if sign in cites), ",") + " "
        if new:
            return f"{space}[{separator.join(new)}]"
        return "" if found.string[found.end() : found.end() + 1] in _AFTER_A_WORD else space

    parts: list[str] = []
    end = 0
    for code in _FENCE.finditer(text):
        parts += [_SPACED_MARK.sub(mark, text[end : code.start()]), code.group()]
        end = code.end()
    return "".join([*parts, _SPACED_MARK.sub(mark, text[end:])])


def supporting(text: str, sources: Sequence[Citation], share: float = 0.5) -> tuple[Citation, ...]:
    """The source that most of the answer's words come from, if there is one.

    Counts the answer's longer words; at least `share` of them, and no fewer than four, must
    stand in the source.
    """
    words = _words(text)
    if len(words) < 4:
        return ()
    best: Citation | None = None
    best_count = 0
    for source in sources:
        count = len(words & _words(source.text))
        if count > best_count:
            best, best_count = source, count
    return (best,) if best and best_count >= max(4, share * len(words)) else ()


def _words(text: str) -> set[str]:
    return {word for word in re.findall(r"\w+", text.casefold().translate(_DIGITS)) if len(word) > 3}


def _in_script_of(sample: str, number: int) -> str:
    zero = ord(sample[0]) - int(sample[0])
    return "".join(chr(zero + int(digit)) for digit in str(number))
