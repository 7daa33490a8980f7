"""From what a model writes to call a tool to a value. Nothing here runs a tool."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_PYTHON = {"True": True, "False": False, "None": None}


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that a model wants to be run."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ToolCallForm:
    """How a family writes its calls.

    To add one: give the pattern of a whole call, without anything that is not part of it, and a function
    from its match to the calls in it, which raises `ValueError` where it is none.
    """

    name: str
    pattern: re.Pattern[str]
    read: Callable[[re.Match[str]], list[ToolCall]]
    marks: tuple[str, ...] = ()
    """Texts in the pattern that are control tokens with some models, which write them invisibly."""

    def parse(self, text: str) -> tuple[str, list[ToolCall]]:
        """Split an answer into what is meant for people and the calls; what is no sound call stays text."""
        calls: list[ToolCall] = []

        def take(found: re.Match[str]) -> str:
            try:
                calls.extend(self.read(found))
            except (ValueError, RecursionError):
                return found[0]
            return ""

        rest = self.pattern.sub(take, text)
        return (rest.strip(), calls) if calls else (text, [])


def _of_object(value: object) -> ToolCall:
    """`{"name": …, "arguments": {…}}`, where some say "parameters", and some write the arguments as text."""
    if not isinstance(value, dict) or not isinstance(value.get("name"), str) or not value["name"]:
        raise ValueError("not a call")
    return ToolCall(value["name"], _arguments(value.get("arguments", value.get("parameters", {}))))


def _arguments(value: object) -> dict[str, Any]:
    if isinstance(value, str):
        value = json.loads(value)
    if not isinstance(value, dict):
        raise ValueError("arguments are no object")
    return value


def _read_json(found: re.Match[str]) -> list[ToolCall]:
    value = json.loads(found["calls"])
    return [_of_object(call) for call in (value if isinstance(value, list) else [value])]


def _read_named(found: re.Match[str]) -> list[ToolCall]:
    return [ToolCall(found["name"].strip(), _arguments(found["arguments"].strip()))]


def _read_tagged(found: re.Match[str]) -> list[ToolCall]:
    """`<parameter=NAME>` around each value, which is JSON if it can be, else text."""
    return [ToolCall(found["name"], {each[1]: _value(each[2]) for each in _PARAMETER.finditer(found[0])})]


def _value(text: str) -> Any:
    if text in _PYTHON:
        return _PYTHON[text]
    try:
        return json.loads(text)
    except ValueError:
        return text


def _read_gemma(found: re.Match[str]) -> list[ToolCall]:
    """JSON, but for keys without quotation marks and texts between `<|"|>`, which are never escaped."""
    parts = found["arguments"].split('<|"|>')
    if not len(parts) % 2:
        raise ValueError("a text without an end")
    texts = [json.dumps(part) for part in parts[1::2]]
    plain = [re.sub(r"([{,]\s*)([A-Za-z_][\w.-]*)\s*:", r'\1"\2":', part) for part in parts[::2]]
    joined = "".join(piece for pair in zip(plain, [*texts, ""], strict=True) for piece in pair)
    return [ToolCall(found["name"], _arguments(joined))]


_PARAMETER = re.compile(r"<parameter=([^>\s]+)>\n?(.*?)\n?</parameter>", re.DOTALL)

HERMES = ToolCallForm(
    "hermes", re.compile(r"<tool_call>\s*(?P<calls>\{.*?\})\s*</tool_call>", re.DOTALL), _read_json
)
"""Qwen 2.5 and 3, SmolLM3, Hermes: an object between `<tool_call>` tags."""

TAGGED = ToolCallForm(
    "tagged",
    re.compile(r"<tool_call>\s*<function=(?P<name>[^>\s]+)>.*?</function>\s*</tool_call>", re.DOTALL),
    _read_tagged,
)
"""Qwen3-Coder and Qwen 3.5."""

LLAMA = ToolCallForm(
    "llama", re.compile(r"\A\s*(?:<\|python_tag\|>)?(?P<calls>\{.*\})\s*\Z", re.DOTALL), _read_json
)
"""Llama 3: the whole answer is an object."""

MISTRAL_LIST = ToolCallForm(
    "mistral list",
    re.compile(r"\[TOOL_CALLS\]\s*(?P<calls>\[.*\])", re.DOTALL),
    _read_json,
    ("[TOOL_CALLS]",),
)
"""Mistral until 2024: a list of objects."""

MISTRAL = ToolCallForm(
    "mistral",
    re.compile(
        r"\[TOOL_CALLS\](?P<name>[^\[\]]+)(?:\[CALL_ID\][^\[]*)?\[ARGS\](?P<arguments>.*?)(?=\[TOOL_CALLS\]|\Z)",
        re.DOTALL,
    ),
    _read_named,
    ("[TOOL_CALLS]", "[CALL_ID]", "[ARGS]"),
)
"""Mistral since 2025: name and arguments, each call with its own mark."""

GEMMA = ToolCallForm(
    "gemma",
    re.compile(r"<\|tool_call>call:(?P<name>[^{\s]+)(?P<arguments>\{.*?\})<tool_call\|>", re.DOTALL),
    _read_gemma,
    ("<|tool_call>", "<tool_call|>", '<|"|>'),
)
"""Gemma 4."""

DEEPSEEK = ToolCallForm(
    "deepseek",
    re.compile(
        r"(?:<｜tool▁calls▁begin｜>)?\s*<｜tool▁call▁begin｜>function<｜tool▁sep｜>(?P<name>[^\n]+)\n"
        r"```json\n(?P<arguments>.*?)\n```\s*<｜tool▁call▁end｜>(?:\s*<｜tool▁calls▁end｜>)?",
        re.DOTALL,
    ),
    _read_named,
    (
        "<｜tool▁calls▁begin｜>",
        "<｜tool▁call▁begin｜>",
        "<｜tool▁sep｜>",
        "<｜tool▁call▁end｜>",
        "<｜tool▁calls▁end｜>",
    ),
)
"""DeepSeek R1 and its distillations."""

PHI = ToolCallForm(
    "phi",
    re.compile(r"<\|tool_call\|>\s*(?P<calls>\[.*?\])\s*<\|/tool_call\|>", re.DOTALL),
    _read_json,
    ("<|tool_call|>", "<|/tool_call|>"),
)
"""Phi-4-mini."""
