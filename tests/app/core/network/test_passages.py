"""The passages of several devices become one numbered list."""

import pytest

from app.core.citations import cited, renumbered
from app.core.messages import Citation
from app.core.network.passages import MOST_ADDED, QuotedAnswer, merge_passages, same_passage

VALVE = "To vent the boiler, open the valve slowly and wait until water comes."
PUMP = "The pump has to be switched off before anything else is done to it."


def passage(number, text=VALVE, title="Manual", page=None):
    return Citation(number, 0, 0, title, page, None, text)


def listed(merged):
    return [(one.number, one.text, one.given_by) for one in merged.sources]


def test_where_nobody_gives_a_passage_there_is_no_list():
    merged = merge_passages([QuotedAnswer("a", 0.5, "It is blue.")], "a")
    assert (merged.sources, merged.texts) == ((), {"a": "It is blue."})


def test_the_passages_of_one_device_keep_their_numbers():
    answer = QuotedAnswer("a", 0.5, "Slowly [3].", (passage(3),))
    merged = merge_passages([answer, QuotedAnswer("b", 0.9, "Slowly.")], "a")
    assert listed(merged) == [(3, VALVE, ("a",))]
    assert merged.texts["a"] == "Slowly [3]."


def test_a_passage_that_two_have_found_stands_there_once_and_names_both():
    answers = [
        QuotedAnswer("a", 0.4, "Slowly [2].", (passage(2),)),
        QuotedAnswer("b", 0.8, "Slowly [5].", (passage(5, VALVE.upper()),)),
    ]
    merged = merge_passages(answers, "a")
    assert listed(merged) == [(1, VALVE.upper(), ("b", "a"))], "the most trusted one's words"
    assert merged.texts == {"a": "Slowly [1].", "b": "Slowly [1]."}


def test_the_most_trusted_devices_passages_come_first_and_shared_ones_before_all():
    answers = [
        QuotedAnswer("low", 0.3, "[1] [2]", (passage(1, "Only the low one.", "Low"), passage(2, VALVE))),
        QuotedAnswer("high", 0.9, "[1] [2]", (passage(1, PUMP, "High"), passage(2, VALVE))),
    ]
    merged = merge_passages(answers, "low")
    assert [one.text for one in merged.sources] == [VALVE, PUMP, "Only the low one."]
    assert [one.number for one in merged.sources] == [1, 2, 3]
    assert merged.texts == {"low": "[3] [1]", "high": "[2] [1]"}


def test_what_is_nearest_to_the_question_comes_first_whoever_gave_it():
    answers = [
        QuotedAnswer("low", 0.3, "[1]", (passage(1, PUMP, "Low"),)),
        QuotedAnswer("high", 0.9, "[1] [2]", (passage(1, "Something else.", "High"), passage(2, VALVE))),
    ]
    nearness = {("low", 1): 0.7, ("high", 1): 0.2, ("high", 2): 0.9}
    merged = merge_passages(answers, "low", nearness)
    assert [one.text for one in merged.sources] == [VALVE, PUMP, "Something else."]
    assert merged.texts == {"low": "[2]", "high": "[3] [1]"}


def test_a_device_that_is_hardly_trusted_does_not_fill_the_list_with_what_sounds_near():
    flood = tuple(passage(number, f"Question {number}", f"T{number}") for number in range(1, 40))
    honest = tuple(passage(number, f"Answer {number}", f"A{number}") for number in range(1, 4))
    answers = [QuotedAnswer("bad", 0.1, "", flood), QuotedAnswer("good", 0.9, "", honest)]
    nearness = {("bad", number): 1.0 for number in range(1, 40)}
    merged = merge_passages(answers, "", nearness)
    assert [one.text for one in merged.sources if one.given_by == ("good",)] == [
        f"Answer {number}" for number in range(1, 4)
    ]


def test_the_answer_that_is_shown_loses_none_of_its_passages():
    many = tuple(passage(number, f"Passage {number} of others", f"T{number}") for number in range(1, 40))
    own = tuple(passage(number, f"My own passage {number}", f"Mine{number}") for number in range(1, 30))
    merged = merge_passages([QuotedAnswer("a", 0.1, "[29]", own), QuotedAnswer("b", 1.0, "", many)], "a")
    givers = [one.given_by for one in merged.sources]
    assert (givers.count(("a",)), givers.count(("b",))) == (29, MOST_ADDED)
    [number] = [one.number for one in merged.sources if one.text == "My own passage 29"]
    assert merged.texts["a"] == f"[{number}]"


def test_a_number_without_a_passage_is_not_given_to_somebody_elses():
    answers = [QuotedAnswer("a", 0.9, "It is [1]."), QuotedAnswer("b", 0.5, "So [1].", (passage(1),))]
    merged = merge_passages(answers, "a")
    assert [one.number for one in merged.sources] == [2]
    assert merged.texts == {"a": "It is [1].", "b": "So [2]."}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (passage(1), passage(2), True),
        (passage(1, page=3), passage(1, page=3), True),
        (passage(1, page=3), passage(1), True),
        (passage(1, "Open it.", page=3), passage(1, "Open it.", page=4), False),
        (passage(1, "Open it."), passage(1, "Open it.", "Another"), False),
        (passage(1), passage(1, title="Manual (1)"), True),
        (passage(1, VALVE), passage(1, PUMP), False),
        (passage(1, VALVE), passage(1, VALVE[:50]), True),
        (passage(1, "the valve"), passage(1, VALVE), False),
        (passage(1, "", page=3), passage(1, VALVE, page=3), True),
        (passage(1, "", page=3), passage(1, VALVE), False),
        (passage(1, "كتاب را می‌خوانيم", "متن"), passage(1, "کتاب را میخوانیم", "متن"), True),
    ],
)
def test_who_quotes_the_same(one, other, same):
    assert same_passage(one, other) is same
    assert same_passage(other, one) is same


@pytest.mark.parametrize(
    ("text", "numbers", "expected"),
    [
        ("So [1], and [2].", {1: 2, 2: 1}, "So [2], and [1]."),
        ("So [1, 2].", {1: 3, 2: 3}, "So [3]."),
        ("پس [۱، ۲].", {1: 12, 2: 4}, "پس [۱۲، ۴]."),
        ("So [1][2].", {1: None, 2: 5}, "So [5]."),
        ("So [1].", {1: None}, "So."),
        ("So [1] it is [1]", {1: None}, "So it is"),
        ("So [1, 9].", {1: 4}, "So [4, 9]."),
        ("`a[1]` and\n```\nb[1]\n``` and [1]", {1: 7}, "`a[1]` and\n```\nb[1]\n``` and [7]"),
        ("See [1](https://a.example).", {1: 7}, "See [1](https://a.example)."),
        ("Nothing.", {}, "Nothing."),
    ],
)
def test_citations_get_other_numbers(text, numbers, expected):
    assert renumbered(text, numbers) == expected


def test_what_other_devices_gave_is_listed_whole():
    given = [Citation(n, 0, 0, "T", None, None, "text", given_by=("a",)) for n in (1, 2)]
    assert cited("Only [2].", given) == tuple(given)
