"""How much one address, one asker and all together may do."""

from __future__ import annotations

import random

import pytest

from network.router.http.limits import MOST_KEYS, DailyQuota, Places, RateLimit, network_of

pytestmark = pytest.mark.desktop("a server")


def test_a_bucket_gives_what_it_holds_and_fills_again():
    limit = RateLimit(per_minute=3)
    assert [limit.take("a", 100.0) for _ in range(3)] == [0, 0, 0]
    assert limit.take("a", 100.0) == pytest.approx(20)
    assert limit.take("b", 100.0) == 0, "others have their own"
    assert limit.take("a", 119.0) > 0
    assert limit.take("a", 121.0) == 0
    assert limit.take("a", 121.0) > 0


def test_a_pause_fills_the_bucket_and_no_more():
    limit = RateLimit(per_minute=2)
    limit.take("a", 0.0)
    assert [limit.take("a", 10_000.0) > 0 for _ in range(3)] == [False, False, True]


def test_whatever_comes_no_minute_sees_more_than_twice_the_limit():
    chance = random.Random(5)
    limit, now, given = RateLimit(per_minute=10), 0.0, []
    for _ in range(3_000):
        now += chance.expovariate(2)
        if limit.take("a", now) == 0:
            given.append(now)
    for start in given:
        assert sum(start <= moment < start + 60 for moment in given) <= 20


def test_keys_that_are_made_up_do_not_fill_the_memory():
    limit, quota = RateLimit(per_minute=5), DailyQuota(per_day=5)
    for number in range(MOST_KEYS + 10):
        limit.take(str(number), 1.0)
        quota.take(str(number), 1.0)
    assert len(limit) <= MOST_KEYS
    assert len(quota) <= MOST_KEYS


def test_a_quota_is_there_again_the_next_day():
    quota = DailyQuota(per_day=2)
    noon = 86_400 * 20_000 + 43_200.0
    assert [quota.take("a", noon) for _ in range(3)] == [0, 0, 43_200]
    assert quota.take("b", noon) == 0
    assert quota.take("a", noon + 43_200) == 0


def test_places_are_limited_for_each_and_for_all():
    places = Places.of(each=2, total=3)
    assert [places.enter(key) for key in "aaab"] == [True, True, False, True]
    assert not places.enter("c")
    places.leave("a")
    assert places.enter("c")
    for key in "abc":
        places.leave(key)
    assert (places.count, dict(places.taken)) == (0, {})


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("unix", "unix"),
    ],
)
def test_the_addresses_of_one_customer_count_as_one(address, counted):
    assert network_of(address) == counted
