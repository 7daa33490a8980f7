"""A Jinja environment for chat templates, which come from strangers inside model files.

Jinja's sandbox keeps them from Python; what is added here keeps them from using up memory and time.
"""

from __future__ import annotations

import _thread
import ctypes
import json
import re
import threading
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, NoReturn, TypeVar

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

LONGEST_SOURCE = 200_000
"""Characters of a template; real ones have at most 30,000."""

_MOST_TEXT = 16 * LONGEST_TEXT
"""Characters of everything that one run puts together, on the way."""
_LARGEST_NUMBER = 1 << 64
_WIDEST = 32
_ITEM_WEIGHT = 16
"""Characters that an item of a list counts as."""
_COUNTED_FILTERS = ("center", "indent", "batch", "slice")
_REMOVED_FILTERS = ("pprint", "urlize", "wordwrap", "xmlattr", "filesizeformat", "random")
_REMOVED_GLOBALS = ("lipsum", "cycler", "joiner")
_TEXT_METHODS = frozenset(
    {
        "capitalize",
        "casefold",
        "count",
        "endswith",
        "find",
        "index",
        "isalnum",
        "isalpha",
        "isascii",
        "isdecimal",
        "isdigit",
        "islower",
        "isnumeric",
        "isspace",
        "istitle",
        "isupper",
        "join",
        "lower",
        "lstrip",
        "partition",
        "removeprefix",
        "removesuffix",
        "replace",
        "rfind",
        "rindex",
        "rpartition",
        "rsplit",
        "rstrip",
        "split",
        "splitlines",
        "startswith",
        "strip",
        "swapcase",
        "title",
        "upper",
    }
)
"""What a text can be asked to do; others can make gigabytes of a few bytes."""
_WIDE_FORMAT = re.compile(r"%[^a-zA-Z%]*(?:\d{4}|\*)")

T = TypeVar("T")
_made = threading.local()


class _TooMuch(SecurityError):
    """A template wants more memory or time than any honest one needs."""


class _Stop(SystemExit):
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
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=[_GenerationBlocks, loopcontrols],
            finalize=_weighed,
        )
        for name in _REMOVED_FILTERS:
            del self.filters[name]
        for name in _REMOVED_GLOBALS:
            del self.globals[name]
        for name in _COUNTED_FILTERS:
            self.filters[name] = _counted(self.filters[name])
        self.filters |= {
            "tojson": _to_json,
            "join": _join,
            "replace": _replace,
            "format": _format,
            "sum": _sum,
        }
        for name, made in self.filters.items():
            self.filters[name] = _weighing(made)

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
            _make(_length(left) * _times(right) + _length(right) * _times(left))
        elif operator == "+":
            _make(_length(left) + _length(right))
        return super().call_binop(context, operator, left, right)

    def concatenate(self, parts: Iterable[Any]) -> str:
        """The operator `~`."""
        texts = [str(_weighed(part)) for part in parts]
        _make(sum(map(len, texts)))
        return "".join(texts)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """Refuse `str.format`, whose widths are gigabytes of blanks."""
        return _no_format if super().wrap_str_format(value) is not None else None

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Call a function or method; numbers among its arguments are widths and the like."""
        _context, called, *arguments = args
        for value in (*arguments, *kwargs.values()):
            if isinstance(value, int) and abs(value) > LONGEST_TEXT:
                raise _TooMuch("a number is too large")
        owner = getattr(called, "__self__", None)
        if isinstance(owner, str):
            match getattr(called, "__name__", ""):
                case "join":
                    return _join(arguments[0] if arguments else (), owner)
                case "replace":
                    return _replace(owner, *arguments)
                case name if name not in _TEXT_METHODS:
                    raise _TooMuch(f"the method {name[:40]} is not allowed")
        return super().call(*args, **kwargs)


def run_limited(render: Callable[[], T], seconds: float = LONGEST_SECONDS) -> T:
    """Run or compile a template in a thread of its own, which is stopped when it takes too long.

    Raises:
        TimeoutError: it did.
        EngineCrashed: the system has no thread for it.
        Exception: whatever the template raised.
    """
    results: list[T] = []
    failures: list[Exception] = []
    begun, ended = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        try:
            results.append(render())
        except Exception as error:  # noqa: BLE001 - carried over to the caller's thread
            failures.append(error)
        finally:
            ended.set()

    try:
        # Not `threading.Thread`: its `start` waits for ever where memory is too short for a thread to begin.
        thread = _thread.start_new_thread(work, ())
    except RuntimeError as error:
        raise EngineCrashed("no memory for another thread") from error
    if not ended.wait(seconds):
        if not begun.is_set():
            raise EngineCrashed("no memory for another thread")
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(_Stop))
        ended.wait(1.0)
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


def _make(length: int) -> None:
    """A text or list of this length comes into being."""
    _check_length(length)
    _made.total = getattr(_made, "total", 0) + length  # every run has a thread of its own
    if _made.total > _MOST_TEXT:
        raise _TooMuch("too much text on the way")


def _weighed(value: Any) -> Any:
    """The value, unless writing it out would be monstrous: a list may hold one long text many times."""
    if isinstance(value, (list, tuple, dict)):
        weight = 0
        rest: list[Any] = [value]
        while rest:
            item = rest.pop()
            if isinstance(item, dict):
                rest += item.keys()
                rest += item.values()
            elif isinstance(item, (list, tuple)):
                rest += item
            weight += len(item) if isinstance(item, str) else _ITEM_WEIGHT
            if weight + _ITEM_WEIGHT * len(rest) > LONGEST_TEXT:
                raise _TooMuch("a list is too long")
    return value


def _weighing(made: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that looks at the size of what it is given."""

    @wraps(made)
    def limited(*arguments: Any, **keywords: Any) -> Any:
        for value in (*arguments, *keywords.values()):
            _weighed(value)
        return made(*arguments, **keywords)

    return limited


