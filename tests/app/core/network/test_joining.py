"""Several answers become one, and it is known who agrees."""

import numpy as np
import pytest

from app.core.messages import Citation
from app.core.network.joining import join, nearness, no_meanings
from app.core.network.panel import Seat
from app.core.network.passages import QuotedAnswer
from app.core.provenance import JoinedBy, PrivacyLevel, ReplyState
from tests.app.ui.word_embedder import WordEmbedder

TOPICS = {"cats": 0, "dogs": 1, "fish": 2}


def embed(texts):
    """Texts about the same animal say the same."""
    vectors = np.full((len(texts), 3), 0.1, dtype=np.float32)
    for row, text in enumerate(texts):
        vectors[row, next(place for word, place in TOPICS.items() if word in text)] = 1.0
    return vectors, 0.9


def broken(texts):
    raise ImportError("no embedder")


def seats(*answers):
    return [
        Seat(f"n{n}", "", PrivacyLevel.PUBLIC, "m", trust, state=ReplyState.WHOLE, text=text)
        for n, (text, trust) in enumerate(answers)
    ]


LONG = "A rather long sentence, which nobody would count by the letter, about {}."
CATS, MORE_CATS, DOGS, FISH = (LONG.format(word) for word in ("cats", "cats and cats", "dogs", "fish"))


async def test_one_answer_stands_alone():
    [only] = seats((CATS, 0.5))
    joined = await join([only], only, embed)
    assert (joined.best, joined.by, joined.agrees) == (only, JoinedBy.ALONE, {})


async def test_the_majority_stands_and_the_odd_one_is_known():
    group = seats((DOGS, 0.6), (CATS, 0.5), (MORE_CATS, 0.5))
    joined = await join(group, group[0], embed)
    assert joined.best.text in (CATS, MORE_CATS)
    assert joined.by is JoinedBy.MEANING
    assert joined.agrees == {"n0": False, "n1": True, "n2": True}
    assert joined.supported == {"n0": False, "n1": True, "n2": True}


async def test_what_is_shown_stays_where_it_says_the_same_as_the_best():
    group = seats((CATS, 0.5), (MORE_CATS, 0.9), (DOGS, 0.5))
    assert (await join(group, group[0], embed)).best is group[0]


async def test_where_nobody_agrees_the_shown_one_stays_and_nobody_is_blamed():
    group = seats((CATS, 0.6), (DOGS, 0.5), (FISH, 0.5))
    joined = await join(group, group[0], embed)
    assert joined.best is group[0]
    assert joined.agrees == {"n0": True, "n1": False, "n2": False}
    assert joined.supported == {"n0": None, "n1": None, "n2": None}


async def test_trust_outweighs_numbers():
    group = seats((CATS, 0.9), (DOGS, 0.2), (DOGS + " Yes.", 0.2))
    joined = await join(group, group[1], embed)
    assert joined.best is group[0]
    assert joined.agrees == {"n0": True, "n1": False, "n2": False}


@pytest.mark.parametrize("same", ["42", "forty-two"])
async def test_short_answers_are_counted_not_embedded(same):
    group = seats(("41", 0.5), (same, 0.5), (f" {same}. ", 0.5))
    joined = await join(group, group[0], broken)
    assert (joined.best.node, joined.by) == ("n1", JoinedBy.VOTE)


async def test_without_an_embedder_the_shown_one_stands_and_nothing_is_claimed():
    group = seats((CATS, 0.5), (DOGS, 0.5))
    joined = await join(group, group[0], broken)
    assert (joined.best, joined.agrees, joined.supported) == (group[0], {}, {})


async def test_passages_are_compared_with_the_question_where_several_devices_gave_some():
    valve = Citation(1, 0, 0, "Manual", None, None, "Open the valve slowly until water comes.")
    pump = Citation(2, 0, 0, "Manual", None, None, "The pump stands in the cellar.")
    one = QuotedAnswer("a", 0.5, "", (valve,))
    other = QuotedAnswer("b", 0.5, "", (valve, pump))
    found = await nearness("Until when is the valve open?", [one, other], WordEmbedder().meanings)
    assert found is not None
    assert found["a", 1] == found["b", 1] > found["b", 2]
    assert await nearness("Valve?", [one], WordEmbedder().meanings) is None
    assert await nearness("Valve?", [one, other], no_meanings) is None
