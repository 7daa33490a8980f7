"""What is seen of a worker moves its trust; failing canaries leads to quarantine, disagreeing does not."""

from __future__ import annotations

import random

import pytest

from network.errors import MessageInvalid
from network.trust import DAY, HALF_LIFE_SECONDS, QUARANTINE_SECONDS, STRANGER, TrustBook, after_canary, at

NOW = 1_800_000_000
A, B, C = "a" * 32, "b" * 32, "c" * 32
MODEL = "qwen3-1.7b"


def caught_after(pass_rate, runs=400, longest=200, seed=1, **options):
    """After how many canaries a worker that passes this often is caught; None if not."""
    chance = random.Random(seed)
    found = []
    for _ in range(runs):
        standing = STRANGER
        for number in range(1, longest + 1):
            standing = after_canary(standing, NOW, passed=chance.random() < pass_rate, **options)
            if standing.quarantined is not None:
                found.append(number)
                break
        else:
            found.append(None)
    return found


def share(found):
    return sum(number is not None for number in found) / len(found)


def test_a_stranger_is_trusted_by_half():
    assert STRANGER.trust == 0.5


def test_canaries_move_trust_more_than_agreement():
    book = TrustBook()
    agreed = book.answer(A, MODEL, NOW, agreed=True)
    passed = book.canary(B, MODEL, NOW, passed=True)
    assert 0.5 < agreed.trust < passed.trust < 1.0
    assert book.answer(C, MODEL, NOW, agreed=False).trust < 0.5
    assert book.answer(A, MODEL, NOW, agreed=None).trust == agreed.trust


def test_disagreeing_alone_never_leads_to_quarantine():
    book = TrustBook()
    for _ in range(2_000):
        book.answer(A, MODEL, NOW, agreed=False)
    assert not book.quarantined(A, NOW)
    assert book.standing(A, MODEL, NOW).trust < 0.01


def test_garbage_is_caught_within_a_few_canaries():
    found = caught_after(0.05)
    assert share(found) == 1.0
    assert sorted(found)[int(len(found) * 0.95)] <= 8


def test_a_much_smaller_model_is_caught():
    found = caught_after(0.50)
    assert share(found) == 1.0
    assert sorted(found)[int(len(found) * 0.95)] <= 40


@pytest.mark.parametrize("pass_rate", [0.95, 0.90])
def test_honest_workers_are_left_alone_over_a_thousand_canaries(pass_rate):
    assert share(caught_after(pass_rate, runs=200, longest=1_000)) <= 0.01


def test_a_weak_but_honest_model_is_left_alone_once_it_has_been_measured():
    assert share(caught_after(0.75, runs=100, longest=200)) > 0.1
    assert share(caught_after(0.75, runs=200, longest=1_000, usual_pass=0.75)) <= 0.02
    assert share(caught_after(0.10, usual_pass=0.75)) == 1.0


def test_a_good_past_does_not_protect_for_ever():
    standing = STRANGER
    for _ in range(10_000):
        standing = after_canary(standing, NOW, passed=True)
    failures = 0
    while standing.quarantined is None:
        standing = after_canary(standing, NOW, passed=False)
        failures += 1
    assert failures <= 10


def test_whoever_is_caught_with_one_model_is_caught():
    book = TrustBook()
    book.canary(A, "other", NOW, passed=True)
    for _ in range(10):
        book.canary(A, MODEL, NOW, passed=False)
    assert book.quarantined(A, NOW)
    book.canary(A, MODEL, NOW, passed=True)
    assert book.quarantined(A, NOW), "one right answer does not set free"
    assert book.least_tested([A, B], "other", 2, b"", NOW) == [B]


def test_a_quarantine_ends_and_its_worker_is_a_stranger_again():
    book = TrustBook()
    for _ in range(10):
        book.canary(A, MODEL, NOW, passed=False)
    later = NOW + QUARANTINE_SECONDS
    assert book.quarantined(A, later - 1)
    assert not book.quarantined(A, later)
    assert book.standing(A, MODEL, later) == STRANGER


def test_the_past_fades():
    book = TrustBook()
    for _ in range(20):
        book.canary(A, MODEL, NOW, passed=True)
    fresh = book.standing(A, MODEL, NOW).trust
    old = book.standing(A, MODEL, NOW + 10 * HALF_LIFE_SECONDS).trust
    assert fresh > 0.95
    assert old == pytest.approx(0.5, abs=0.02)
    assert at(STRANGER, 0) == STRANGER
    assert book.standing(A, MODEL, NOW - 5 * DAY).trust == fresh, "a clock that was set back changes nothing"


def test_canaries_go_to_those_that_were_tested_least():
    book = TrustBook()
    for _ in range(3):
        book.canary(A, MODEL, NOW, passed=True)
    book.canary(B, MODEL, NOW, passed=True)
    assert book.least_tested([A, B, C], MODEL, 2, b"draw", NOW) == [C, B]
    orders = {tuple(TrustBook().least_tested([A, B, C], MODEL, 3, bytes([n]), NOW)) for n in range(50)}
    assert len(orders) == 6, "among equals, chance decides"


def test_suspects_are_tested_again_at_once():
    book = TrustBook()
    for _ in range(5):
        book.canary(A, MODEL, NOW, passed=True)
        book.canary(B, MODEL, NOW, passed=True)
    book.canary(A, MODEL, NOW, passed=False)
    book.canary(A, MODEL, NOW, passed=False)
    book.canary(A, MODEL, NOW, passed=False)
    assert book.least_tested([A, B], MODEL, 1, b"", NOW) == [A]


def test_more_canaries_are_sent_while_workers_are_strangers():
    book = TrustBook()
    assert book.canary_share([A, B], MODEL, NOW) == pytest.approx(0.20)
    for _ in range(4):
        book.canary(A, MODEL, NOW, passed=True)
    assert book.canary_share([A, B], MODEL, NOW) == pytest.approx(0.125)
    assert book.canary_share([A], MODEL, NOW) == pytest.approx(0.05)
    assert book.canary_share([], MODEL, NOW) == pytest.approx(0.05)


def test_the_book_survives_being_kept():
    book = TrustBook()
    book.canary(A, MODEL, NOW, passed=True)
    for _ in range(10):
        book.canary(B, MODEL, NOW, passed=False)
    again = TrustBook.decode(book.encode())
    assert again.standing(A, MODEL, NOW) == book.standing(A, MODEL, NOW)
    assert again.quarantined(B, NOW)
    again.forget(B)
    assert not again.quarantined(B, NOW)
    for damaged in (book.encode()[:-2], b"{}", b'[{"node": 1}]'):
        with pytest.raises(MessageInvalid):
            TrustBook.decode(damaged)
