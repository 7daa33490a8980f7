"""The Persian calendar."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from app.core.jalali import jalali


@pytest.mark.parametrize(
    ("day", "persian"),
    [
        (date(1979, 2, 11), (1357, 11, 22)),
        (date(2000, 1, 1), (1378, 10, 11)),
        (date(2017, 3, 20), (1395, 12, 30)),
        (date(2024, 2, 29), (1402, 12, 10)),
        (date(2025, 3, 20), (1403, 12, 30)),
        (date(2025, 3, 21), (1404, 1, 1)),
        (date(2026, 3, 20), (1404, 12, 29)),
        (date(2026, 11, 24), (1405, 9, 3)),
    ],
)
def test_days_that_are_known(day, persian):
    assert jalali(day) == persian


def test_every_day_follows_the_one_before():
    before = jalali(date(1990, 1, 1))
    for number in range(1, 40 * 366):
        after = jalali(date(1990, 1, 1) + timedelta(days=number))
        year, month, day = before
        first_of_next = (year, month + 1, 1) if month < 12 else (year + 1, 1, 1)
        assert after in ((year, month, day + 1), first_of_next)
        assert 29 <= day <= 31 or after == (year, month, day + 1)
        before = after
