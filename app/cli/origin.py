"""Where an answer comes from, on the terminal."""

from __future__ import annotations

import sys

from app.cli.text import dim, printable
from app.core.departed_amounts import amounts
from app.core.device_names import name_of
from app.core.provenance import Provenance
from app.core.strings import Strings


def print_origin(provenance: Provenance, strings: Strings) -> None:
    """Who answered and how many agree, what others said, and what left; on standard error."""
    for view in provenance.other_views:
        print(strings("origin.other_view", name=name_of(strings, view)), file=sys.stderr)
        print(printable(view.text), file=sys.stderr)
    print(dim(_summary(strings, provenance)), file=sys.stderr)
    if provenance.departed is None:
        print(dim(strings("origin.nothing_left")), file=sys.stderr)
    else:
        left = strings("origin.left", what=amounts(strings, provenance.departed))
        print(dim(left), file=sys.stderr)


def _summary(strings: Strings, provenance: Provenance) -> str:
    if provenance.fallback:
        return f"{strings('origin.fallback')} ({strings.error_named(provenance.fallback)})"
    shown = provenance.reply_of(provenance.shown)
    if shown is None:
        return strings("origin.nobody")
    text = strings("origin.answered", name=name_of(strings, shown))
    compared = [reply for reply in provenance.whole if reply.agrees is not None]
    if len(compared) < 2:
        return text
    return f"{text} · {strings('origin.agree', agreeing=provenance.agreeing, total=len(compared))}"
