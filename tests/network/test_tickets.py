"""A ticket tells who drew the workers of a question."""

from __future__ import annotations

import pytest

from network.balancing import Choice
from network.errors import SignatureInvalid
from network.tickets import CLOCK_TOLERANCE_SECONDS, TICKET_SECONDS, check_ticket, issue_ticket

JOB, ASKER = "a" * 32, "b" * 32
NODES = ["1" * 32, "2" * 32, "3" * 32]
CHOICE = Choice((NODES[0], NODES[1]), (NODES[2],))
WANTED = {"job": JOB, "asker": ASKER, "nodes": NODES}


def test_a_ticket_holds_for_the_workers_that_were_drawn(keys, now):
    signed = issue_ticket(keys.identity, CHOICE, job=JOB, asker=ASKER, now=now)
    ticket = check_ticket(signed, keys.public, **WANTED, now=now + TICKET_SECONDS)
    assert (ticket.workers, ticket.spares) == (CHOICE.workers, CHOICE.spares)


@pytest.mark.parametrize(
    "change",
    [
        {"job": "c" * 32},
        {"asker": "c" * 32},
        {"nodes": NODES[:2]},
        {"nodes": [NODES[1], NODES[0], NODES[2]]},
        {"nodes": [*NODES, "4" * 32]},
    ],
)
def test_it_holds_for_nothing_else(keys, now, change):
    signed = issue_ticket(keys.identity, CHOICE, job=JOB, asker=ASKER, now=now)
    with pytest.raises(SignatureInvalid):
        check_ticket(signed, keys.public, **{**WANTED, **change}, now=now)


def test_it_holds_for_a_short_time(keys, now):
    signed = issue_ticket(keys.identity, CHOICE, job=JOB, asker=ASKER, now=now)
    late = TICKET_SECONDS + CLOCK_TOLERANCE_SECONDS + 1
    for moment in (now - CLOCK_TOLERANCE_SECONDS - 1, now + late):
        with pytest.raises(SignatureInvalid):
            check_ticket(signed, keys.public, **WANTED, now=moment)


@pytest.mark.parametrize("behind", [1, 200, CLOCK_TOLERANCE_SECONDS])
def test_another_router_whose_clock_is_behind_takes_it(keys, now, behind):
    signed = issue_ticket(keys.identity, CHOICE, job=JOB, asker=ASKER, now=now)
    assert check_ticket(signed, keys.public, **WANTED, now=now - behind).issued == now


def test_an_asker_cannot_write_its_own(keys, other_keys, now):
    signed = issue_ticket(other_keys.identity, CHOICE, job=JOB, asker=ASKER, now=now)
    with pytest.raises(SignatureInvalid):
        check_ticket(signed, keys.public, **WANTED, now=now)
