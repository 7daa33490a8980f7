"""A router's word that it has drawn the workers of a question, and not the asker.

The asker gives it back with the question, and each worker gets it with the lease: a receipt can then be told
from one between friends.
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from network.balancing import Choice
from network.errors import SignatureInvalid
from network.protocol.message import Signed
from network.protocol.tickets import AssignmentTicket
from network.signatures import sign, verify

TICKET_SECONDS = 120
"""From the choice to the question: the asker has to read a preview and agree."""
CLOCK_TOLERANCE_SECONDS = 300
"""The question may come to another router of the same installation, whose clock differs."""


def issue_ticket(router: Ed25519PrivateKey, choice: Choice, *, job: str, asker: str, now: int) -> Signed:
    """Signed by the router's key."""
    ticket = AssignmentTicket(
        router=router.public_key().public_bytes_raw(),
        job=job,
        asker=asker,
        workers=choice.workers,
        spares=choice.spares,
        issued=now,
        expires=now + TICKET_SECONDS,
    )
    return sign(ticket, router)


def check_ticket(
    signed: Signed, router: bytes, *, job: str, asker: str, nodes: Sequence[str], now: int
) -> AssignmentTicket:
    """The ticket, if this router drew exactly these nodes, workers and then spares, for this job and asker.

    Raises:
        MessageError: it did not, or too long ago; SignatureInvalid if it is a ticket, but not this one.
    """
    ticket = verify(signed, AssignmentTicket, router)
    if (ticket.router, ticket.job, ticket.asker) != (router, job, asker):
        raise SignatureInvalid("a ticket for another question")
    if [*ticket.workers, *ticket.spares] != list(nodes):
        raise SignatureInvalid("a ticket for other workers")
    if not ticket.issued - CLOCK_TOLERANCE_SECONDS <= now <= ticket.expires + CLOCK_TOLERANCE_SECONDS:
        raise SignatureInvalid("a ticket of another time")
    return ticket
