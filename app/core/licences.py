"""What the hub's short names of licences mean for the user."""

from __future__ import annotations

from enum import StrEnum

from engines.store.catalogue import Licence


class LicenceKind(StrEnum):
    """What a licence allows."""

    OPEN = "open"
    """Everything, with the maker named at most."""
    TERMS = "terms"
    """Much, under terms of its own that have to be agreed to."""
    NOT_COMMERCIAL = "not_commercial"
    """Nothing that earns money."""
    UNKNOWN = "unknown"
    """The model's page tells, or nobody does."""


_OPEN = (
    *(
        "apache-",
        "mit",
        "bsd",
        "cc0-",
        "cc-by-4",
        "cc-by-3",
        "cc-by-2",
        "cc-by-sa-",
        "isc",
        "mpl-",
        "unlicense",
    ),
    *("wtfpl", "zlib", "ecl-", "artistic-", "openmdw", "odc-by", "pddl", "cdla-permissive", "afl-", "bsl-"),
)
_TERMS = {
    "gemma": Licence("Gemma Terms of Use", "https://ai.google.dev/gemma/terms"),
    "llama2": Licence("Llama 2 Community License", "https://www.llama.com/llama2/license/"),
    "llama3": Licence("Llama 3 Community License", "https://www.llama.com/llama3/license/"),
    "llama3.1": Licence("Llama 3.1 Community License", "https://www.llama.com/llama3_1/license/"),
    "llama3.2": Licence("Llama 3.2 Community License", "https://www.llama.com/llama3_2/license/"),
    "llama3.3": Licence("Llama 3.3 Community License", "https://www.llama.com/llama3_3/license/"),
    "llama4": Licence("Llama 4 Community License", "https://www.llama.com/llama4/license/"),
}


def terms_of(tag: str) -> Licence | None:
    """The terms behind a short name, where they go beyond a usual licence; None where they do not."""
    return _TERMS.get(tag.lower())


def licence_kind(tag: str) -> LicenceKind:
    """What a licence allows, by its short name on the hub."""
    tag = tag.lower()
    if tag in _TERMS:
        return LicenceKind.TERMS
    if "-nc" in tag:
        return LicenceKind.NOT_COMMERCIAL
    return LicenceKind.OPEN if tag.startswith(_OPEN) else LicenceKind.UNKNOWN
