"""What a family of models has in common: its architectures, its maker's advice, its ways of speaking."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from engines.families import roles, thinking
from engines.families.thinking import ThinkingTags
from engines.families.tool_calls import ToolCall, ToolCallForm
from engines.protocol import Message, Sampling

_SEPARATORS = re.compile(r"[-_\s]+")
_THINKING_VARIABLE = "enable_thinking"


@dataclass(frozen=True, slots=True)
class Family:
    """Models that are talked to in one way. Data only: all families share one runtime.

    To add a family:

    1. write one file beside this one with a `Family` (or several, the most special first);
    2. list it in `engines/families/__init__.py`;
    3. add its architectures to the table in `tests/engines/families/test_finding.py`, and its chat template
       to `tests/engines/templates`.

    Where an answer ends need not be said: llama.cpp knows the tokens that end a turn.
    """

    name: str
    architectures: frozenset[str]
    """`general.architecture` of its GGUF files; empty for the family of all others."""
    sampling: Sampling
    """What the maker recommends; says temperature, top-k, top-p, min-p and the penalty for repetition."""
    thinking_sampling: Sampling | None = None
    """The same for answers that begin with a thought, where the maker distinguishes."""
    name_pattern: str = ""
    """What the name must contain, where several families share an architecture: a regular expression for the
    name in lower case, its words separated by blanks."""
    thinking_tags: tuple[ThinkingTags, ...] = (thinking.THINK,)
    """Used only where the chat template speaks of thinking, or the family always thinks; the first that the
    template mentions counts."""
    always_thinks: bool = False
    """Whether its models think by themselves, also where the template says nothing of it."""
    thinking_request: str = ""
    """What its models must be told before they think, where the template does not see to it."""
    system_role: bool = True
    """Whether its templates take a system message; else it is put before the first question."""
    alternating_roles: bool = False
    """Whether its templates insist on user and assistant in turn, the user first."""
    tool_call_forms: tuple[ToolCallForm, ...] = ()
    """How its models write calls of tools; the first that finds a call counts."""

    def fits(self, architecture: str, names: str) -> bool:
        """Whether a model of this architecture, with these names in any spelling, belongs to the family."""
        if architecture not in self.architectures:
            return False
        return re.search(self.name_pattern, _SEPARATORS.sub(" ", names.lower())) is not None

    def arrange(self, messages: Sequence[Message]) -> list[Message]:
        """Make a conversation obey the family's rules without losing a word of it."""
        return roles.arrange(messages, system_role=self.system_role, alternating_roles=self.alternating_roles)

    def ask_to_think(self, messages: Sequence[Message]) -> list[Message]:
        """Add the request, where there is one, to the system message."""
        if not self.thinking_request:
            return list(messages)
        system = [message.content for message in messages if message.role == "system"]
        others = [message for message in messages if message.role != "system"]
        return [Message("system", "\n\n".join([*system, self.thinking_request])), *others]

    def tags_in(self, template: str) -> ThinkingTags | None:
        """What models with this chat template write around their thoughts; `None` if they do not think."""
        for tags in self.thinking_tags:
            if tags.opening in template or tags.closing in template:
                return tags
        thinks = self.always_thinks or _THINKING_VARIABLE in template
        return self.thinking_tags[-1] if thinks else None

    def marks(self, tags: ThinkingTags | None) -> tuple[str, ...]:
        """Texts in an answer that may be control tokens, without which it could not be understood."""
        thinking_marks = (tags.opening, tags.closing) if tags else ()
        return (*thinking_marks, *(mark for form in self.tool_call_forms for mark in form.marks))

    def complete(self, sampling: Sampling, *, thinking: bool) -> Sampling:
        """Fill what the caller leaves open with the maker's recommendation."""
        advice = (thinking and self.thinking_sampling) or self.sampling
        chosen = {
            name: given if (given := getattr(sampling, name)) is not None else getattr(advice, name)
            for name in Sampling.__slots__
        }
        return Sampling(**chosen)

    def tool_calls(self, answer: str) -> tuple[str, list[ToolCall]]:
        """Split an answer into what is meant for people and the tools that it wants to be run."""
        for form in self.tool_call_forms:
            text, calls = form.parse(answer)
            if calls:
                return text, calls
        return answer, []
