"""How an answer's Markdown is taken apart."""

from __future__ import annotations

import pytest

from app.core.strings import Strings
from app.ui.components.conversation_list import plain
from app.ui.components.markdown import Part, link_citations, split, without_pictures

ENGLISH = Strings("en")


def test_prose_code_and_formulas_are_told_apart():
    text = "Before\n\n```python\nx = 1\n```\nBetween\n\n$$E = mc^2$$\nAfter"
    assert [(part.kind, part.text.strip(), part.language) for part in split(text)] == [
        ("prose", "Before", ""),
        ("code", "x = 1", "python"),
        ("prose", "Between", ""),
        ("math", "E = mc^2", ""),
        ("prose", "After", ""),
    ]


@pytest.mark.parametrize("end", ["", "\n", "\nprint(1"])
def test_a_block_that_is_still_written_is_code_already(end):
    assert split(f"Look\n```py\nprint(1){end}")[-1].kind == "code"


def test_a_block_inside_a_list_loses_its_indent():
    assert Part("code", "a\n  b", "sh") in split("1. Do\n\n   ```sh\n   a\n     b\n   ```\n2. Done")


def test_a_longer_fence_may_hold_a_shorter_one():
    assert split("````md\n```py\n1\n```\n````")[0] == Part("code", "```py\n1\n```", "md")


def test_formulas_in_brackets_are_formulas_too():
    assert [part.kind for part in split("So \\[a + b\\] holds")] == ["prose", "math", "prose"]


def test_known_numbers_become_links():
    assert link_citations("Yes [1].", [1], ENGLISH) == r"Yes [\[1\]](citation:1)."
    assert link_citations("Both [1, 2]", [1, 2], ENGLISH).count("citation:") == 2
    assert link_citations("بله [۲]", [2], Strings("fa")) == r"بله [\[۲\]](citation:2)"


def test_other_brackets_stay_as_they_are():
    for text in ("`a[1]`", "[1](https://example.org)", "[7]", "[x]"):
        assert link_citations(text, [1], ENGLISH) == text


def test_a_preview_has_no_marks():
    assert plain("## Rainbows **in** `short` - one") == "Rainbows in short one"
    assert plain("2 * 3 and a-b") == "2 3 and a-b"
    assert plain("```python\ndef find_primes(n): _private_ = 1") == "def find_primes(n): private = 1"


@pytest.mark.parametrize("text", ["![a](http://x/1)", "`![a](u)`", r"\` ![a](u) `", "![a][b]", "!![[a]](u)"])
def test_no_mark_of_a_picture_is_left(text):
    assert "![" not in without_pictures(text)
    assert without_pictures(text).replace("\u2060", "") == text
