"""A worker proves to a router who it is: by signing what the router has just made up.

The proof names the router, by its key and by the address at which the worker reached it. A router that passes
the challenge of another one on gets a proof that is worth nothing there.
"""

from __future__ import annotations

import os

from network.errors import SignatureInvalid
from network.keys import DeviceKeys
from network.protocol.cards import NodeCard
from network.protocol.registration import Challenge, Proof, RegistrationProof
from network.signatures import sign, verify

CLOCK_TOLERANCE_SECONDS = 300


def new_challenge(router: bytes) -> Challenge:
    """A router's question, to be used for one link only; `router` is its Ed25519 public key."""
    return Challenge(nonce=os.urandom(32), router=router)


def prove(challenge: Challenge, origin: str, keys: DeviceKeys, now: int) -> Proof:
    """A worker's answer; `origin` is the router's address as this device has it, such as https://a.example."""
    statement = RegistrationProof(
        node=keys.node, router=challenge.router, origin=origin, nonce=challenge.nonce, issued=now
    )
    return Proof(proof=sign(statement, keys.identity))


def check_proof(
    proof: Proof, challenge: Challenge, card: NodeCard, origins: frozenset[str], now: int
) -> None:
    """Whether the device of this card has answered this challenge, at one of the router's own addresses.

    Raises:
        MessageError: it has not; SignatureInvalid if it is a proof, but not this one.
    """
    statement = verify(proof.proof, RegistrationProof, card.identity)
    if (statement.node, statement.router, statement.nonce) != (card.node, challenge.router, challenge.nonce):
        raise SignatureInvalid("a proof for another challenge")
    if statement.origin not in origins:
        raise SignatureInvalid("a proof for another router")
    if abs(statement.issued - now) > CLOCK_TOLERANCE_SECONDS:
        raise SignatureInvalid("a proof of another time")
