"""What is told and kept of an answer from elsewhere, when all have been heard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from app.core.citations import renumbered
from app.core.network.departure import Departure
from app.core.network.joining import Joined
from app.core.network.listening import Listening
from app.core.network.panel import Panel, Seat
from app.core.network.passages import QuotedAnswer
from app.core.provenance import Provenance, ReplyState
from app.core.redaction import restore
from engines.protocol import Usage


def agreeing(joined: Joined, whole: Sequence[Seat]) -> list[QuotedAnswer]:
    """What the answer rests on: its own passages, and those of the devices that say the same."""
    agreeing = [seat for seat in whole if seat is not joined.best and joined.agrees.get(seat.node)]
    return quoted([joined.best, *agreeing])


def quoted(seats: Iterable[Seat]) -> list[QuotedAnswer]:
    """The most trusted first."""
    trusted = sorted(seats, key=lambda seat: seat.trust, reverse=True)
    return [QuotedAnswer(seat.node, seat.trust, seat.text, seat.sources()) for seat in trusted]


def compared(
    provenance: Provenance,
    panel: Panel,
    joined: Joined,
    departure: Departure,
    originals: Mapping[str, str],
) -> Provenance:
    """What is kept about everybody who was asked; `originals`: the answers to be put together, by node."""
    replies = []
    for seat in panel.seats.values():
        if seat.spare and seat.state in (ReplyState.ASKED, ReplyState.LEFT_OUT) and not seat.text:
            continue  # a spare that nobody has called
        agrees = joined.agrees.get(seat.node)
        reply = seat.reply(agrees=agrees)
        if seat.node in originals:
            reply = msgspec.structs.replace(reply, text=originals[seat.node])
        elif agrees is False:
            # Its numbers belong to a list that is not shown.
            text = renumbered(seat.text, dict.fromkeys(seat.citations))
            reply = msgspec.structs.replace(reply, text=restore(text, departure.placeholders))
        replies.append(reply)
    return msgspec.structs.replace(
        provenance,
        replies=tuple(replies),
        shown=joined.best.node,
        joined_by=joined.by,
        comparing=False,
        position=0,
    )


def usage(listening: Listening, best: Seat) -> Usage:
    """What the shown answer has cost its device, and this one's user."""
    first = listening.first_words_seconds or 0.0
    return Usage(
        prompt_tokens=0,
        reused_tokens=0,
        answer_tokens=best.tokens,
        time_to_first_token=first,
        generation_seconds=max(0.0, best.seconds - first),
    )
