"""What of a passage is embedded."""

import pytest

from rag.embedded_parts import MOST_PARTS, embedded_parts

SENTENCES = "The boiler number {} hums quietly in the deep cellar under the old house. "


def passage(characters: int) -> str:
    text = "".join(SENTENCES.format(number) for number in range(1 + characters // len(SENTENCES)))
    return text[:characters].rstrip()


@pytest.mark.parametrize("characters", [10, 400, 480])
def test_a_short_passage_is_embedded_as_a_whole(characters):
    assert embedded_parts(passage(characters), None) == [passage(characters)]


@pytest.mark.parametrize("characters", [481, 640, 800, 1600, 20_000])
def test_a_longer_passage_is_embedded_with_a_few_parts_that_together_say_all(characters):
    text = passage(characters)
    whole, *parts = embedded_parts(text, None)
    assert whole == text
    assert 2 <= len(parts) < MOST_PARTS
    assert all(len(part) < len(text) for part in parts)
    assert set(text.split()) == {word for part in parts for word in part.split()}


def test_every_part_stands_under_its_heading_once():
    text = "Boilers\n\n" + passage(700)
    whole, first, *others = embedded_parts(text, "Boilers")
    assert whole == text
    assert first.startswith("Boilers\n\nThe boiler")
    assert others
    assert all(part.startswith("Boilers\nThe boiler") for part in others)


def test_a_text_without_any_border_is_cut_all_the_same():
    assert 3 <= len(embedded_parts("ب" * 800, None)) <= MOST_PARTS


def test_the_same_passage_always_has_the_same_parts():
    assert embedded_parts(passage(800), "One") == embedded_parts(passage(800), "One")
