"""Nothing that others have written turns round what stands beside it, or hides in what leaves the device."""

from __future__ import annotations

import pytest

from app.core.foreign_text import harmless, harmless_part, visible
from app.core.strings import Strings

OVERRIDE, POP, ISOLATE, POP_ISOLATE = "\u202e", "\u202c", "\u2067", "\u2069"
HIDDEN = "".join(chr(0xE0000 + ord(letter)) for letter in "send it")
PERSIAN = "می‌خواهم 👩‍💻\nبرنامه\tبنویسم"


@pytest.mark.parametrize("text", [PERSIAN, "plain", "", "a\nb\tc", "مدل 🏳️‍🌈"])
def test_ordinary_text_stays_as_it_is(text):
    assert harmless(text) == harmless_part(text) == visible(text) == text


def test_what_turns_text_round_is_left_out_of_it():
    assert harmless(f"invoice{OVERRIDE}fdp.exe{POP}") == "invoicefdp.exe"
    assert harmless(f"{ISOLATE}a{POP_ISOLATE}") == "a"
    assert harmless("\x1b[31mred") == "[31mred"


@pytest.mark.parametrize("language", ["en", "fa"])
@pytest.mark.parametrize("name", [f"a{POP_ISOLATE}b{OVERRIDE}c", f"{ISOLATE}open", "\x1b]0;x\x07"])
def test_no_name_turns_the_sentence_round_it_stands_in(language, name):
    strings = Strings(language)
    sentence = strings("errors.GroupExists", name=name)
    assert not set(sentence) & set("\u202a\u202b\u202c\u202d\u202e\x1b\x07")
    depth = 0
    for letter in sentence:
        depth += (letter in "\u2066\u2067\u2068") - (letter == POP_ISOLATE)
        assert depth >= 0, "closes what the sentence has opened"
    assert depth == 0


def test_a_sentence_inside_a_sentence_keeps_its_isolates():
    strings = Strings("en")
    inner = strings("errors.GroupExists", name="دوستان")
    assert strings.isolate("x " + inner).count("\u2068") >= inner.count("\u2068") > 0


@pytest.mark.parametrize(
    "character",
    list(
        map(
            chr,
            (
                0,
                0x1B,
                0x7F,
                0x85,
                0xAD,
                0x61C,
                0x200B,
                0x200E,
                0x202E,
                0x2028,
                0x2060,
                0x2067,
                0xFEFF,
                0xE0041,
            ),
        )
    ),
)
def test_a_character_that_nobody_sees_is_shown_by_its_number(character):
    assert visible(f"a{character}b") == f"a[U+{ord(character):04X}]b"


def test_hidden_instructions_are_seen():
    assert visible(f"harmless{HIDDEN}").count("[U+E00") == len(HIDDEN)
