"""Options as the user sees and sets them: which holds for a model, and what follows from it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from app.core.adapters import ModelAdapters
from app.core.any_model import AnyModel
from app.core.errors import OptionsConflict, OptionUnknown
from app.core.model_options import (
    AnswerOptions,
    Layer,
    ModelOptions,
    OptionOrigin,
    ResolvedOptions,
    changed,
    resolve,
)
from app.core.option_store import OptionStore
from app.core.settings import SettingsStore
from engines.errors import EngineError
from engines.families import find_family
from engines.families.generic import GENERIC
from engines.flash_attention import uses_flash_attention
from engines.graphics import GraphicsCard
from engines.library import InstalledModel, ModelLibrary
from engines.memory import MemoryNeed, estimate_memory
from engines.opening import graphics_cards
from engines.options import PENALTIES
from engines.protocol import LoadOptions, Sampling

_NOTHING = AnswerOptions()
_DEFAULTS = LoadOptions()

log = logging.getLogger(__name__)


class Tuning:
    """The layers of options of every model.

    `for_now` is a layer above all others, which ends with this process: what a command was told.
    """

    def __init__(
        self,
        library: ModelLibrary,
        settings: SettingsStore,
        store: OptionStore,
        find_cards: Callable[[], tuple[GraphicsCard, ...]] = graphics_cards,
    ) -> None:
        """`find_cards` tells the graphics cards that the engine can use; called once, when it matters."""
        self.for_now = ModelOptions()
        self.store = store
        self.adapters = ModelAdapters(library.adapters, store)
        self._library = library
        self._settings = settings
        self._find_cards = find_cards

    def without_use(self) -> frozenset[str]:
        """Options that change nothing on this device. Half a second of work when it is asked first."""
        return frozenset() if self._has_graphics_card else frozenset({"gpu_layers"})

    def resolve(self, model: AnyModel | None, conversation: AnswerOptions = _NOTHING) -> ResolvedOptions:
        """What holds for a model, in a conversation where one is given.

        Of a server's model the defaults are not known: there they are `None`. May read the header of an
        installed one, which takes milliseconds, and asks once what `without_use` asks.

        Raises:
            ModelFileError: the file has been removed or damaged since it was listed.
        """
        advice = self._advice(model, conversation) if isinstance(model, InstalledModel) else []
        return resolve([*advice, *self._layers(model, conversation)])

    def chosen(self, model: AnyModel | None, conversation: AnswerOptions = _NOTHING) -> ResolvedOptions:
        """What the user has chosen, anywhere; the rest is `None`, and for the engine to decide.

        Reads no file but that of the options.
        """
        return resolve(self._layers(model, conversation))

    def load_options(self, model: AnyModel | None) -> LoadOptions:
        """How a model is to be loaded; without a model, what the app's settings want."""
        return self.chosen(model).load_options()

    def can_think(self, model: InstalledModel) -> bool:
        """Whether a model can be asked to think before it answers.

        Raises:
            ModelFileError: the file has been removed or damaged since it was listed.
        """
        header = self._library.header(model)
        return find_family(header).tags_in(header.chat_template or "") is not None

    def need(self, model: InstalledModel, options: LoadOptions | None = None) -> MemoryNeed:
        """What a model takes in memory as its options are, or as others would make it.

        Raises:
            ModelFileError: the file has been removed or damaged since it was listed.
        """
        header, options = self._library.header(model), options or self.load_options(model)
        if header.trained_context:  # the engine never takes more
            options = replace(options, context_tokens=min(options.context_tokens, header.trained_context))
        return estimate_memory(header, options)

    def change(self, model_id: str, values: Mapping[str, object]) -> None:
        """Set options of a model: all of them, or, where one is wrong, none.

        A value of `None` leaves the option to the app's settings and the model's maker. Adapters have their
        own ways in and out: see `adapters`.

        Raises:
            OptionError: its leaf says what is wrong with which.
            OSError: the device is full or refuses to write.
        """
        if "adapters" in values:
            raise OptionUnknown("adapters")

        def change(options: ModelOptions) -> ModelOptions:
            for name, value in values.items():
                options = changed(options, name, value)
            _check_together(options, last="flash_attention" if "flash_attention" in values else "")
            return options

        self.store.change(model_id, change)

    def reset(self, model_id: str) -> None:
        """Forget what is set for a model, but for its adapters."""
        self.store.change(model_id, lambda options: ModelOptions(adapters=options.adapters))

    def rename(self, before: str, after: str) -> None:
        """The model has another id now: its options go along."""
        options = self.store.get(before)
        self.store.change(after, lambda _: options)
        self.store.forget(before)

    def forget(self, model_id: str) -> None:
        """The user has removed the model."""
        names = [use.name for use in self.adapters.of(model_id)]
        self.store.forget(model_id)
        self.adapters.delete_unused(names)

    def _advice(self, model: InstalledModel, conversation: AnswerOptions) -> list[Layer]:
        """What the engine does by itself, and what the model's maker recommends."""
        header = self._library.header(model)
        thinking = bool(self.chosen(model, conversation)["thinking"])
        family = find_family(header)
        generic = family.name == GENERIC.name
        maker = header.sampling if generic else family.complete(Sampling(), thinking=thinking)
        options = self.chosen(model).load_options()
        on_card = options.flash_attention is None and options.gpu_layers != 0 and self._has_graphics_card
        by_engine = ModelOptions(
            **_known(GENERIC.complete(PENALTIES, thinking=False)),
            **{name: getattr(_DEFAULTS, name) for name in _BY_ENGINE},
            flash_attention=uses_flash_attention(options, graphics_card=on_card),
            stop=(),
        )
        return [(OptionOrigin.ENGINE, by_engine), (OptionOrigin.MAKER, AnswerOptions(**_known(maker)))]

    @cached_property
    def _has_graphics_card(self) -> bool:
        try:
            return bool(self._find_cards())
        except EngineError as error:  # loading a model will tell what is wrong
            log.warning("no graphics card can be looked for: %s", type(error).__name__)
            return False

    def _layers(self, model: AnyModel | None, conversation: AnswerOptions) -> list[Layer]:
        settings = self._settings.current
        app = ModelOptions(
            context_tokens=settings.context_tokens,
            max_answer_tokens=settings.max_answer_tokens,
            thinking=settings.thinking,
            system_prompt=settings.system_prompt,
        )
        own = self.store.get(model.id) if model is not None else ModelOptions()
        return [
            (OptionOrigin.APP, app),
            (OptionOrigin.MODEL, own),
            (OptionOrigin.CONVERSATION, conversation),
            (OptionOrigin.COMMAND, self.for_now),
        ]


_BY_ENGINE = ("kv_cache_type", "use_mmap", "use_mlock", "batch_tokens")


def _known(sampling: Sampling) -> dict[str, Any]:
    """The values that are given, by name."""
    found = {name: getattr(sampling, name) for name in Sampling.__slots__ if name != "max_tokens"}
    return {name: value for name, value in found.items() if value is not None}


def _check_together(options: ModelOptions, *, last: str) -> None:
    """Refuse what the engine would refuse; `last` is the option that was changed last."""
    if options.flash_attention is False and options.kv_cache_type not in (None, _DEFAULTS.kv_cache_type):
        pair = ("kv_cache_type", "flash_attention")
        raise OptionsConflict(*(pair[::-1] if last == "flash_attention" else pair))
