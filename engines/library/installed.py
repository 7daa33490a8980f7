"""One installed model, as the lists show it."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from engines.families import find_family
from engines.gguf import FileKind, GgufHeader
from engines.library.downloaded import ModelSource
from engines.split_files import parts_beside


class Origin(StrEnum):
    """Where a model's file comes from."""

    STARTER = "starter"
    SIDELOADED = "sideloaded"
    LINKED = "linked"
    DOWNLOADED = "downloaded"


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model that can be loaded."""

    id: str
    """Stays the same across restarts."""
    name: str
    path: Path
    bytes: int
    kind: FileKind
    architecture: str
    family: str
    """The name of its `Family`: the same that `ModelInfo.family` tells once it is loaded."""
    quantisation: str
    parameters: int
    trained_context: int
    has_chat_template: bool
    origin: Origin
    source: ModelSource | None = None
    """The file of a hub that it was downloaded from."""
    parts: int = 1
    """Files that it is split into; `path` is the first of them, and `bytes` all together."""

    @property
    def paths(self) -> tuple[Path, ...]:
        """All its files."""
        return parts_beside(self.path) if self.parts > 1 else (self.path,)

    @property
    def removable(self) -> bool:
        """Whether the user may remove it; the starter belongs to the app."""
        return self.origin is not Origin.STARTER


def describe(header: GgufHeader, origin: Origin, source: ModelSource | None = None) -> InstalledModel:
    """An installed model from its file's header."""
    return InstalledModel(
        id=_id(header.path, origin),
        name=header.name,
        path=header.path,
        bytes=header.file_bytes,
        kind=header.kind,
        architecture=header.architecture,
        family=find_family(header).name,
        quantisation=header.quantisation,
        parameters=header.parameters,
        trained_context=header.trained_context,
        has_chat_template=header.has_chat_template,
        origin=origin,
        source=source,
        parts=header.file_parts,
    )


def _id(path: Path, origin: Origin) -> str:
    if origin is Origin.LINKED:
        return f"linked:{hashlib.sha256(os.fsencode(path)).hexdigest()[:12]}"
    return f"{origin.value}:{path.stem}"