def _counted(made: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(made)
    def limited(value: Any, *arguments: Any, **keywords: Any) -> Any:
        widths = [
            each for each in (*arguments, *keywords.values()) if isinstance(each, int) and each is not True
        ]
        lines = value.count("\n") + 1 if isinstance(value, str) else 1
        _make(lines * max(widths, default=1))
        return made(value, *arguments, **keywords)

    return limited


def _no_format(*_: Any, **__: Any) -> NoReturn:
    raise _TooMuch("formatting is not allowed")


def _format(pattern: str, *arguments: Any, **keywords: Any) -> str:
    if _WIDE_FORMAT.search(pattern):
        raise _TooMuch("a number is too large")
    return str(pattern) % (keywords or arguments)


def _sum(values: Iterable[Any], attribute: str | None = None, start: float = 0) -> Any:
    numbers = [value if attribute is None else value[attribute] for value in values]
    if not all(isinstance(number, (int, float)) for number in (start, *numbers)):
        raise _TooMuch("only numbers are added up")
    return sum(numbers, start)


def _join(values: Iterable[Any], separator: str = "", attribute: str | None = None) -> str:
    texts = [str(_weighed(value if attribute is None else value[attribute])) for value in values]
    _make(sum(map(len, texts)) + len(separator) * len(texts))
    return separator.join(texts)


def _replace(text: str, old: str, new: str, count: int = -1) -> str:
    _make(len(text) + text.count(old) * len(new))
    return text.replace(old, new, count)


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    if isinstance(indent, int) and indent > _WIDEST:
        raise _TooMuch("a number is too large")
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )


def compile_template(source: str) -> jinja2.Template:
    """Parse a template.

    Raises:
        jinja2.TemplateError: it is not Jinja, or longer than any honest one.
        TimeoutError: it takes too long.
    """
    if len(source) > LONGEST_SOURCE:
        raise jinja2.TemplateError(f"{len(source)} characters")
    return run_limited(lambda: TemplateEnvironment().from_string(source))
