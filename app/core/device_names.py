"""What the devices behind an answer are called, on the screen, in the terminal and in saved conversations."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.provenance import PrivacyLevel, Provenance, Reply
from app.core.strings import Strings


def name_of(strings: Strings, reply: Reply) -> str:
    """A device as the user knows it; those without a name have a number."""
    return reply.name or strings(f"origin.nameless.{reply.level}", number=reply.node[:6])


def names_of(strings: Strings, provenance: Provenance | None, nodes: Sequence[str]) -> str:
    """Several of them, with the marks of the language between."""
    names = []
    for node in nodes:
        reply = provenance.reply_of(node) if provenance is not None else None
        names.append(name_of(strings, reply or Reply(node=node, level=PrivacyLevel.PUBLIC)))
    return strings("origin.between_names").join(strings.isolate(name) for name in names)
