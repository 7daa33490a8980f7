"""How one server wants to be asked: everything that such servers know, less what this one refuses.

Stop strings are not sent: servers disagree on how many there may be, and none says which one it met.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from engines.families import Family
from engines.protocol import JsonSchema, Message, Prompt, Sampling
from engines.remote.wire import Fault
from engines.response_form import read_schema

Body = dict[str, object]

_BAD_REQUEST = (400, 422)

# Only some servers know these (llama.cpp, vLLM, Ollama, LM Studio); the others pass over them or refuse them.
_EXTRAS = frozenset(
    {
        "top_k",
        "min_p",
        "repeat_penalty",
        "repetition_penalty",
        "repeat_last_n",
        "dry_multiplier",
        "dry_base",
        "dry_allowed_length",
        "chat_template_kwargs",
        "continue_final_message",
        "add_generation_prompt",
    }
)
_OPTIONAL = (
    *_EXTRAS,
    "temperature",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "seed",
    "stream_options",
    "max_tokens",
)
_ABOUT_ROLES = re.compile(r"\broles?\b|\bsystem\b|alternat|jinja|template", re.IGNORECASE)

# Consecutive messages of one role mean the same joined, and some templates refuse them.
_TURNS = Family("turns", frozenset(), Sampling(), alternating_roles=True)
_TURNS_WITHOUT_SYSTEM = Family("turns", frozenset(), Sampling(), system_role=False, alternating_roles=True)


class Dialect:
    """What is known of one server and model; it learns from refusals and forgets nothing."""

    def __init__(self) -> None:
        self._refused: set[str] = set()
        self._limit_name = "max_tokens"
        self._roles = _TURNS

    def body(self, model: str, prompt: Prompt) -> Body:
        """The request for an answer.

        Raises:
            OptionRejected: the schema that the answer shall have is not JSON.
        """
        sampling = prompt.sampling
        messages = self._roles.arrange(prompt.messages)
        values: Body = {
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "top_k": sampling.top_k,
            "min_p": sampling.min_p,
            "repeat_penalty": sampling.repeat_penalty,  # llama.cpp's and Ollama's name
            "repetition_penalty": sampling.repeat_penalty,  # vLLM's name
            "repeat_last_n": sampling.repeat_last_n,
            "presence_penalty": sampling.presence_penalty,
            "frequency_penalty": sampling.frequency_penalty,
            "dry_multiplier": sampling.dry_multiplier,
            "dry_base": sampling.dry_base,
            "dry_allowed_length": sampling.dry_allowed_length,
            "seed": sampling.seed,
            "stream_options": {"include_usage": True},
            "chat_template_kwargs": {"enable_thinking": prompt.thinking and prompt.response is None},
        }
        if prompt.answer_start:
            messages.append(Message("assistant", prompt.answer_start))
            values |= {"continue_final_message": True, "add_generation_prompt": False}
        body: Body = {"model": model, "stream": True, "messages": _plain(messages)}
        body |= {
            name: value for name, value in values.items() if value is not None and name not in self._refused
        }
        if isinstance(prompt.response, JsonSchema):  # never left out: the answer would be another one
            schema = {"name": "answer", "schema": read_schema(prompt.response)}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        if sampling.max_tokens is not None and self._limit_name:
            body[self._limit_name] = sampling.max_tokens
        return body

    def learn(self, status: int, fault: Fault, body: Body) -> bool:
        """Look at a refusal; returns whether it is worth asking again in another way."""
        said = fault.words
        if status in _BAD_REQUEST:
            named = {name for name in _OPTIONAL if name in body and re.search(rf"\b{name}\b", said)}
            if self._limit_name in named or (self._limit_name and self._limit_name == fault.param):
                self._limit_name = "max_completion_tokens" if self._limit_name == "max_tokens" else ""
                return True
            if named:
                self._refused |= named
                return True
        # A template's refusal is an internal error (500) to some servers.
        if self._roles is _TURNS and _ABOUT_ROLES.search(said):
            self._roles = _TURNS_WITHOUT_SYSTEM
            return True
        if status in _BAD_REQUEST and (extras := _EXTRAS & body.keys()):
            self._refused |= extras
            return True
        return False


def _plain(messages: Sequence[Message]) -> list[dict[str, str]]:
    return [{"role": message.role, "content": _encodable(message.content)} for message in messages]


def _encodable(text: str) -> str:
    """Half a surrogate pair, as a broken paste leaves it, has no UTF-8."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
