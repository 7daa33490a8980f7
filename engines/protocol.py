"""What every engine offers, and the values that cross its border.

To add an engine:

1. write a class with the methods of `Engine` (it need not inherit from it);
2. raise only the errors of `engines.errors`, never your library's own;
3. make `stream` end with exactly one `Done`, also after `cancel`;
4. run `tests/engines/conformance.py` against it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Literal, Protocol

import msgspec

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation, as the chat template sees it."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen. `None` means the model family's recommended value."""

    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    seed: int | None = None
    max_tokens: int | None = None
    presence_penalty: float | None = None
    """Taken from every token that came already, -2 to 2."""
    frequency_penalty: float | None = None
    """Taken from a token for each time that it came, -2 to 2."""
    repeat_last_n: int | None = None
    """How many tokens back the three penalties look; -1: all. Default: 64."""
    dry_multiplier: float | None = None
    """Strength of DRY, which punishes repeating a sequence the more the longer it gets. 0: off."""
    dry_base: float | None = None
    dry_allowed_length: int | None = None
    """Tokens that may repeat without punishment."""


@dataclass(frozen=True, slots=True)
class LoraAdapter:
    """A small file that changes what a model is good at."""

    path: Path
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How a model is put into memory. `None` leaves the choice to the engine."""

    context_tokens: int = 4096
    threads: int | None = None
    """Threads that generate. Default: cores - 1, since a waiting core stalls all others."""
    prompt_threads: int | None = None
    """Threads that read the prompt. Default: all cores."""
    flash_attention: bool | None = None
    """A way to compute attention that needs less memory. Default: where it is not slower."""
    use_mmap: bool = True
    prefix_cache_bytes: int = 256 << 20
    """For conversations that are not in the model's memory, so that going back to one is quick. 0: none.
    Given back when the device runs short of memory."""
    use_mlock: bool = False
    """Never let the system move the weights out of memory."""
    gpu_layers: int | None = None
    """Layers on the graphics card, where there is one. Default: all."""
    kv_cache_type: Literal["f16", "q8_0", "q4_0"] = "f16"
    """Smaller types halve or quarter the memory of the context, and make prompts slower on a processor."""
    batch_tokens: int = 512
    """Tokens of a prompt that are evaluated at once."""
    adapters: tuple[LoraAdapter, ...] = ()
    """In use for all prompts that do not say otherwise."""


class Priority(IntEnum):
    """Whose answer comes first. A running answer pauses for a more urgent one, and goes on after it."""

    USER = 0
    BACKGROUND = 1


class JsonSchema(msgspec.Struct, frozen=True, tag=True):
    """The answer shall be JSON of this schema, which is JSON itself. `{}` is any object."""

    schema: str


class Grammar(msgspec.Struct, frozen=True, tag=True):
    """The answer shall obey a grammar in llama.cpp's notation (GBNF), from the rule `root` on."""

    text: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question to the engine: the whole conversation that the model shall see."""

    messages: tuple[Message, ...]
    sampling: Sampling = Sampling()
    stop: tuple[str, ...] = ()
    thinking: bool = False
    """Ask a model that can think to do so first. Ignored by models that cannot."""
    answer_start: str = ""
    """Text that the answer already has: the model goes on right after it (Continue)."""
    completion: str | None = None
    """Plain text to go on with instead of answering `messages`: all that a base model can do."""
    response: JsonSchema | Grammar | None = None
    """The form that the answer must have. Such an answer is given without thinking first."""
    priority: Priority = Priority.USER
    group: str = ""
    """Prompts of one priority take turns by group, so that no group with many of them holds up another."""
    adapters: tuple[LoraAdapter, ...] | None = None
    """Adapters for this answer; `None` means those of `LoadOptions`."""


class Finish(StrEnum):
    """Why an answer ended."""

    END_OF_TURN = "end_of_turn"
    STOP_STRING = "stop_string"
    MAX_TOKENS = "max_tokens"
    CONTEXT_FULL = "context_full"
    REPEATING = "repeating"
    """It went in circles and was ended, long before its limit."""
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer cost."""

    prompt_tokens: int
    reused_tokens: int
    """Tokens of the prompt that were still in memory from an earlier turn."""
    answer_tokens: int
    time_to_first_token: float
    """Seconds from the request to the first token."""
    generation_seconds: float
    """Seconds from the first to the last token."""

    @property
    def tokens_per_second(self) -> float:
        """Generation speed, without the prompt; 0.0 for fewer than two tokens."""
        if self.answer_tokens < 2 or self.generation_seconds <= 0:
            return 0.0
        return (self.answer_tokens - 1) / self.generation_seconds


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More text of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingDelta:
    """More text of the model's thoughts, which are not part of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """The last event of every stream."""

    finish: Finish
    usage: Usage
    whole: bool = True
    """False where `Prompt.response` asked for a form and the answer ended too early for it: cut-off JSON."""


Delta = TextDelta | ThinkingDelta | Done


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What the engine knows of the model that it has loaded."""

    path: Path
    """The model's file; `Path()` for a model that is not on this device."""
    name: str
    architecture: str
    family: str
    context_tokens: int
    """The context window as loaded, in tokens."""
    trained_context_tokens: int
    can_think: bool
    has_chat_template: bool
    host: str | None = None
    """The computer that prompts are sent to; `None`: they stay on this device."""


class Engine(Protocol):
    """A loaded model that answers one prompt at a time; further prompts wait in its queue."""

    @property
    def info(self) -> ModelInfo:
        """The loaded model."""
        ...

    def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        """Answer a prompt, piece by piece; closing the iterator early cancels the answer.

        Raises:
            OptionRejected: a sampling value, or a grammar or schema, that cannot be worked with; a
                `completion`, where the engine can only chat.
            AdapterUnusable: an adapter is missing, or is none for this model.
            PromptTooLong: the prompt alone does not fit into the context window.
            NoChatTemplate: the model is a base model, which cannot hold a conversation.
            TemplateFailed: the model's own chat template is broken or refuses the messages.
            EngineCrashed: the engine died; what was streamed before stays valid, and the
                next prompt restarts it.
            EngineNotLoaded: the engine has been closed.
        """
        ...

    def cancel(self) -> None:
        """End the answer that runs now, within milliseconds, also while it reads the prompt.

        Where a user's answer waits for one in the background to pause, it is the user's that ends; one in the
        background is ended by leaving its stream. The stream ends with `Done(Finish.CANCELLED)`. Does nothing
        when idle.
        """
        ...

    async def count_tokens(self, messages: Sequence[Message]) -> int:
        """Tokens of the prompt that these messages make, template included."""
        ...

    async def count_texts(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each plain text, without a template."""
        ...

    async def close(self) -> None:
        """Free the model's memory. Calling it twice is harmless."""
        ...
