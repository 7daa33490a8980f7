"""A Jinja environment for chat templates, which come from strangers inside model files.

Jinja's sandbox keeps them from Python; what is added here keeps them from using up memory and time.
"""

from __future__ import annotations

import ctypes
import json
import threading
from collections.abc import Callable, Iterable
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from engines.errors import EngineCrashed

LONGEST_TEXT = 16_000_000
"""Characters that a template may make, and the length of any list or text on the way."""
LONGEST_SECONDS = 5.0

_LARGEST_NUMBER = 1 << 64
_DANGEROUS_FILTERS = ("center", "format", "indent", "wordwrap", "batch", "slice")


class _TooMuch(SecurityError):
    """A template wants more memory or time than any honest one needs."""


class _Stop(BaseException):
    """Raised inside the thread of a template that does not end; not an `Exception`, so it catches nothing."""


class _ConcatenationCounted(CodeGenerator):
    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802 - Jinja's name
        self.write("environment.concatenate((")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")


class _GenerationBlocks(Extension):
    """`{% generation %}…{% endgeneration %}` marks the answer for training; it says nothing here."""

    tags = {"generation"}  # noqa: RUF012 - Jinja's own way

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class TemplateEnvironment(ImmutableSandboxedEnvironment):
    """Renders as Hugging Face's transformers does, for which the templates are written."""

    code_generator_class = _ConcatenationCounted
    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(trim_blocks=True, lstrip_blocks=True, extensions=[_GenerationBlocks, loopcontrols])
        self.filters["tojson"] = _to_json
        for name in _DANGEROUS_FILTERS:
            self.filters[name] = _counted(self.filters[name])
        self.filters["join"] = _join
        self.filters["replace"] = _replace

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Calculate, unless the result would be monstrous."""
        if operator == "%" and isinstance(left, str):
            raise _TooMuch("formatting with % is not allowed")
        if operator == "**" or (operator == "*" and isinstance(left, int) and isinstance(right, int)):
            if any(isinstance(value, int) and abs(value) > _LARGEST_NUMBER for value in (left, right)) or (
                operator == "**" and isinstance(right, int) and abs(right) > 64
            ):
                raise _TooMuch("a number is too large")
        elif operator == "*":
            _check_length(_length(left) * _times(right) + _length(right) * _times(left))
        elif operator == "+":
            _check_length(_length(left) + _length(right))
        return super().call_binop(context, operator, left, right)

    def concatenate(self, parts: Iterable[Any]) -> str:
        """The operator `~`."""
        texts = [str(part) for part in parts]
        _check_length(sum(map(len, texts)))
        return "".join(texts)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Call a function or method; numbers among its arguments are widths and the like."""
        _context, called, *arguments = args
        for value in (*arguments, *kwargs.values()):
            if isinstance(value, int) and abs(value) > LONGEST_TEXT:
                raise _TooMuch("a number is too large")
        owner = getattr(called, "__self__", None)
        if isinstance(owner, str) and getattr(called, "__name__", "") in ("replace", "join", "format"):
            return self._call_text_method(owner, called.__name__, arguments, kwargs)
        return super().call(*args, **kwargs)

    def _call_text_method(
        self, owner: str, method: str, arguments: list[Any], keywords: dict[str, Any]
    ) -> Any:
        if method == "join":
            return _join(arguments[0] if arguments else (), owner)
        if method == "replace":
            return _replace(owner, *arguments, **keywords)
        raise _TooMuch("formatting is not allowed")


def run_limited(render: Callable[[], str], seconds: float = LONGEST_SECONDS) -> str:
    """Run a template in a thread of its own, which is stopped when it takes too long.

    Raises:
        TimeoutError: it did.
        EngineCrashed: the system has no thread for it.
        Exception: whatever the template raised.
    """
    results: list[str] = []
    failures: list[Exception] = []

    def work() -> None:
        try:
            results.append(render())
        except Exception as error:  # noqa: BLE001 - carried over to the caller's thread
            failures.append(error)
        except _Stop:
            pass

    thread = threading.Thread(target=work, name="chat template", daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        raise EngineCrashed("no memory for another thread") from error
    thread.join(seconds)
    if thread.is_alive():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(_Stop))
        thread.join(1.0)
        raise TimeoutError
    if failures:
        raise failures[0]
    return results[0]


def collect(pieces: Iterable[str]) -> str:
    """Join the output of a template, but not endlessly."""
    collected, length = [], 0
    for piece in pieces:
        length += len(piece)
        _check_length(length)
        collected.append(piece)
    return "".join(collected)


def _check_length(length: int) -> None:
    if length > LONGEST_TEXT:
        raise _TooMuch("a text is too long")


def _length(value: Any) -> int:
    return len(value) if isinstance(value, (str, list, tuple)) else 0


def _times(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _counted(made: Callable[..., Any]) -> Callable[..., Any]:
    def limited(value: Any, *arguments: Any, **keywords: Any) -> Any:
        widths = [
            each for each in (*arguments, *keywords.values()) if isinstance(each, int) and each is not True
        ]
        lines = value.count("\n") + 1 if isinstance(value, str) else 1
        _check_length(lines * max(widths, default=1))
        return made(value, *arguments, **keywords)

    return limited if not hasattr(made, "jinja_pass_arg") else made


def _join(values: Iterable[Any], separator: str = "", attribute: str | None = None) -> str:
    texts = [str(value if attribute is None else value[attribute]) for value in values]
    _check_length(sum(map(len, texts)) + len(separator) * len(texts))
    return separator.join(texts)


def _replace(text: str, old: str, new: str, count: int = -1) -> str:
    _check_length(len(text) + text.count(old) * len(new))
    return text.replace(old, new, count)


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


def compile_template(source: str) -> jinja2.Template:
    """Parse a template.

    Raises:
        jinja2.TemplateError: it is not Jinja.
    """
    return TemplateEnvironment().from_string(source)
