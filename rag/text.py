"""Two levels of making spellings equal: gently before embedding, thoroughly for full-text search.

Persian reaches us in many spellings of one word: with Arabic letters (ي, ك), presentation forms, digits of
three scripts, and «کتاب‌ها», «کتاب ها» or «کتابها» for "books". Embedders suffer from the wrong letters only;
a full-text index knows no mercy at all, and splits a word at every vowel mark.

The table that holds `index_text` uses FTS5's tokenizer unicode61, its default.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ZWNJ = "\u200c"
"""Zero-width non-joiner: the "half space" inside Persian words."""

_MAX_QUERY_WORDS = 64
"""A pasted page as a query must not become a search that takes seconds."""

_PERSIAN_LETTERS = {"ي": "ی", "ى": "ی", "ك": "ک"}
_GENTLE = str.maketrans(_PERSIAN_LETTERS)
_THOROUGH = str.maketrans(
    _PERSIAN_LETTERS
    | {"ة": "ه", "ۀ": "ه", "ە": "ه", "ھ": "ه", "ہ": "ه", "ٱ": "ا", "ے": "ی", "٫": ".", "٬": ","}
    | {chr(zero + digit): str(digit) for zero in (0x660, 0x6F0) for digit in range(10)}
)
# Latin ligatures, Arabic presentation forms, full-width letters: other shapes of the same text. The rest of
# NFKC would change meaning (m² → m2).
_OTHER_SHAPES = re.compile("[\ufb00-\ufb06\ufb50-\ufdff\ufe70-\ufefe\uff01-\uff5e]+")
# Marks that nobody sees: tatweel, soft hyphen, direction marks, byte order mark, control characters.
_INVISIBLE = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u00ad\u0640\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
_JOINERS = re.compile("[\u200d\u034f]")
_MARKS = re.compile(
    "[\u0300-\u036f\u0591-\u05bd\u05bf\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed]"
)
_ARABIC = "\u0620-\u063f\u0641-\u064a\u066e-\u06d5\u06fa-\u06ff\u0750-\u077f"
_SCRIPT_BORDER = re.compile(rf"(?<=[0-9a-z])(?=[{_ARABIC}])|(?<=[{_ARABIC}])(?=[0-9a-z])")
_PERSIAN_WORD = re.compile(rf"[{_ARABIC}]+")
# Letters and digits; parts of one word are held together by ZWNJ, parts of one number by . , / :
_WORD = re.compile(rf"[^\W_]+(?:(?:{ZWNJ}+|(?<=[0-9])[.,/:](?=[0-9]))[^\W_]+)*")
_EDGES = re.compile(r"^[\W_]+|[\W_]+$")
_PART = re.compile(r"[^\W_]+")

# Written apart, joined or with a half space, all three are seen in print.
_PREFIXES = frozenset({"می", "نمی"})
_SUFFIXES = frozenset({"ها", "های", "هایی", "ام", "ات", "اش", "ای", "تر", "ترین"})
_PLURALS = ("هایشان", "هایمان", "هایتان", "هایی", "های", "ها")
_SHORTEST_STEM = 3

# «کتابهای» is «کتاب‌های». Short words only end so: «تنها», «بها».
_JOINED_PLURAL = re.compile(
    rf"(?<![{_ARABIC}{ZWNJ}])([{_ARABIC}]{{3,}})(ها(?:یشان|یمان|یتان|یی|یم|یت|یش|ی)?)(?![{_ARABIC}{ZWNJ}])"
)
# «میشود» is «می‌شود», but «میوه» is a fruit and «میدان» a square: only the most frequent verbs are parted, and
# their present stems only with an ending.
_PRESENT = "شو|کن|توان|خواه|ده|باش|گیر|آی|رو|گوی|دان|بین|آور|گذار|یاب|ساز|رس|خور|نویس|پرداز|بر|مان|زن|کش"
_PAST = (
    "شد|کرد|توانست|خواست|داد|گرفت|آمد|رفت|گفت|دانست|دید|آورد"
    "|گذاشت|یافت|ساخت|رسید|خورد|نوشت|برد|ماند|زد|کشید|بود"
)
_JOINED_VERB = re.compile(
    rf"(?<![{_ARABIC}{ZWNJ}])(ن?می)((?:{_PRESENT})(?:م|ی|د|یم|ید|ند)|(?:{_PAST})(?:م|ی|یم|ید|ند|ه)?|توان)"
    rf"(?![{_ARABIC}{ZWNJ}])"
)


class _Word(NamedTuple):
    parts: tuple[str, ...]
    joined: str | None
    """All parts in one, where people also write it so; for a word of one part, that part."""


def embedding_text(text: str) -> str:
    """The same text in the letters embedders were trained with; still fit to be read and shown.

    Arabic ye and kaf become Persian ones, presentation forms and ligatures plain letters; invisible marks
    are dropped, but the half space (ZWNJ) stays, and stands again where it was left out before an ending or
    after the prefix of a common verb. Idempotent. Use it for passages and queries alike.
    """
    folded = unicodedata.normalize("NFC", _INVISIBLE.sub("", plain_letters(text))).translate(_GENTLE)
    return _JOINED_VERB.sub(rf"\1{ZWNJ}\2", _JOINED_PLURAL.sub(rf"\1{ZWNJ}\2", folded))


def plain_letters(text: str) -> str:
    """The text with presentation forms, ligatures and full-width letters as the letters they stand for."""
    return _OTHER_SHAPES.sub(lambda match: unicodedata.normalize("NFKC", match.group()), text)


def search_text(text: str) -> str:
    """The text with everything folded that a search should not care about. Not for display; idempotent.

    Case, accents, vowel marks, hamza and madda, letter variants and digits of all scripts. Only the half
    space is kept, because it decides how `index_text` cuts words.
    """
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    folded = _MARKS.sub("", _JOINERS.sub("", _INVISIBLE.sub("", folded))).translate(_THOROUGH)
    return unicodedata.normalize("NFC", folded)


def index_text(text: str) -> str:
    """What the full-text index shall hold for this text: normalised words, separated by single spaces.

    A word with a half space gives its parts and the joined word, «کتاب‌ها» thus «کتاب ها کتاب» (the joined
    form lost its plural ending); so does a prefix or suffix written apart. Words without a letter or digit
    are left out.
    """
    tokens: list[str] = []
    before = ""
    for word in _words(text):
        tokens += word.parts
        if word.joined and (len(word.parts) > 1):
            tokens.append(word.joined)
        if joined := _joined_affix(before, word.parts[0]):
            tokens.append(joined)
        before = word.parts[-1]
    return " ".join(tokens)


def content_words(text: str) -> tuple[str, ...]:
    """The words that carry meaning, as `index_text` writes them, each once, in order; no stop-words."""
    found = dict.fromkeys(
        word.joined or " ".join(word.parts) for word in _words(text) if _means_something(word)
    )
    return tuple(found)


def word_expressions(query: str) -> tuple[str, ...]:
    """One FTS5 MATCH expression per content word, each with its spellings as alternatives.

    For counting in how many passages a word stands, that is, whether it is a rare one.
    """
    return tuple(" OR ".join(alternatives) for alternatives in _alternatives(query))


def written_words(query: str) -> dict[str, str]:
    """The query's words as they are written there, by their expressions; see `word_expressions`.

    An expression of several words of the query stands for itself.
    """
    written: dict[str, str] = {}
    for token in query.split():
        for expression in word_expressions(token)[:1]:
            written.setdefault(expression, _EDGES.sub("", token))
    return {
        expression: written.get(expression, expression.split(" OR ")[0].strip('"'))
        for expression in word_expressions(query)
    }


def match_expression(query: str) -> str | None:
    """An FTS5 MATCH expression that finds passages with any content word of the query.

    Accepts anything a person may type or paste: operators and quotes are words or nothing. A query of
    stop-words alone is searched as one phrase.

    Returns:
        None where there is nothing to search for: no letter, no digit.
    """
    spellings = dict.fromkeys(spelling for alternatives in _alternatives(query) for spelling in alternatives)
    if spellings:
        return " OR ".join(spellings)
    parts = [part for word in _words(query) for part in word.parts][:_MAX_QUERY_WORDS]
    return _phrase(parts) if parts else None


def _alternatives(query: str) -> list[tuple[str, ...]]:
    words = list(_words(query))
    found: dict[tuple[str, ...], None] = {}
    for index, word in enumerate(words):
        spellings: dict[str, None] = {}
        if _means_something(word):
            spellings[_phrase(word.parts)] = None
            if word.joined:
                spellings[_phrase((word.joined,))] = None
        if index and (joined := _joined_affix(words[index - 1].parts[-1], word.parts[0])):
            spellings[_phrase((joined,))] = None
        if spellings:
            found[tuple(spellings)] = None
        if len(found) == _MAX_QUERY_WORDS:
            break
    return list(found)


def _phrase(parts: list[str] | tuple[str, ...]) -> str:
    return '"' + " ".join(parts) + '"'  # parts are letters and digits: nothing to escape


def _words(text: str) -> Iterator[_Word]:
    folded = _SCRIPT_BORDER.sub(ZWNJ, search_text(text))
    for match in _WORD.finditer(folded):
        whole = match.group()
        parts = tuple(_PART.findall(whole))
        # ۱٬۲۳۴ is also written 1234, but 3.5 is not 35.
        joined = None if re.search("[./:]", whole) else _stem("".join(parts))
        yield _Word(tuple(_stem(part) for part in parts), joined)


def _means_something(word: _Word) -> bool:
    return word.joined not in _stop_words() and any(part not in _stop_words() for part in word.parts)


def _joined_affix(first: str, second: str) -> str | None:
    """«می روم» → «میروم», «کتاب ها» → the stem of «کتابها»."""
    if first in _PREFIXES or (second in _SUFFIXES and _PERSIAN_WORD.fullmatch(first)):
        return _stem(first + second)
    return None


def _stem(word: str) -> str:
    """Without the plural ending: Harman's S stemmer for English, the ها family for Persian."""
    if word.isascii():
        if len(word) <= _SHORTEST_STEM or not word.endswith("s"):
            return word
        if word.endswith("ies") and not word.endswith(("eies", "aies")):
            return word[:-3] + "y"
        if word.endswith("es") and not word.endswith(("aes", "ees", "oes")):
            return word[:-1]
        return word if word.endswith(("us", "ss")) else word[:-1]
    for ending in _PLURALS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word[: -len(ending)]
    return word


@cache
def _stop_words() -> frozenset[str]:
    folder = Path(__file__).with_name("stop_words")
    lines = "\n".join((folder / name).read_text("utf-8") for name in ("en.txt", "fa.txt"))
    return frozenset(_stem(search_text(word)) for word in lines.split())
