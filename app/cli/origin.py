"""Where an answer comes from, on the terminal."""

from __future__ import annotations

import sys

from app.cli.text import dim, printable
from app.core.departed_amounts import amounts
from app.core.origin_words import name_of, summary
from app.core.provenance import Provenance
from app.core.strings import Strings


def print_origin(provenance: Provenance, strings: Strings) -> None:
    """Who answered and how many agree, what others said, and what left; on standard error."""
    for view in provenance.other_views:
        print(strings("origin.other_view", name=name_of(strings, view)), file=sys.stderr)
        print(printable(view.text), file=sys.stderr)
    for original in provenance.originals:
        print(strings("origin.original", name=name_of(strings, original)), file=sys.stderr)
        print(printable(original.text), file=sys.stderr)
    print(dim(_summary_of(strings, provenance)), file=sys.stderr)
    if provenance.departed is None:
        print(dim(strings("origin.nothing_left")), file=sys.stderr)
    else:
        left = strings("origin.left", what=amounts(strings, provenance.departed))
        print(dim(left), file=sys.stderr)


def _summary_of(strings: Strings, provenance: Provenance) -> str:
    reasons = [strings.error_named(provenance.fallback)] if provenance.fallback else []
    if provenance.not_fused is not None:
        reasons.append(strings(f"origin.not_fused.{provenance.not_fused}"))
    return " ".join([summary(strings, provenance), *(f"({reason})" for reason in reasons)])
