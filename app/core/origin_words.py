"""Where an answer comes from, in words: for the screen, the terminal and saved conversations."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.errors import ChosenHere
from app.core.provenance import JoinedBy, PrivacyLevel, Provenance, Reply
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


def happening(strings: Strings, provenance: Provenance) -> str:
    """What happens now, while other devices are asked."""
    if provenance.fallback:
        return summary(strings, provenance)
    if provenance.fusing:
        return strings("origin.fusing", count=len(provenance.whole))
    if provenance.comparing:
        return strings("origin.comparing")
    if (shown := provenance.reply_of(provenance.shown)) is not None:
        name = name_of(strings, shown)
        if shown.model:
            return strings("origin.writing_with", name=name, model=shown.model)
        return strings("origin.writing", name=name)
    if provenance.position:
        return strings("origin.waiting", count=provenance.position)
    return strings("origin.asking")


def summary(strings: Strings, provenance: Provenance) -> str:
    """Who answered, and how many agree, in one line."""
    if provenance.fallback:
        chosen = provenance.fallback == ChosenHere.__name__
        return strings("origin.chosen_here" if chosen else "origin.fallback")
    whole = provenance.whole
    shown = provenance.reply_of(provenance.shown)
    if provenance.joined_by is JoinedBy.FUSED:
        text = strings("origin.fused", count=len(whole))
    else:
        text = strings("origin.answered", name=name_of(strings, shown)) if shown else strings("origin.nobody")
    compared = [reply for reply in whole if reply.agrees is not None]
    if len(compared) < 2:
        return text
    agree = strings("origin.agree", agreeing=provenance.agreeing, total=len(compared))
    return f"{text} · {agree}"
