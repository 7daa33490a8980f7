"""Notices that the device has slept, or is in another network: what was connected then is dead."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress

SLEPT_SECONDS = 20.0
"""So much longer than it should have taken from one look to the next."""
_SOMEWHERE = (("192.0.2.1", socket.AF_INET), ("2001:db8::1", socket.AF_INET6))
"""Addresses for documentation (RFC 5737, RFC 3849): nothing is there, and nothing is sent."""


def own_addresses() -> frozenset[str]:
    """The addresses from which this device would speak to the world; empty without a network.

    A datagram socket that is "connected" asks the system for its route, and sends nothing.
    """
    found: set[str] = set()
    for address, family in _SOMEWHERE:
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.connect((address, 9))
            found.add(asking.getsockname()[0])
    return frozenset(found)


class Waking:
    """To be asked every now and then. Clocks and addresses are arguments for the tests."""

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        addresses: Callable[[], frozenset[str]] = own_addresses,
    ) -> None:
        self._clocks = (wall, monotonic)
        self._addresses = addresses
        self._last = (wall(), monotonic())
        self._from = addresses()

    def look(self, every_seconds: float) -> bool:
        """Whether connections have to be made anew; this is asked every so many seconds.

        In sleep one of the two clocks stands still on some systems, and none on others. Losing the network is
        no reason: there is nothing to connect to before another one is there.
        """
        now = (self._clocks[0](), self._clocks[1]())
        passed = max(now[0] - self._last[0], now[1] - self._last[1])
        self._last = now
        addresses = self._addresses()
        moved = bool(addresses) and addresses != self._from
        if addresses:
            self._from = addresses
        return moved or passed > every_seconds + SLEPT_SECONDS
