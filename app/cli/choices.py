"""What the user means by a name on the command line."""

from __future__ import annotations

from collections.abc import Sequence

from app.cli.errors import CommandError
from app.services import Services
from engines.library import InstalledModel
from rag.model import Collection
from rag.text import search_text


def collections_named(opened: Services, names: Sequence[str]) -> list[Collection]:
    """The collections with these names; case and letter variants do not count. All, where none is named.

    Raises:
        CommandError: there is no such collection.
    """
    if not names:
        return opened.knowledge.collections()
    found = []
    for name in names:
        collection = collection_named(opened, name)
        if collection is None:
            raise CommandError("cli.no_such_collection", name=name)
        found.append(collection)
    return found


def collection_named(opened: Services, name: str) -> Collection | None:
    """The collection with this name, if there is one."""
    wanted = search_text(name.strip())
    same = (c for c in opened.knowledge.collections() if search_text(c.name) == wanted)
    return next(same, None)


def sources_named(
    opened: Services, collections: Sequence[str], documents: Sequence[str]
) -> tuple[list[int], list[int]]:
    """The collections to ask as a whole, and the single documents to ask beside them, by id.

    Documents are looked for in the named collections, or in all; where any are named, only they are asked.

    Raises:
        CommandError: there is no such collection or document.
    """
    among = collections_named(opened, collections)
    if not documents:
        return [collection.id for collection in among], []
    known = [document for collection in among for document in opened.knowledge.documents(collection.id)]
    chosen: list[int] = []
    for name in documents:
        wanted = search_text(name.strip())
        same = [document.id for document in known if search_text(document.title) == wanted]
        if not same:
            raise CommandError("cli.no_document_named", name=name)
        chosen += same
    return [], chosen


def model_named(opened: Services, wanted: str) -> InstalledModel:
    """The installed model with this id, name or file name; the format may follow its name: "Gemma Q4_0".

    Raises:
        CommandError: there is none, or there are several.
    """
    installed = opened.models.installed()
    for model in installed:
        if model.id == wanted:
            return model
    name = wanted.casefold()
    found = [model for model in installed if name in map(str.casefold, _names(model))]
    if not found:
        raise CommandError("cli.no_such_model", name=wanted)
    if len(found) > 1:
        raise CommandError("cli.several_models", name=wanted, ids=", ".join(model.id for model in found))
    return found[0]


def _names(model: InstalledModel) -> tuple[str, ...]:
    return model.id, model.name, f"{model.name} {model.quantisation}", model.path.name, model.path.stem
