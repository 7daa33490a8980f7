"""The models that DAI recommends, as data: catalogue.toml."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from engines.errors import CatalogueInvalid

_FILE = Path(__file__).with_name("catalogue.toml")

Persian = Literal["none", "weak", "fair", "good"]

_Text = Annotated[str, msgspec.Meta(min_length=1)]
_Count = Annotated[int, msgspec.Meta(gt=0)]


class Licence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Under which terms a model may be used."""

    name: _Text
    url: Annotated[str, msgspec.Meta(pattern="^https://")]


class Description(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a model is good for, in one sentence."""

    en: _Text
    fa: _Text


class CatalogueFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of a model's files."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[^/\\][^\\]*\.gguf$")]
    quantisation: _Text
    about_bytes: _Count
    """Its size: exact where the hash is pinned; else rough, until the hub tells it before a download."""
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")] | None = None
    """Where it is known and pinned, nothing else is accepted."""


class CatalogueModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A recommended model."""

    id: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
    name: _Text
    family: _Text
    description: Description
    repository: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][\w.-]*/[\w.-]+$")]
    revision: _Text = "main"
    licence: Licence
    needs_acceptance: bool
    """Whether its terms go beyond a usual open licence, so that the user has to agree to them first."""
    gated: bool = False
    """Whether the hub wants an account and a token for it."""
    languages: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    """What its makers say it speaks."""
    persian: Persian
    """How good its Persian is: none is unusable, weak makes many mistakes, fair does for everyday texts."""
    parameters: _Count
    """Roughly."""
    trained_context: _Count
    files: Annotated[tuple[CatalogueFile, ...], msgspec.Meta(min_length=1)]
    """The recommended one first."""


class Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All recommended models, in the order in which to show them."""

    models: tuple[CatalogueModel, ...]

    @classmethod
    def load(cls, path: Path | None = None) -> Catalogue:
        """Read and check a list: the one that came with the app, or the one that `DAI_CATALOGUE` names.

        Raises:
            CatalogueInvalid: it cannot be read, or contradicts itself.
        """
        path = path or Path(os.environ.get("DAI_CATALOGUE") or _FILE)
        try:
            catalogue = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), cls)
        except (OSError, ValueError, RecursionError) as error:
            raise CatalogueInvalid(str(error)) from error
        for name in _repeated(catalogue):
            raise CatalogueInvalid(f"{name} is there twice")
        return catalogue

    def get(self, id: str) -> CatalogueModel | None:
        """The model with this id."""
        return next((model for model in self.models if model.id == id), None)

    def of_repository(self, repository: str) -> CatalogueModel | None:
        """The model whose files lie in this repository of the hub."""
        wanted = repository.casefold()
        return next((model for model in self.models if model.repository.casefold() == wanted), None)


def _repeated(catalogue: Catalogue) -> Iterator[str]:
    seen: set[str] = set()
    for model in catalogue.models:
        for name in (model.id, model.repository.casefold(), *(f"{model.id}/{f.name}" for f in model.files)):
            if name in seen:
                yield name
            seen.add(name)
