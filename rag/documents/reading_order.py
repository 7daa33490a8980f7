"""From the order in which a line is painted to the order in which it is read.

A line with right-to-left letters is painted by the Unicode Bidirectional Algorithm (UAX #9): reordered, with
words of Latin letters and numbers running left to right. This is the way back. It is exact where the painted
line allows one reading only; where it allows two ("Python 3" after Persian words may have been "3 Python"),
it takes the more usual one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_RIGHT_TO_LEFT = frozenset({"R", "AL"})
_NUMBERS = frozenset({"EN", "AN"})
_BRACKETS = {"(": ")", "[": "]", "{": "}", "«": "»", "<": ">"}
_MIRRORED = _BRACKETS | {closing: opening for opening, closing in _BRACKETS.items()}

# Units stand behind their number, so "GB 8" was painted for "8 GB".
_UNITS = frozenset(
    {"kb", "mb", "gb", "tb", "kib", "mib", "gib", "mm", "cm", "m", "km", "mg", "g", "kg", "ml", "l"}
    | {"hz", "khz", "mhz", "ghz", "v", "kv", "w", "kw", "mw", "kwh", "a", "ma", "mah", "s", "ms", "min", "h"}
)
_UNIT_AND_NUMBER = re.compile(r"([A-Za-z]+)(\s+)([0-9۰-۹٠-٩][0-9۰-۹٠-٩.,٫٬]*)")


def direction(text: str) -> int:
    """Words written from left to right, less those from right to left, in a text in any order.

    Words, not letters: one address in Latin letters is as long as half a Persian sentence.
    """
    balance = 0
    for word in text.split():
        kinds = [unicodedata.bidirectional(letter) for letter in word]
        left, right = kinds.count("L"), sum(kind in _RIGHT_TO_LEFT for kind in kinds)
        balance += (left > right) - (left < right)
    return balance


def has_right_to_left(text: str) -> bool:
    """Whether there is a letter of Persian, Arabic, Hebrew and the like."""
    return any(unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT for letter in text)


def logical_text(painted: Sequence[str], *, right_to_left: bool, mirrored: bool = True) -> str:
    """A line as it is read.

    Args:
        painted: The texts of its glyphs from left to right; one glyph may stand for several letters, which
            are in reading order themselves.
        right_to_left: The direction of the paragraph that the line belongs to.
        mirrored: Brackets are given as they look, "(" opens to the right. Some programs give what was typed.
    """
    if not any(has_right_to_left(piece) for piece in painted):
        return "".join(painted)
    kinds = [_kind(piece) for piece in painted]
    if right_to_left:
        return "".join(_reversed(painted, kinds, mirrored=mirrored))
    # In a left-to-right paragraph only the right-to-left runs are turned.
    parts: list[str] = []
    index = 0
    while index < len(painted):
        if kinds[index] not in (*_RIGHT_TO_LEFT, *_NUMBERS):
            parts.append(painted[index])
            index += 1
            continue
        end = _end_of_run(kinds, index)
        run = slice(index, end)
        if _RIGHT_TO_LEFT.isdisjoint(kinds[run]):
            parts += painted[run]
        else:
            parts += _reversed(painted[run], kinds[run], mirrored=mirrored)
        index = end
    return "".join(parts)


def nesting_faults(text: str) -> int:
    """How many brackets of a text in reading order close before they open."""
    open_brackets: list[str] = []
    faults = 0
    for letter in text:
        if letter in _BRACKETS:
            open_brackets.append(_BRACKETS[letter])
        elif letter in _MIRRORED:
            if open_brackets and open_brackets[-1] == letter:
                open_brackets.pop()
            else:
                faults += 1
    return faults


def _kind(piece: str) -> str:
    """Bidirectional class of a glyph: that of its first letter which is no mark."""
    for letter in piece:
        if (kind := unicodedata.bidirectional(letter)) != "NSM":
            return kind
    return "ON"


def _end_of_run(kinds: Sequence[str], start: int) -> int:
    """Behind the last letter or number before the next left-to-right letter."""
    end = start + 1
    for index in range(start, len(kinds)):
        if kinds[index] == "L":
            break
        if kinds[index] in _RIGHT_TO_LEFT or kinds[index] in _NUMBERS:
            end = index + 1
    return end


def _reversed(painted: Sequence[str], kinds: Sequence[str], *, mirrored: bool) -> list[str]:
    """A right-to-left run, turned; what runs left to right in it keeps its order."""
    parts: list[str] = []
    index = 0
    while index < len(painted):
        if kinds[index] == "L" or kinds[index] in _NUMBERS:
            end = _end_of_island(painted, kinds, index)
            parts.append(_unit_behind_number("".join(painted[index:end])))
        else:
            end = index + 1
            piece = painted[index]
            parts.append(_MIRRORED.get(piece, piece) if mirrored else piece)
        index = end
    return parts[::-1]


def _end_of_island(painted: Sequence[str], kinds: Sequence[str], start: int) -> int:
    """End of the left-to-right island that starts here: a number, or words with all between them."""
    end = index = _end_of_number(kinds, start)
    if kinds[start] != "L" and not (end < len(kinds) and kinds[end] == "L"):
        return end
    expected: list[str] = []
    while index < len(kinds) and kinds[index] not in _RIGHT_TO_LEFT:
        piece = painted[index]
        if kinds[index] == "L" or kinds[index] in _NUMBERS:
            end = index + 1
        elif piece in _BRACKETS:
            expected.append(_BRACKETS[piece])
        elif expected and piece == expected[-1]:
            expected.pop()
            if end == index:  # the word before it is in the brackets
                end = index + 1
        index += 1
    return end


def _end_of_number(kinds: Sequence[str], start: int) -> int:
    """Behind a number; one separator (. , / :) between digits belongs to it."""
    index = start + 1
    if kinds[start] not in _NUMBERS:
        return index
    while index < len(kinds):
        if kinds[index] in _NUMBERS:
            index += 1
        elif kinds[index] == "CS" and index + 1 < len(kinds) and kinds[index + 1] in _NUMBERS:
            index += 2
        else:
            break
    return index


def _unit_behind_number(island: str) -> str:
    match = _UNIT_AND_NUMBER.fullmatch(island)
    if match and match[1].lower() in _UNITS:
        return match[3] + match[2] + match[1]
    return island
