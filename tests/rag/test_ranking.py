"""Which passages fit a question: pure decisions, as tables."""

import pytest

from engines.embedders.identity import RelevanceScale
from rag.indexing import next_batch_size
from rag.model import Gate
from rag.ranking import (
    Candidate,
    distinct,
    fuse,
    gate,
    most_passages_of_a_rare_word,
    similarity_to_pass,
)

SCALE = RelevanceScale(irrelevant_below=0.8, same_above=0.9)


def having(*words: str, rare: tuple[str, ...] = (), similarity: float = 0.5) -> Candidate:
    return Candidate(1, similarity, 1.0, frozenset(words) | frozenset(rare), frozenset(rare))


def test_meaning_weighs_four_times_as_much_as_words():
    scores = fuse([Candidate(1, 0.9, 0.0), Candidate(2, 0.8, 7.0), Candidate(3, 0.7, 1.0)])
    assert scores == pytest.approx({1: 0.8, 2: 0.4 + 0.2, 3: 0.2 / 7})


def test_words_decide_between_equally_near_passages():
    scores = fuse([Candidate(1, 0.9, 0.0), Candidate(2, 0.9, 3.0), Candidate(3, 0.7, 0.0)])
    assert scores[2] > scores[1] > scores[3]


@pytest.mark.parametrize(
    ("candidates", "scores"),
    [
        ([], {}),
        ([Candidate(1, 0.9)], {1: 0.8}),
        ([Candidate(1, 0.0, 2.0)], {1: 0.2}),
        ([Candidate(1, -0.2), Candidate(2, -0.2)], {1: 0.0, 2: 0.0}),
    ],
)
def test_scores_of_few_or_equal_candidates_are_defined(candidates, scores):
    assert fuse(candidates) == pytest.approx(scores)


@pytest.mark.parametrize(
    ("candidate", "words", "reason"),
    [
        (having(similarity=0.8), 3, Gate.MEANING),
        (having(similarity=0.79), 3, Gate.CLOSED),
        (having("the", "boiler", "valve"), 3, Gate.CLOSED),  # common words alone tell nothing
        (having(rare=('"zorblax"',)), 1, Gate.RARE_WORDS),
        (having("price", rare=('"zorblax"',)), 2, Gate.RARE_WORDS),
        (having(rare=('"zorblax"',)), 2, Gate.CLOSED),  # "Zorblax notary": one word of two is chance, too
        (having("to", rare=("zorblax", "keys")), 4, Gate.RARE_WORDS),
        (having(rare=('"zorblax"',)), 3, Gate.CLOSED),  # one rare word of three is chance
        (having(rare=('"4711"',)), 5, Gate.NUMBER),  # but a number is meant
        (having(), 0, Gate.CLOSED),
    ],
)
def test_the_gate_wants_similarity_or_telling_words(candidate, words, reason):
    assert gate(candidate, words, 0.8, 1000) is reason


@pytest.mark.parametrize(
    ("candidate", "words", "reason"),
    [
        (having("boiler", "valve"), 4, Gate.WORDS),
        (having("boiler"), 4, Gate.CLOSED),
        (having(similarity=0.99), 4, Gate.CLOSED),
        (having(), 0, Gate.CLOSED),
    ],
)
def test_without_vectors_half_of_the_words_decide(candidate, words, reason):
    assert gate(candidate, words, None, 1000) is reason


@pytest.mark.parametrize(
    ("candidate", "words", "reason"),
    [
        (having("boiler", "valve"), 2, Gate.WORDS),  # all that is asked for
        (having("cost"), 2, Gate.CLOSED),  # "What does a notary cost?" asked of the manual of a boiler
        (having(rare=('"4711"',)), 5, Gate.NUMBER),
        (having(similarity=0.8), 3, Gate.MEANING),
        (having(), 0, Gate.CLOSED),
    ],
)
def test_among_a_handful_of_passages_all_words_must_be_there(candidate, words, reason):
    assert gate(candidate, words, 0.8, 4) is reason


@pytest.mark.parametrize(
    ("nearest", "searched", "threshold"),
    [
        (0.5, 0, 0.8),
        (0.5, 50, 0.8),
        (0.81, 500, 0.815),  # among so many, one is as near as that by chance
        (0.82, 500, 0.8),  # nearer than chance: the others need only not be irrelevant
        (0.82, 5000, 0.83),
    ],
)
def test_the_more_passages_there_are_the_nearer_the_best_must_be(nearest, searched, threshold):
    assert similarity_to_pass(nearest, SCALE, searched) == pytest.approx(threshold)


@pytest.mark.parametrize(
    ("searched", "word", "number"), [(1, 0, 3), (9, 0, 3), (10, 1, 3), (150, 3, 3), (1000, 20, 20)]
)
def test_rare_means_few_passages_or_a_small_share(searched, word, number):
    assert most_passages_of_a_rare_word(searched) == word
    assert most_passages_of_a_rare_word(searched, number=True) == number


def test_a_passage_that_only_repeats_a_better_one_is_dropped():
    long, part, other = set("abcdefghijkl"), set("abcdefghij"), set("abcxyz")
    assert list(distinct([("long", long), ("part", part), ("other", other)])) == ["long", "other"]


def test_a_longer_passage_is_kept_beside_the_better_part_of_it():
    assert list(distinct([("part", set("abc")), ("long", set("abcdefgh"))])) == ["part", "long"]


@pytest.mark.parametrize(
    ("size", "seconds", "following"),
    [(4, 0.1, 8), (64, 0.1, 64), (8, 0.7, 8), (8, 3.0, 4), (1, 30.0, 1), (3, 0.0, 6)],
)
def test_batches_grow_and_shrink_towards_a_second(size, seconds, following):
    assert next_batch_size(size, seconds) == following
