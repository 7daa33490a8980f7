"""What the owner of a router decides."""

from __future__ import annotations

from dataclasses import dataclass, field

from network.router.desk import RouterTimes
from network.router.invitations import Invitations


@dataclass(frozen=True, slots=True)
class RouterSettings:
    """Limits are per router process; those per key and address are forgotten at a restart."""

    origins: frozenset[str]
    """The addresses at which devices reach the router, such as https://router.example.

    A worker that means another one is refused, so that nobody can pass its registration on.
    """
    name: str = ""
    """What people see before they join."""
    invites: Invitations | None = None
    """They admit a worker, and may change while the router runs; without, everybody is admitted."""
    invite_to_ask: bool = False
    """Whether askers need one of these words, too."""
    admin_token: str = field(default="", repr=False)
    """Opens the owner's page and the metrics from other machines; empty: nobody can."""
    max_workers: int = 2_000
    """Workers that are connected at the same time; the next one is told to come back later."""
    max_questions: int = 10_000
    """Questions that are kept at the same time; the next one is told when to come back."""
    links_per_address: int = 100
    """Connections of workers from one address; behind one home or office there may be many."""
    max_streams: int = 10_000
    """Questions whose answers are being listened to at the same time."""
    streams_per_address: int = 500
    """Questions whose answers are being listened to from one address."""
    requests_per_minute: int = 600
    """From one address, short bursts of as many included."""
    questions_per_minute: int = 60
    """Of one asker, who is known by the key that signs its questions."""
    questions_per_day: int = 5_000
    """Of one asker."""
    body_seconds: float = 30.0
    """How long sending a request may take."""
    write_seconds: float = 20.0
    """A reader that takes nothing for so long is cut off."""
    quiet_seconds: float = 15.0
    """A sign of life on every stream of answers at least so often: proxies close what seems dead."""
    link_grace_seconds: float = 15.0
    """How long a worker without WebSocket may be without its stream of events."""
    drain_seconds: float = 60.0
    """How long running answers may go on when the router shall stop."""
    retry_seconds: int = 5
    """When devices shall come back after a restart; they add a moment by chance."""
    times: RouterTimes = field(default_factory=RouterTimes)
    """Leases, signs of life and the limit of a registration."""
