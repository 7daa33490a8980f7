"""What servers send, as far as it is used here.

Unknown fields are passed over, unlike everywhere else in this house: every server adds its own.
Source: https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

from typing import Any

import msgspec


class Piece(msgspec.Struct, frozen=True):
    """What a chunk adds to the message, or a whole message."""

    content: str | list[dict[str, Any]] | None = None
    reasoning_content: str | None = None
    """Thoughts, as llama.cpp's server, vLLM and DeepSeek name them."""
    reasoning: str | None = None
    """Thoughts, as Ollama and OpenRouter name them."""
    refusal: str | None = None
    """OpenAI's answer in words where the model declines."""

    @property
    def text(self) -> str:
        """The words of the answer."""
        if isinstance(self.content, list):  # Mistral sends parts, thoughts among them
            parts = (part.get("text") for part in self.content if part.get("type") == "text")
            return "".join(part for part in parts if isinstance(part, str))
        return self.content or self.refusal or ""

    @property
    def thought(self) -> str:
        """The words of the thought before it."""
        return self.reasoning_content or self.reasoning or ""


class Choice(msgspec.Struct, frozen=True):
    """One of the answers; only one is ever asked for."""

    delta: Piece | None = None
    message: Piece | None = None
    finish_reason: str | None = None


class CachedTokens(msgspec.Struct, frozen=True):
    """Part of `TokenCounts`."""

    cached_tokens: int | None = None


class TokenCounts(msgspec.Struct, frozen=True):
    """What the server counted."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: CachedTokens | None = None


class Fault(msgspec.Struct, frozen=True):
    """Why a request failed. Texts nearly always, but some servers put lists or numbers here."""

    message: Any = None
    type: Any = None
    code: Any = None
    param: Any = None
    n_prompt_tokens: Any = None
    n_ctx: Any = None

    @property
    def words(self) -> str:
        """All that it says, to look for something in it."""
        told = (self.message, self.type, self.code, self.param)
        return " ".join(str(part) for part in told if part)


class Chunk(msgspec.Struct, frozen=True):
    """One piece of an answer, or all of it where a server does not stream."""

    choices: list[Choice] | None = None
    usage: TokenCounts | None = None
    error: Fault | str | None = None


class Refusal(msgspec.Struct, frozen=True):
    """The body of a response that is an error; servers disagree on its form."""

    error: Fault | str | None = None
    detail: Any = None
    """FastAPI's form, used by some servers in Python."""
    message: Any = None

    @property
    def fault(self) -> Fault:
        """The error, whatever form it had."""
        if isinstance(self.error, Fault):
            return self.error
        if isinstance(self.error, str):
            return Fault(message=self.error)
        return Fault(message=self.message or self.detail)


class ListedModel(msgspec.Struct, frozen=True):
    """A model that a server offers."""

    id: str
    meta: Any = None
    """What llama.cpp's server tells of it: among others `n_ctx`, its window."""
    max_model_len: Any = None
    """vLLM's context window."""
    context_length: Any = None
    """OpenRouter's context window."""

    @property
    def context_tokens(self) -> int | None:
        """The window, where the server tells."""
        meta = self.meta if isinstance(self.meta, dict) else {}
        told = (meta.get("n_ctx"), self.max_model_len, self.context_length)
        return next((size for size in told if isinstance(size, int) and size > 0), None)


class ModelList(msgspec.Struct, frozen=True):
    """The answer of `/models`."""

    data: list[ListedModel] | None = None
    """`None` is what Ollama says before the first model is there."""


decode_chunk = msgspec.json.Decoder(Chunk).decode
decode_refusal = msgspec.json.Decoder(Refusal).decode
decode_models = msgspec.json.Decoder(ModelList | list[ListedModel]).decode
