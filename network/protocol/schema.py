"""The JSON Schema of all messages, for those who write another implementation."""

from __future__ import annotations

from typing import Any, get_args

import msgspec

from network.protocol import cards, frames, jobs, receipts, registration, tickets
from network.protocol.fields import PROTOCOL_VERSION

STATEMENTS = (
    cards.NodeCard,
    registration.RegistrationProof,
    tickets.AssignmentTicket,
    jobs.Grant,
    receipts.Receipt,
    receipts.Verdict,
)
"""All that is signed; carried as bytes inside `Signed.statement`."""

LINKS = {
    "FromWorker": frames.FromWorker,
    "ToWorker": frames.ToWorker,
    "FromAsker": frames.FromAsker,
    "ToAsker": frames.ToAsker,
    "AnswerPart": frames.SEALED[1],
}


def schema() -> dict[str, Any]:
    """One document with every message under `$defs`, and the unions of each link."""
    types = [
        *LINKS.values(),
        *STATEMENTS,
        frames.SEALED[0],
        *frames.STORED,
        *frames.HTTP_ONLY,
    ]
    unions, definitions = msgspec.json.schema_components(types, ref_template="#/$defs/{name}")
    named = dict(zip(LINKS, unions[: len(LINKS)], strict=True))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:dai:protocol:{PROTOCOL_VERSION}",
        "title": f"DAI protocol, version {PROTOCOL_VERSION}",
        "description": "Written by `hatch run docs` from network/protocol; do not edit.",
        "$defs": dict(sorted({**definitions, **named}.items())),
    }


def messages() -> tuple[type[msgspec.Struct], ...]:
    """Every type that travels alone, each once."""
    found: dict[type[msgspec.Struct], None] = {}
    for union in LINKS.values():
        found.update(dict.fromkeys(get_args(union)))
    found.update(dict.fromkeys([*STATEMENTS, frames.SEALED[0], *frames.STORED, *frames.HTTP_ONLY]))
    return tuple(found)
