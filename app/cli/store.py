"""`dai models catalogue` and `search`: models that can be downloaded."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from app.cli.arguments import AsJson
from app.cli.errors import terminal_strings
from app.cli.session import run, services
from app.cli.text import print_json
from app.core.strings import Strings
from engines.store.catalogue import Catalogue, CatalogueModel
from engines.store.hub import HubModel, HubOrder


class Sort(StrEnum):
    """The orders of a search, as they are typed."""

    DOWNLOADS = "downloads"
    LIKES = "likes"
    UPDATED = "updated"


def catalogue(as_json: AsJson = False) -> None:
    """List the recommended models, with the terms of their use and how good their Persian is. No network."""
    models = Catalogue.load().models
    if as_json:
        print_json(models)
        return
    strings = terminal_strings()
    for model in models:
        for line in _recommended(model, strings):
            print(line)


def search(
    text: Annotated[str, typer.Argument(help="Words of a model's name.")],
    limit: Annotated[int, typer.Option("--limit", min=1, max=100, help="At most so many.")] = 20,
    language: Annotated[
        str | None, typer.Option("--language", help="Only models whose makers name it, such as fa.")
    ] = None,
    sort: Annotated[
        Sort, typer.Option("--sort", help="What comes first: most downloads, most likes, last updated.")
    ] = Sort.DOWNLOADS,
    as_json: AsJson = False,
) -> None:
    """Search the hub for models in GGUF files; those that most people download come first."""
    run(_search(text, limit, language, HubOrder[sort.name], as_json=as_json))


async def _search(text: str, limit: int, language: str | None, order: HubOrder, *, as_json: bool) -> None:
    async with services() as opened:
        found = await opened.store.search(text, limit, language, order)
    if as_json:
        print_json(found)
        return
    strings = terminal_strings()
    if not found:
        print(strings("cli.nothing_on_hub", text=text))
    for model in found:
        print(_hit(model, strings))


def _recommended(model: CatalogueModel, strings: Strings) -> list[str]:
    file = model.files[0]
    facts = [
        strings.isolate(model.name),
        strings("cli.about_size", size=strings.size(file.about_bytes)),
        strings(f"catalogue.persian.{model.persian}"),
        strings.isolate(model.licence.name),
    ]
    description = model.description.fa if strings.language == "fa" else model.description.en
    return [" · ".join(facts), f"    {description}", f"    {strings.isolate(model.id)}"]


def _hit(model: HubModel, strings: Strings) -> str:
    facts = [strings.isolate(model.repository), strings("cli.downloads", count=model.downloads)]
    if model.licence:
        facts.append(strings.isolate(model.licence))
    if model.gated:
        facts.append(strings("cli.gated"))
    return " · ".join(facts)
