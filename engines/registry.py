"""Engines by name: the ones of this house, and those that other packages bring.

To bring an engine from a package of your own (tests/engines/example_plugin is a complete one):

1. write an engine as `engines.protocol` says;
2. write a class with what `EngineKind` has;
3. name an object of that class in your package's metadata, under the group `dai.engines`, by its `name`;
4. install the package beside DAI: `dai doctor` lists it, or says why it is left out.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Protocol

from engines.errors import EngineCrashed, EngineError, EngineUnavailable
from engines.protocol import Engine, LoadOptions
from engines.remote.connection import NO_KEY, ServerAccess

GROUP = "dai.engines"
"""Entry point group of third-party engines."""

Source = Path | str
"""A model: a file or folder of this device, or an address."""

log = logging.getLogger(__name__)


class EngineKind(Protocol):
    """One way to run models."""

    @property
    def name(self) -> str:
        """What people choose it by; the same as in the package's metadata."""
        ...

    def can_open(self, source: Source) -> bool:
        """Whether this is a model for it. Called in a thread; reads no more than a file's beginning."""
        ...

    async def open(self, source: Source, options: LoadOptions, access: ServerAccess) -> Engine:
        """Open a model.

        Args:
            source: what `can_open` agreed to, or what the user insists on.
            options: how to load it.
            access: key and proxy of the server, where the model is on one.

        Raises:
            EngineError: the leaf says what is wrong.
        """
        ...


@dataclass(frozen=True, slots=True)
class BrokenPlugin:
    """An engine of another package that cannot be used."""

    name: str
    package: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Plugins:
    kinds: dict[str, EngineKind]
    broken: tuple[BrokenPlugin, ...]


class EngineRegistry:
    """All kinds of engines. Other packages are imported when one is first looked for, not before.

    Args:
        own: kinds of this house; no other package can take their names.
        discover: finds the entry points of other packages.
    """

    def __init__(
        self,
        own: Sequence[EngineKind],
        discover: Callable[[], Iterable[EntryPoint]] = lambda: entry_points(group=GROUP),
    ) -> None:
        self._own = {kind.name: kind for kind in own}
        self._discover = discover

    @property
    def names(self) -> list[str]:
        """The names of all engines, those of this house first."""
        return [*self._own, *self._plugins.kinds]

    @property
    def plugins(self) -> list[str]:
        """The names of the engines of other packages."""
        return list(self._plugins.kinds)

    @property
    def broken(self) -> tuple[BrokenPlugin, ...]:
        """Engines of other packages that are left out, each with the reason."""
        return self._plugins.broken

    def get(self, name: str) -> EngineKind:
        """The engine with this name.

        Raises:
            EngineUnavailable: there is none, or its package is broken.
        """
        kind = self._own.get(name) or self._plugins.kinds.get(name)
        if kind is None:
            reasons = [plugin.reason for plugin in self.broken if plugin.name == name]
            raise EngineUnavailable(name, *reasons[:1])
        return kind

    async def find(self, source: Source) -> EngineKind | None:
        """The first engine that can open this; those of this house are asked first."""
        for kind in self._own.values():
            if await asyncio.to_thread(kind.can_open, source):
                return kind
        plugins = await asyncio.to_thread(lambda: self._plugins)
        for name, kind in plugins.kinds.items():
            try:
                if await asyncio.to_thread(kind.can_open, source):
                    return kind
            except Exception as error:  # noqa: BLE001 - another package's fault is not the end of ours
                log.warning("the engine %s of another package fails: %s", name, type(error).__name__)
        return None

    async def open(
        self, kind: EngineKind, source: Source, options: LoadOptions, access: ServerAccess = NO_KEY
    ) -> Engine:
        """Open a model; a foreign engine's own exceptions become ours.

        Raises:
            EngineError: the leaf says what is wrong.
        """
        try:
            return await kind.open(source, options, access)
        except EngineError:
            raise
        except Exception as error:
            if kind.name in self._own:
                raise
            raise EngineCrashed(f"{kind.name}: {type(error).__name__}") from error

    @cached_property
    def _plugins(self) -> _Plugins:
        kinds: dict[str, EngineKind] = {}
        broken: list[BrokenPlugin] = []
        for entry in sorted(self._discover(), key=lambda entry: (entry.name, entry.value)):
            package = entry.dist.name if entry.dist else entry.module
            try:
                kind = _load(entry)
                if entry.name in self._own or entry.name in kinds:
                    raise ValueError("another engine has this name")
            except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a foreign import does
                reason = f"{type(error).__name__}: {error}"
                log.warning("left out the engine %s of the package %s: %s", entry.name, package, reason)
                broken.append(BrokenPlugin(entry.name, package, reason))
            else:
                kinds[entry.name] = kind
        return _Plugins(kinds, tuple(broken))


def _load(entry: EntryPoint) -> EngineKind:
    kind: EngineKind = entry.load()
    if isinstance(kind, type):
        raise TypeError("it is a class; an object of it is needed")
    missing = [name for name in ("name", "can_open", "open") if not hasattr(kind, name)]
    if missing:
        raise TypeError(f"it has no {', '.join(missing)}")
    if kind.name != entry.name:
        raise ValueError("its name is another than in its package's metadata")
    return kind
