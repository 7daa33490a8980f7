"""How much one address or one asker may do: buckets that fill again with time, and counts by day."""

from __future__ import annotations

import ipaddress
from collections import Counter
from dataclasses import dataclass

MOST_KEYS = 50_000
_DAY = 86_400


class RateLimit:
    """So many a minute for each key, and as many at once after a pause. The caller tells the time."""

    def __init__(self, per_minute: int) -> None:
        self._most = float(per_minute)
        self._per_second = per_minute / 60
        self._buckets: dict[str, tuple[float, float]] = {}

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: str, now: float) -> float:
        """Take one; 0 if there was one, else how many seconds to wait. Nothing is taken then."""
        left, since = self._buckets.pop(key, (self._most, now))
        left = min(self._most, left + (now - since) * self._per_second)
        wait = 0.0 if left >= 1 else (1 - left) / self._per_second
        self._buckets[key] = (left if wait else left - 1), now
        if len(self._buckets) > MOST_KEYS:
            self._forget(now)
        return wait

    def _forget(self, now: float) -> None:
        """Full buckets are as good as none; of the others, those that were used last are kept."""
        self._buckets = {
            key: kept
            for key, kept in list(self._buckets.items())[-MOST_KEYS // 2 :]
            if kept[0] + (now - kept[1]) * self._per_second < self._most
        }


class DailyQuota:
    """So many a day for each key; days begin at midnight UTC. The caller tells seconds since 1970."""

    def __init__(self, per_day: int) -> None:
        self._most = per_day
        self._day = 0
        self._counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._counts)

    def take(self, key: str, wall: float) -> float:
        """Take one; 0 if there was one, else how many seconds until tomorrow."""
        day = int(wall // _DAY)
        if day != self._day:
            self._day = day
            self._counts.clear()
        if self._counts[key] >= self._most:
            return (day + 1) * _DAY - wall
        self._counts[key] += 1
        if len(self._counts) > MOST_KEYS:
            # Keys cost nothing: what an inventor of many could gain here, the limit by address takes away.
            self._counts = Counter(dict(self._counts.most_common(MOST_KEYS // 2)))
        return 0.0


@dataclass(slots=True)
class Places:
    """How many things may be open at once for each key, and all together."""

    each: int
    total: int
    taken: Counter[str]
    count: int = 0

    @classmethod
    def of(cls, *, each: int, total: int) -> Places:
        """With nothing taken."""
        return cls(each, total, Counter())

    def enter(self, key: str) -> bool:
        """Take a place, if there is one; to be given back with `leave`."""
        if self.count >= self.total or self.taken[key] >= self.each:
            return False
        self.taken[key] += 1
        self.count += 1
        return True

    def leave(self, key: str) -> None:
        """Give a place back."""
        self.count -= 1
        self.taken[key] -= 1
        if self.taken[key] <= 0:
            del self.taken[key]


def network_of(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 that one IPv6 customer has."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False).network_address)
    return str(found)
