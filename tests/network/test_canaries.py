"""Canaries are always new, answerable, and judged without a judge."""

from __future__ import annotations

import random
import re

import pytest

from network.canaries import LANGUAGES, Canary, make_canary

CITY = Canary("Where does Anna live?", "Paris", ("Oslo", "Lima"))
COUNT = Canary("How many keys?", "37", ("12", "73"))


@pytest.mark.parametrize(
    ("canary", "answer", "passed"),
    [
        (CITY, "Paris", True),
        (CITY, " paris.\n", True),
        (CITY, "**Paris**", True),
        (CITY, "Anna lives in Paris.", True),
        (CITY, "Oslo", False),
        (CITY, "Paris or Oslo", False),
        (CITY, "Anna lives in Paris, Boris in Oslo, Clara in Lima.", False),
        (CITY, "Parisian", False),
        (CITY, "", False),
        (CITY, "I cannot answer that.", False),
        (COUNT, "37", True),
        (COUNT, "۳۷", True),
        (COUNT, "٣٧ کلید", True),
        (COUNT, "There are 37 keys.", True),
        (COUNT, "137", False),
        (COUNT, "3 7", False),
        (COUNT, "12", False),
    ],
)
def test_the_right_word_and_no_wrong_one(canary, answer, passed):
    assert canary.passed(answer) is passed


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_answer_is_in_the_question_once_and_so_are_the_wrong_ones(language):
    chance = random.Random(1)
    for _ in range(300):
        canary = make_canary(chance, language)
        words = re.findall(r"\w+", canary.question)
        for word in (canary.expected, *canary.wrong):
            assert words.count(word) == 1
        assert canary.passed(canary.expected)
        assert not any(canary.passed(word) for word in canary.wrong)
        assert not canary.passed(canary.question), "repeating the question is no answer"
        assert "{" not in canary.question


@pytest.mark.parametrize("language", LANGUAGES)
def test_they_do_not_repeat(language):
    chance = random.Random(2)
    assert len({make_canary(chance, language).question for _ in range(2_000)}) > 1_990


def test_guessing_does_not_help():
    chance = random.Random(3)
    canaries = [make_canary(chance, "en") for _ in range(2_000)]
    guesses = [canary.passed(chance.choice((canary.expected, *canary.wrong))) for canary in canaries]
    assert sum(guesses) / len(guesses) == pytest.approx(0.25, abs=0.04)


def test_a_language_without_canaries_gets_english_ones():
    assert make_canary(random.Random(4), "xx") == make_canary(random.Random(4), "en")
