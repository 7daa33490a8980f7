"""The options of a model and of a conversation: what they may be, and which of several layers decides.

`None` everywhere means: whatever the weaker layers say.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, TypeVar, cast

import msgspec

from app.core.errors import OptionInvalid, OptionOutOfRange, OptionUnknown
from engines.options import LOAD_LIMITS, MOST_ADAPTER_SCALE, SAMPLING_LIMITS
from engines.protocol import LoadOptions, Sampling

LEAST_CONTEXT: Final = 512
"""With a smaller window no question with its sources has room."""

LIMITS: Final[Mapping[str, tuple[float, float]]] = {
    **{name: limits for name, limits in SAMPLING_LIMITS.items() if name != "max_tokens"},
    **LOAD_LIMITS,
    "max_answer_tokens": SAMPLING_LIMITS["max_tokens"],
    "context_tokens": (LEAST_CONTEXT, LOAD_LIMITS["context_tokens"][1]),
}
"""Least and most of every option that is a number: the engines' own limits."""


def _number(name: str) -> msgspec.Meta:
    least, most = LIMITS[name]
    return msgspec.Meta(ge=least, le=most)


StopString = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
StopStrings = Annotated[tuple[StopString, ...], msgspec.Meta(max_length=16)]
SystemPrompt = Annotated[str, msgspec.Meta(max_length=8000)]
Scale = Annotated[float, msgspec.Meta(ge=-MOST_ADAPTER_SCALE, le=MOST_ADAPTER_SCALE)]


class AdapterUse(msgspec.Struct, frozen=True, kw_only=True):
    """A LoRA adapter of a model."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[^/\\\x00]+\.gguf$")]
    """Of its file in the folder of adapters, and nowhere else."""
    scale: Scale = 1.0
    enabled: bool = True


class AnswerOptions(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How answers are written. Can be set for a model, and for a conversation."""

    temperature: Annotated[float, _number("temperature")] | None = None
    """How freely words are chosen: 0 always takes the likeliest, above 1 gets adventurous."""
    system_prompt: SystemPrompt | None = None
    """Instructions put before every conversation; an empty text: none."""
    max_answer_tokens: Annotated[int, _number("max_answer_tokens")] | None = None
    """An answer is cut off after this many tokens; Continue goes on."""
    thinking: bool | None = None
    """Let models that can think do so before they answer."""
    top_k: Annotated[int, _number("top_k")] | None = None
    """Only so many of the likeliest tokens are candidates; 0: all."""
    top_p: Annotated[float, _number("top_p")] | None = None
    """Only the likeliest tokens that together have this probability are candidates; 1: all."""
    min_p: Annotated[float, _number("min_p")] | None = None
    """Tokens less likely than this share of the likeliest are no candidates; 0: off."""
    repeat_penalty: Annotated[float, _number("repeat_penalty")] | None = None
    """Above 1, tokens that came lately get less likely."""
    presence_penalty: Annotated[float, _number("presence_penalty")] | None = None
    """Taken from every token that came already."""
    frequency_penalty: Annotated[float, _number("frequency_penalty")] | None = None
    """Taken from a token for each time that it came."""
    repeat_last_n: Annotated[int, _number("repeat_last_n")] | None = None
    """How many tokens back the three penalties look; -1: all."""
    dry_multiplier: Annotated[float, _number("dry_multiplier")] | None = None
    """Strength of DRY, which punishes repeating a sequence the more the longer it gets; 0: off."""
    dry_base: Annotated[float, _number("dry_base")] | None = None
    """How quickly DRY grows with the length of what is repeated."""
    dry_allowed_length: Annotated[int, _number("dry_allowed_length")] | None = None
    """Tokens that may repeat before DRY begins."""
    seed: Annotated[int, _number("seed")] | None = None
    """The same seed gives the same answer to the same question; without one it is drawn each time."""
    stop: StopStrings | None = None
    """An answer ends before any of these texts."""


class ModelOptions(AnswerOptions, frozen=True, kw_only=True, omit_defaults=True):
    """What can be set for a model: how it answers, and how it is put into memory."""

    context_tokens: Annotated[int, _number("context_tokens")] | None = None
    """Context window: how many tokens of conversation and sources the model sees. Costs memory."""
    threads: Annotated[int, _number("threads")] | None = None
    """Threads that write; by itself one less than the processor has cores."""
    gpu_layers: Annotated[int, _number("gpu_layers")] | None = None
    """Layers on the graphics card, where the engine was built for one; by itself all."""
    flash_attention: bool | None = None
    """A way to compute attention that needs less memory; on a PC slower late in a conversation."""
    kv_cache_type: Literal["f16", "q8_0", "q4_0"] | None = None
    """How exactly the conversation is remembered: smaller types halve or quarter its memory."""
    use_mmap: bool | None = None
    """Read the weights from the file as they are needed, instead of all at the start."""
    use_mlock: bool | None = None
    """Never let the system move the weights out of memory."""
    batch_tokens: Annotated[int, _number("batch_tokens")] | None = None
    """Tokens of a question that are read at once."""
    adapters: tuple[AdapterUse, ...] | None = None
    """LoRA adapters; they are swapped between answers, without loading the model again."""


