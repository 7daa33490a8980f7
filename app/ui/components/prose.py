"""The prose of an answer, written so that the Markdown control shows it as it is meant."""

from __future__ import annotations

import re

from app.core.formula_text import formula_text

_BLOCKS = r"^[ ]{0,8}(?P<fence>`{3,}|~{3,}).*?(?:^[ ]{0,8}(?P=fence)|\Z)|\$\$.+?(?:\$\$|\Z)|\\\[.+?\\\]"
_CODE_OR_FORMULA = re.compile(
    rf"(?P<block>{_BLOCKS})|(?P<code>`+[^`\n]*`+)|\\\((?P<round>[^\n]+?)\\\)"
    r"|\$(?P<dollar>(?![\s$])[^$\n]*?[^\s$\\])\$(?![\d$])|(?P<amount>(?<![\\$])\$(?!\$))",
    re.DOTALL | re.MULTILINE,
)
_PLAIN_LINE = re.compile(r"(?![ ]*(?:[|>#]|[-*+][ ]|\d+[.)][ ]))")
_BULLET = re.compile(r"^([ ]*)[•●▪◦‣][ \t]*", re.MULTILINE)
_NUMBERED = re.compile(r"(?<=[^\s\\])[ ]*\n(?=[ ]{0,3}[۰-۹٠-٩]{1,3}[.)\-][ ])")
_LATIN_END = re.compile(
    r"(?P<kept>`+[^`\n]*`+|\]\([^)\n]*\)|https?://\S+)|(?<=[A-Za-z0-9])(?P<signs>\+\+|[+#]|\(\))(?![\w(])"
)
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~$#])")
_VARIABLE = re.compile(r"(?<![A-Za-zͰ-Ͽ\\])[A-Za-z](?![A-Za-zͰ-Ͽ])")

_LEFT_TO_RIGHT, _END = "\u2066", "\u2069"
_MARK = "\u200e"
_SHORT = 24
"""A formula of at most so many characters is not broken at the end of a line."""


def prepared(text: str, *, rtl: bool) -> str:
    """An answer whose formulas, code and lists are shown as they are meant, whichever way it runs."""
    return _CODE_OR_FORMULA.sub(lambda match: _shown(match, rtl=rtl), text)


def lists(text: str, *, rtl: bool) -> str:
    """Prose whose lists are lists: of Persian numbers and of typed bullets, which Markdown does not know.

    In a right-to-left text, signs that belong to a Latin word before them stay behind it: C++, run().
    """
    text = _BULLET.sub(r"\1- ", text)
    text = _NUMBERED.sub("  \n", text)
    return _LATIN_END.sub(lambda end: end["kept"] or end["signs"] + _MARK, text) if rtl else text


def _shown(match: re.Match[str], *, rtl: bool) -> str:
    if match["block"]:
        return match[0]
    if code := match["code"]:
        return f"{_LEFT_TO_RIGHT}{code}{_END}" if rtl else code
    if match["amount"]:
        return r"\$"  # of money: the control would take all up to the next one for a formula
    latex = match["round"] or match["dollar"]
    if (text := formula_text(latex)) is not None:
        return _formula(text)
    line = match.string[match.string.rfind("\n", 0, match.start()) + 1 :]
    if rtl and _PLAIN_LINE.match(line):
        return f"\n\n$${latex}$$\n\n"  # within right-to-left text its brackets would be mirrored
    return f"${latex}$"


def _formula(text: str) -> str:
    shown = _VARIABLE.sub(r"*\g<0>*", _SPECIAL.sub(r"\\\1", text))
    if len(text) <= _SHORT:
        shown = shown.replace(" ", "\u00a0")
    return f"{_LEFT_TO_RIGHT}{shown}{_END}"
