"""Which models suit this device: of those that are recommended, and of the files of one on the hub."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.core.settings import Language
from engines.memory import MemoryFit, about_memory, memory_fit
from engines.store.catalogue import Catalogue, CatalogueFile, CatalogueModel, Persian
from engines.store.hub import HubFile, HubModel, HubModelDetails

PREFERRED = ("Q4_K_M", "Q4_K_S", "Q4_0", "Q4_1", "IQ4_XS", "IQ4_NL", "MXFP4", "Q5_K_M", "Q6_K", "Q8_0")
"""Where nobody says which file: small enough for most devices, good enough to judge the model by."""

_SMALL_PARAMETERS = 1_000_000_000
"""Below, four bits hurt noticeably, and eight cost little."""
_QUICK_PARAMETERS = 5_000_000_000
"""Above, a usual processor writes more slowly than people read: nothing for the first answer."""
_FITS = (MemoryFit.FITS, MemoryFit.TIGHT, MemoryFit.TOO_LARGE)
_GRADES: tuple[Persian, ...] = ("good", "fair", "weak", "none")


@dataclass(frozen=True, slots=True)
class Memory:
    """What a model may take here."""

    free_bytes: int
    context_tokens: int
    """The window that the settings ask for."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A recommended model, as it would be on this device."""

    model: CatalogueModel
    file: CatalogueFile
    needed_bytes: int
    """In memory, roughly."""
    fit: MemoryFit
    free_bytes: int
    best: bool = False
    """The one to take if only one is taken."""


@dataclass(frozen=True, slots=True)
class FileOffer:
    """A file of a model on the hub, as it would be on this device."""

    file: HubFile
    needed_bytes: int | None
    """In memory, roughly; None where the hub does not tell the file's size."""
    fit: MemoryFit | None
    best: bool = False


def offers(catalogue: Catalogue, memory: Memory, language: Language) -> tuple[Offer, ...]:
    """All recommended models: the best for this device and this language first, what does not fit last."""
    found = [_offer(model, memory) for model in catalogue.models]
    found.sort(key=lambda offer: _rank(offer, language))  # stable: else as in the catalogue
    if not found or found[0].fit is MemoryFit.TOO_LARGE:
        return tuple(found)
    first, *others = found
    best = Offer(first.model, first.file, first.needed_bytes, first.fit, first.free_bytes, best=True)
    return (best, *others)


def file_offers(
    details: HubModelDetails, memory: Memory, recommended: CatalogueModel | None = None
) -> tuple[FileOffer, ...]:
    """The files of a model on the hub: the best for this device first, the others by size."""
    found = [_file_offer(file, _parameters(details, recommended), memory) for file in details.files]
    best = best_file(found, recommended, _parameters(details, recommended))
    if best is None:
        return tuple(found)
    marked = FileOffer(best.file, best.needed_bytes, best.fit, best=True)
    return (marked, *(offer for offer in found if offer is not best))


def best_file(
    found: Sequence[FileOffer], recommended: CatalogueModel | None, parameters: int
) -> FileOffer | None:
    """The file to take; None where nothing is known to fit."""
    names = [file.name for file in recommended.files] if recommended else []
    labels = [file.quantisation for file in recommended.files] if recommended else []
    usual = ("Q8_0", *PREFERRED) if 0 < parameters <= _SMALL_PARAMETERS else PREFERRED
    for fit in (MemoryFit.FITS, MemoryFit.TIGHT):
        fitting = [offer for offer in found if offer.fit is fit]
        for name in names:
            for offer in fitting:
                if offer.file.name == name:
                    return offer
        for label in (*labels, *usual):
            for offer in fitting:
                if offer.file.quantisation == label:
                    return offer
        if fitting:
            return fitting[-1]  # the largest
    return None


def _offer(model: CatalogueModel, memory: Memory) -> Offer:
    """With the first of its files that fits, else with its smallest."""
    made = []
    for file in model.files:
        needed = about_memory(file.about_bytes, model.parameters, memory.context_tokens)
        made.append(Offer(model, file, needed, memory_fit(needed, memory.free_bytes), memory.free_bytes))
    fitting = next((offer for offer in made if offer.fit is MemoryFit.FITS), None)
    return fitting or min(made, key=lambda offer: offer.needed_bytes)


def _rank(offer: Offer, language: Language) -> tuple[int, bool, bool, int]:
    model = offer.model
    return (
        _FITS.index(offer.fit),
        model.gated,
        model.parameters > _QUICK_PARAMETERS,
        _GRADES.index(model.persian) if language == "fa" else 0,
    )


def _file_offer(file: HubFile, parameters: int, memory: Memory) -> FileOffer:
    if file.bytes is None:
        return FileOffer(file, None, None)
    needed = about_memory(file.bytes, parameters, memory.context_tokens)
    return FileOffer(file, needed, memory_fit(needed, memory.free_bytes))


def _parameters(details: HubModelDetails, recommended: CatalogueModel | None) -> int:
    return details.model.parameters or (recommended.parameters if recommended else 0)


def about_sizes(model: HubModel) -> tuple[int, int] | None:
    """Roughly the smallest and the largest of a model's files, in bytes; None where nobody can know."""
    bits = [known for label in model.quantisations if (known := _bits(label)) is not None]
    if not (model.parameters and bits):
        return None
    return int(model.parameters * min(bits) / 8), int(model.parameters * max(bits) / 8)


def _bits(label: str) -> float | None:
    """Roughly the bits of one weight: Q4_K_M has 4.8, IQ2_XS 2.3, Q8_0 8.5."""
    found = re.match(r"(BF|F|I?Q|TQ|MXFP)(\d{1,2})", label)
    if found is None:
        return None
    return float(found[2]) + {"BF": 0, "F": 0, "IQ": 0.3, "TQ": 0.1}.get(found[1], 0.6)
