"""The Persian calendar (Solar Hijri), by which Persian speakers date their days."""

from __future__ import annotations

from datetime import date

_DAYS_BEFORE_MONTH = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)
_FOUR_YEARS = 1461
_CYCLE_YEARS, _CYCLE_DAYS = 33, 12053
"""The leap years recur with this cycle; it agrees with the astronomical calendar from 1925 to 2088."""


def jalali(day: date) -> tuple[int, int, int]:
    """Year, month and day in the Persian calendar."""
    leaps_until = day.year + 1 if day.month > 2 else day.year
    days = (
        355_666
        + 365 * day.year
        + (leaps_until + 3) // 4
        - (leaps_until + 99) // 100
        + (leaps_until + 399) // 400
        + day.day
        + _DAYS_BEFORE_MONTH[day.month - 1]
    )
    cycles, days = divmod(days, _CYCLE_DAYS)
    fours, days = divmod(days, _FOUR_YEARS)
    year = -1595 + _CYCLE_YEARS * cycles + 4 * fours
    if days > 365:
        more, days = divmod(days - 1, 365)
        year += more
    if days < 186:  # six months of 31 days
        return year, 1 + days // 31, 1 + days % 31
    return year, 7 + (days - 186) // 30, 1 + (days - 186) % 30
