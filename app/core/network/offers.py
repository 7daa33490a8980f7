"""Which models other devices offer, to choose one of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from app.core.errors import NoRouter
from app.core.network.preparation import Preparation
from app.core.network.routers import Router, Routers
from app.core.network.selecting import Selected
from app.core.provenance import PrivacyLevel
from network.client.router_client import RouterClient
from network.errors import NetworkError, NoWorkerFits
from network.protocol.routers import Pool

log = logging.getLogger(__name__)

_ANY_LENGTH = 0
"""Tokens: devices that can only answer short questions offer their models, too."""


@dataclass(frozen=True, slots=True)
class OfferedModel:
    """A model that other devices answer with."""

    model: str
    """Its tag."""
    devices: int


class Offers:
    """Asks the routers who is there. Nothing of any question leaves for that."""

    def __init__(
        self,
        routers: Routers,
        open_client: Callable[[Router], AbstractAsyncContextManager[RouterClient]],
        preparation: Preparation,
    ) -> None:
        self._routers = routers
        self._open_client = open_client
        self._preparation = preparation

    async def models(self, level: PrivacyLevel) -> tuple[OfferedModel, ...]:
        """The models of devices that may be asked at this level; those of most devices first.

        Raises:
            NoRouter: none is set up.
            NetworkError: no router has told; the reason of the first one.
        """
        routers = await asyncio.to_thread(self._routers.enabled)
        if not routers:
            raise NoRouter
        found: dict[str, Selected] = {}
        pools: list[Pool] = []
        errors: list[NetworkError] = []
        for router in routers:
            async with self._open_client(router) as client:
                try:
                    there = await self._preparation.find(client, router, level, _ANY_LENGTH, None)
                    found |= {one.card.node: one for one in there.selected}
                    if level is PrivacyLevel.PUBLIC:
                        pools.append(await client.pool())
                except NoWorkerFits:
                    continue
                except NetworkError as error:
                    log.info("a router told no models: %s", type(error).__name__)
                    errors.append(error)
        if len(errors) == len(routers):
            raise errors[0]
        return offered(found.values(), pools)


def offered(selected: Iterable[Selected], pools: Iterable[Pool] = ()) -> tuple[OfferedModel, ...]:
    """The models on the cards of these devices, and those of the public ones that routers have counted.

    A router shows a few cards only, so that its count may be the larger one.
    """
    shown: dict[str, set[str]] = {}
    for one in selected:
        for offer in one.card.models:
            shown.setdefault(offer.model, set()).add(one.card.node)
    devices = {model: len(nodes) for model, nodes in shown.items()}
    for pool in pools:
        for count in pool.models:
            devices[count.model] = max(devices.get(count.model, 0), count.workers)
    models = (OfferedModel(model, count) for model, count in devices.items() if count)
    return tuple(sorted(models, key=lambda one: (-one.devices, one.model)))
