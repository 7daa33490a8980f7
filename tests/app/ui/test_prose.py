"""Prose that is shown as it is meant."""

from __future__ import annotations

import pytest

from app.ui.components.markdown import columns, split
from app.ui.components.prose import lists, prepared


@pytest.mark.parametrize("rtl", [False, True])
@pytest.mark.parametrize("formula", ["$O(n)$", r"\(O(n)\)"])
def test_a_formula_in_a_line_is_text_of_its_own_direction(formula, rtl):
    assert prepared(f"It takes {formula}.", rtl=rtl) == "It takes \u2066*O*(*n*)\u2069."


def test_a_short_formula_does_not_break_at_the_end_of_a_line():
    assert " " not in prepared("$a + b$", rtl=False)
    assert " " in prepared("$a + b + c + d + e + f + g + h + i$", rtl=False)


def test_signs_of_markdown_in_a_formula_stand_for_themselves():
    assert prepared(r"$[1] < |2|$", rtl=False) == "\u2066\\[1\\]\u00a0\\<\u00a0\\|2\\|\u2069"


def test_a_larger_formula_stands_on_a_line_of_its_own_in_persian():
    assert prepared(r"مقدار $\hat{x}$ است", rtl=True) == "مقدار \n\n$$\\hat{x}$$\n\n است"
    assert prepared(r"The $\hat{x}$ here", rtl=False) == r"The $\hat{x}$ here"
    assert prepared("| $\\hat{x}$ | ۱ |", rtl=True) == "| $\\hat{x}$ | ۱ |"


@pytest.mark.parametrize("text", ["from $5 to $10", "$3-$4", "US$ 7", "it costs $20."])
def test_dollars_are_no_formula(text):
    assert prepared(text, rtl=False) == text.replace("$", r"\$")


@pytest.mark.parametrize("text", ["```sh\necho $a $b\n```", "`$a$`", "$$x$$", r"\[x\]", r"\$5 and \$6"])
def test_code_and_displayed_formulas_stay_as_they_are(text):
    assert prepared(text, rtl=False) == text


def test_code_in_a_persian_line_runs_left_to_right():
    assert prepared("تابع `sorted()` را", rtl=True) == "تابع \u2066`sorted()`\u2069 را"


def test_numbers_of_persian_lists_begin_a_line():
    assert lists("مراحل:\n۱. الف\n۲) ب\n\n۳- پ", rtl=True) == "مراحل:  \n۱. الف  \n۲) ب\n\n۳- پ"
    assert lists("سال\n۱۴۰۴ بود", rtl=True) == "سال\n۱۴۰۴ بود"


def test_typed_bullets_are_a_list():
    assert lists("• one\n  • two", rtl=False) == "- one\n  - two"


def test_signs_stay_behind_their_latin_word_in_persian():
    assert lists("زبان C++ و run() است", rtl=True) == "زبان C++\u200e و run()\u200e است"
    assert lists("`C++` و [x](http://a/c++)", rtl=True) == "`C++` و [x](http://a/c++)"
    assert lists("C++ and C#", rtl=False) == "C++ and C#"


def test_a_table_is_a_part_of_its_own():
    table = "| a | b | c | d |\n|---|--:|:-:|---|\n| 1 | 2 | 3 | 4 |"
    parts = split(f"Before\n\n{table}\n\nAfter | all\n")
    assert [part.kind for part in parts] == ["prose", "table", "prose"]
    assert parts[1].text == table
    assert columns(table) == 4
    assert [part.kind for part in split("a | b\nno table")] == ["prose"]
