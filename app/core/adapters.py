"""The LoRA adapters that the user has given to models."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from app.core.errors import OptionOutOfRange, OptionUnknown
from app.core.model_options import AdapterUse, ResolvedOptions
from app.core.option_store import OptionStore
from engines.library import InstalledModel
from engines.library.adapters import AdapterFolder
from engines.options import MOST_ADAPTER_SCALE
from engines.protocol import LoraAdapter


class ModelAdapters:
    """Which adapters a model uses. They go with each prompt, so a change needs no loading."""

    def __init__(self, folder: AdapterFolder, store: OptionStore) -> None:
        self._folder = folder
        self._store = store

    def of(self, model_id: str) -> tuple[AdapterUse, ...]:
        """Those of a model, in the order in which they were added."""
        return self._store.get(model_id).adapters or ()

    def missing(self, model_id: str) -> list[str]:
        """Names of those whose files are gone."""
        return [use.name for use in self.of(model_id) if not self._folder.exists(use.name)]

    def for_prompt(self, options: ResolvedOptions) -> tuple[LoraAdapter, ...] | None:
        """Those that are on; `None` where there are none."""
        uses: tuple[AdapterUse, ...] = options["adapters"] or ()
        return tuple(LoraAdapter(self._folder.path(it.name), it.scale) for it in uses if it.enabled) or None

    def add(self, model: InstalledModel, path: Path, scale: float = 1.0) -> AdapterUse:
        """Check an adapter, copy it, and use it from the next answer on. Blocks as long as the copy takes.

        Raises:
            OptionOutOfRange: the scale is not possible.
            AdapterUnusable: it is missing or damaged, is no adapter, or is one for other models.
            NotEnoughDiskSpace: there is no room for the copy.
        """
        _check_scale(scale)
        use = AdapterUse(name=self._folder.add(path, model), scale=scale)
        self._change(model.id, lambda uses: [*(it for it in uses if it.name != use.name), use])
        return use

    def turn(
        self, model_id: str, name: str, *, scale: float | None = None, enabled: bool | None = None
    ) -> None:
        """Turn an adapter of a model up or down, on or off.

        Raises:
            OptionUnknown: the model has no such adapter.
            OptionOutOfRange: the scale is not possible.
        """
        values: dict[str, float | bool] = {}
        if scale is not None:
            _check_scale(scale)
            values["scale"] = scale
        if enabled is not None:
            values["enabled"] = enabled
        self._check_known(model_id, name)
        self._change(
            model_id,
            lambda uses: [
                msgspec.structs.replace(use, **values) if use.name == name else use for use in uses
            ],
        )

    def remove(self, model_id: str, name: str) -> None:
        """Do not use an adapter any more; its copy is deleted unless another model uses it.

        Raises:
            OptionUnknown: the model has no such adapter.
        """
        self._check_known(model_id, name)
        self._change(model_id, lambda uses: [use for use in uses if use.name != name])
        self.delete_unused([name])

    def delete_unused(self, names: Iterable[str]) -> None:
        """Delete those of these files that no model uses."""
        used = {use.name for options in self._store.all().values() for use in options.adapters or ()}
        for name in set(names) - used:
            self._folder.remove(name)

    def _check_known(self, model_id: str, name: str) -> None:
        if all(use.name != name for use in self.of(model_id)):
            raise OptionUnknown(name)

    def _change(
        self, model_id: str, change: Callable[[tuple[AdapterUse, ...]], Iterable[AdapterUse]]
    ) -> None:
        self._store.change(
            model_id,
            lambda options: msgspec.structs.replace(
                options, adapters=tuple(change(options.adapters or ())) or None
            ),
        )


def _check_scale(scale: float) -> None:
    if not -MOST_ADAPTER_SCALE <= scale <= MOST_ADAPTER_SCALE:  # also not a number
        raise OptionOutOfRange("scale", -MOST_ADAPTER_SCALE, MOST_ADAPTER_SCALE)