ANSWER_OPTIONS: Final = tuple(field.name for field in msgspec.structs.fields(AnswerOptions))
LOAD_OPTIONS: Final = tuple(
    field.name
    for field in msgspec.structs.fields(ModelOptions)
    if field.name not in (*ANSWER_OPTIONS, "adapters")
)
"""Changing one of these loads the model again."""
_SAMPLING: Final = tuple(name for name in ANSWER_OPTIONS if name in Sampling.__slots__)


class OptionOrigin(StrEnum):
    """Who decides the value of an option; a later one is stronger."""

    ENGINE = "engine"
    MAKER = "maker"
    """The advice of the model's family, or of its file."""
    APP = "app"
    """The app's settings."""
    MODEL = "model"
    CONVERSATION = "conversation"
    COMMAND = "command"
    """A command of the terminal, for as long as it runs."""


@dataclass(frozen=True, slots=True)
class ResolvedOption:
    """The value that holds, and who decided it."""

    value: Any
    origin: OptionOrigin
    beneath: ResolvedOption | None = None
    """What would hold without it."""


Layer = tuple[OptionOrigin, AnswerOptions]


@dataclass(frozen=True, slots=True)
class ResolvedOptions:
    """All options of a model, each with its origin."""

    by_name: Mapping[str, ResolvedOption]

    def __getitem__(self, name: str) -> Any:
        return self.by_name[name].value

    def origin(self, name: str) -> OptionOrigin:
        """Who decided an option."""
        return self.by_name[name].origin

    def load_options(self) -> LoadOptions:
        """How the model is put into memory; adapters come with each prompt."""
        return LoadOptions(**{name: value for name in LOAD_OPTIONS if (value := self[name]) is not None})

    def sampling(self) -> Sampling:
        """How tokens are chosen. What the user left open is left to the engine, which asks the family."""
        weak = (OptionOrigin.ENGINE, OptionOrigin.MAKER)
        chosen = {name: self[name] for name in _SAMPLING if self.origin(name) not in weak}
        return Sampling(**chosen, max_tokens=self["max_answer_tokens"])


def resolve(layers: Sequence[Layer]) -> ResolvedOptions:
    """Of each option, what the strongest layer says that says anything; the weakest layer comes first."""
    found = {}
    for field in msgspec.structs.fields(ModelOptions):
        option = ResolvedOption(None, OptionOrigin.ENGINE)
        for origin, options in layers:
            if (value := getattr(options, field.name, None)) is not None:
                option = ResolvedOption(value, origin, option)
        found[field.name] = option
    return ResolvedOptions(found)


Options = TypeVar("Options", bound=AnswerOptions)


def changed(options: Options, name: str, value: object) -> Options:
    """The options with one of them set, or, with `None`, left to the weaker layers.

    Raises:
        OptionUnknown: there is no such option here.
        OptionInvalid: the value is of the wrong kind, or too long.
        OptionOutOfRange: the number is not possible.
    """
    return msgspec.structs.replace(options, **{name: _checked(type(options), name, value)})


def read_value(kind: type[AnswerOptions], name: str, text: str) -> object:
    """A value as it is typed: "0.7", "true", a text, or for lists JSON or a single text.

    Raises:
        OptionUnknown, OptionInvalid, OptionOutOfRange: as `changed`.
    """
    if name == "stop":
        try:
            return msgspec.json.decode(text, type=tuple[str, ...])
        except (ValueError, RecursionError):
            return (text,)
    return _checked(kind, name, text.strip() if name != "system_prompt" else text, strict=False)


def _checked(kind: type[AnswerOptions], name: str, value: object, *, strict: bool = True) -> object:
    field = next((field for field in msgspec.structs.fields(kind) if field.name == name), None)
    if field is None:
        raise OptionUnknown(name)
    if value is None:
        return None
    try:
        found = msgspec.convert(value, field.type, strict=strict)
    except msgspec.ValidationError:
        if name in LIMITS and _outside(value, *LIMITS[name], strict=strict):
            raise OptionOutOfRange(name, *LIMITS[name]) from None
        raise OptionInvalid(name) from None
    if isinstance(found, float) and not math.isfinite(found):
        raise OptionInvalid(name)
    return cast(object, found)


def _outside(value: object, least: float, most: float, *, strict: bool) -> bool:
    try:
        number = msgspec.convert(value, float, strict=strict)
    except msgspec.ValidationError:
        return False
    return number < least or number > most
