"""What a grammar (GBNF) would cost llama.cpp, before it sees it.

llama.cpp follows all ways through a grammar at once, and cannot be stopped meanwhile. A few lines of rules
that lead to each other twice are a million ways; a thousand repetitions of a long text are a gigabyte. So the
ways and the size are counted here first.

Notation: https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_MOST_WAYS = 20_000
"""Ways to begin a rule; each word of an enumeration is one."""
_MOST_OPTIONAL_IN_A_ROW = 200
_MOST_SIZE = 2_000_000
"""Characters and references once all repetitions are written out."""
_MOST_REPETITIONS = 2_000
_MOST_NESTING = 200

_TOKEN = re.compile(
    r"""(?P<space>(?:\s|\#[^\n]*)+)
    |(?P<rule>[A-Za-z0-9-]+)(?=(?:[ \t]|\#[^\n]*)*::=)(?:[ \t]|\#[^\n]*)*::=
    |(?P<name>[A-Za-z0-9-]+)
    |(?P<text>"(?:[^"\\]|\\.)*")
    |(?P<letters>\[(?:[^\]\\]|\\.)*\]|\.|!?<[^>\s]*>)
    |(?P<times>[*+?]|\{\s*\d+\s*(?:,\s*\d*\s*)?\})
    |(?P<sign>[()|])""",
    re.VERBOSE | re.DOTALL,
)


class GrammarTooCostly(Exception):
    """The grammar is none, or llama.cpp would need too much time or memory for it; says why."""


@dataclass(slots=True)
class _Part:
    """A text, a set of letters, a rule's name or a group, with how often it comes."""

    size: int
    name: str = ""
    group: list[list[_Part]] | None = None
    least: int = 1
    most: int | None = 1
    """`None`: without end."""


@dataclass(slots=True)
class _Ways:
    """How a rule may begin: with so many terminals, or in so many ways with nothing at all."""

    begins: int = 0
    empty: int = 0


def check_cost(text: str) -> None:
    """Refuse what would take llama.cpp too long.

    Raises:
        GrammarTooCostly: says in what way.
    """
    _Counter(_parse(text)).check()


def _parse(text: str) -> dict[str, list[list[_Part]]]:
    rules: dict[str, list[list[_Part]]] = {}
    open_groups: list[list[list[_Part]]] = []
    alternatives: list[list[_Part]] | None = None
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise GrammarTooCostly(f"not understood at character {position}")
        position = found.end()
        kind, word = str(found.lastgroup), found[0]
        if kind == "space":
            continue
        if kind == "rule":
            if open_groups:
                raise GrammarTooCostly("a group is not closed")
            alternatives = rules[found["rule"]] = [[]]
            continue
        if alternatives is None:
            raise GrammarTooCostly("does not begin with a rule")
        match kind, word:
            case "sign", "|":
                alternatives.append([])
            case "sign", "(":
                if len(open_groups) == _MOST_NESTING:
                    raise GrammarTooCostly("nested too deeply")
                open_groups.append(alternatives)
                alternatives = [[]]
            case "sign", _:
                if not open_groups:
                    raise GrammarTooCostly("a group is closed that is not open")
                group, alternatives = alternatives, open_groups.pop()
                alternatives[-1].append(_Part(1, group=group))
            case "times", _:
                if not alternatives[-1]:
                    raise GrammarTooCostly("nothing to repeat")
                last = alternatives[-1][-1]
                if (last.least, last.most) != (1, 1):  # as llama.cpp does: what was repeated is one thing
                    last = alternatives[-1][-1] = _Part(1, group=[[last]])
                last.least, last.most = _times(word)
            case "name", _:
                alternatives[-1].append(_Part(1, name=word))
            case _:
                alternatives[-1].append(_Part(len(word)))
    if open_groups:
        raise GrammarTooCostly("a group is not closed")
    return rules


def _times(word: str) -> tuple[int, int | None]:
    simple: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
    if word in simple:
        return simple[word]
    if len(word) > 40:
        raise GrammarTooCostly("too many repetitions")
    least, comma, most = word.strip("{} \t\r\n").partition(",")
    highest = int(least) if not comma else int(most) if most.strip() else None
    if max(int(least), highest or 0) > _MOST_REPETITIONS:
        raise GrammarTooCostly("too many repetitions")
    return int(least), highest


@dataclass(slots=True)
class _Counter:
    rules: dict[str, list[list[_Part]]]
    _known: dict[str, _Ways] = field(default_factory=dict)

    def check(self) -> None:
        try:
            for alternatives in self.rules.values():
                self._look_within(alternatives)
        except RecursionError as error:
            raise GrammarTooCostly("rules lead to each other too deeply") from error

    def _look_within(self, alternatives: list[list[_Part]]) -> None:
        """Count at every place: an answer goes on behind each part."""
        for parts in alternatives:
            for start in range(len(parts)):
                self._sequence(parts, start)
            for part in parts:
                if part.group is not None:
                    self._look_within(part.group)
        if sum(map(_size, alternatives)) > _MOST_SIZE:
            raise GrammarTooCostly("too large with all repetitions written out")

    def _rule(self, name: str) -> _Ways:
        if name not in self._known:
            self._known[name] = _Ways()  # llama.cpp refuses a rule that begins with itself
            self._known[name] = self._alternatives(self.rules.get(name, []))
        return self._known[name]

    def _alternatives(self, alternatives: list[list[_Part]]) -> _Ways:
        total = _Ways()
        for parts in alternatives:
            ways = self._sequence(parts)
            total.begins += ways.begins
            total.empty += ways.empty
            if total.begins + total.empty > _MOST_WAYS:
                raise GrammarTooCostly("too many ways at once")
        return total

    def _sequence(self, parts: list[_Part], start: int = 0) -> _Ways:
        """Ways to begin with the part at `start`; where that may be empty, also with the next one."""
        ways = _Ways(empty=1)
        for place in range(start, len(parts)):
            inner = self._part(parts[place])
            ways.begins += ways.empty * inner.begins
            ways.empty *= inner.empty
            if not ways.empty:
                break
            if ways.begins + ways.empty > _MOST_WAYS or place - start > _MOST_OPTIONAL_IN_A_ROW:
                raise GrammarTooCostly("too many ways at once")
        return ways

    def _part(self, part: _Part) -> _Ways:
        if part.group is not None:
            once = self._alternatives(part.group)
        elif part.name:
            once = self._rule(part.name)
        else:
            once = _Ways(begins=1)
        return _Ways(once.begins, once.empty + 1) if part.least == 0 else once


def _size(parts: list[_Part]) -> int:
    return sum(part.size * max(part.least, part.most or 1) for part in parts)
