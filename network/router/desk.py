"""What a router is, for all that speak to it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from network.broker.protocol import Broker
from network.router.invitations import Invitations
from network.router.timings import Timings


@dataclass(frozen=True, slots=True)
class RouterTimes:
    """How long a router waits, in seconds."""

    lease: int = 15
    grace: int = 3
    """How long a worker whose connection has broken may come back to its questions; shorter than a lease."""
    ping: int = 20
    registration: int = 10


@dataclass(frozen=True, slots=True)
class RouterDesk:
    """A router's key, addresses, broker and clock. The broker's leases must be as long as `times.lease`."""

    key: Ed25519PrivateKey = field(repr=False)
    origins: frozenset[str]
    """The addresses at which workers reach it, such as https://router.example."""
    broker: Broker
    times: RouterTimes = RouterTimes()
    invites: Invitations | None = None
    """They admit a worker; None admits everybody."""
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    """For tokens and draws. Routers that share a broker share it."""
    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    timings: Timings = field(default_factory=Timings, repr=False)
    """How long it has taken so far: for people who look after the router, as the next."""
    counts: Counter[str] = field(default_factory=Counter, repr=False)
    """What has happened so far, by name: for people who look after the router."""

    @property
    def public(self) -> bytes:
        """The raw Ed25519 public key."""
        return self.key.public_key().public_bytes_raw()

    def now(self) -> int:
        """Seconds since 1970."""
        return int(self.wall())

    def admits(self, invite: str) -> bool:
        """Whether a worker with this invitation may register; takes the same time for every wrong one."""
        return self.invites is None or self.invites.find(invite) is not None

    def token(self, purpose: str, *parts: str) -> bytes:
        """32 bytes that only this router can make, the same for the same parts."""
        message = "\0".join((purpose, *parts)).encode()
        return hmac.digest(self.secret, message, hashlib.sha256)
