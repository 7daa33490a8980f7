"""`dai network models`: which models other devices offer."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.asking import NetworkLevel, level_of
from app.cli.session import run, services, strings_of
from app.cli.text import print_json
from app.core.network.offers import OfferedModel


def models(
    level: Annotated[
        NetworkLevel,
        typer.Option(help="Whose devices: your own, your circles' too, or strangers' too."),
    ] = NetworkLevel.MY_DEVICES,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the models that other devices offer now, for `dai ask --network-model`. They are asked nothing."""
    run(_models(level, as_json=as_json))


async def _models(level: NetworkLevel, *, as_json: bool) -> None:
    async with services() as opened:
        found: tuple[OfferedModel, ...] = await opened.network.offers.models(level_of(level))
        strings = strings_of(opened)
    if as_json:
        print_json(found)
        return
    if not found:
        print(strings("level.models_none"))
    for one in found:
        print(strings("level.model_devices", model=one.model, count=one.devices))
