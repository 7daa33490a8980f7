"""Renders a conversation with the chat template that the model file brings along."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any, NoReturn

import jinja2

from engines.errors import EngineCrashed, NoChatTemplate, TemplateFailed
from engines.families import Family, ThinkingTags
from engines.families.roles import arrange
from engines.llama_cpp import template_sandbox
from engines.protocol import Message

_THINKING_VARIABLE = "enable_thinking"
_PROBE = "Answer in verse."


class _Refused(Exception):
    """The template called `raise_exception`."""


class ChatTemplate:
    """One model's template. Rendering is safe on hostile templates, and from several threads."""

    def __init__(self, source: str | None, family: Family, *, bos: str, eos: str) -> None:
        """Compile it.

        Raises:
            TemplateFailed: it is not Jinja.
        """
        self._family = family
        self._tokens = {"bos_token": bos, "eos_token": eos}
        self.tags: ThinkingTags | None = None
        """What the model writes around its thoughts; `None` for a model that cannot think."""
        self._template: jinja2.Template | None = None
        if source is not None:
            self.tags = family.tags_in(source)
            try:
                self._template = template_sandbox.compile_template(source)
            except (jinja2.TemplateError, SyntaxError, RecursionError, MemoryError, TimeoutError) as error:
                raise TemplateFailed(_describe(error)) from error

    def render(self, messages: Sequence[Message], *, thinking: bool, answer_start: str = "") -> str:
        """The prompt for the next answer.

        Args:
            messages: the conversation; roles that the template does not take are folded into others.
            thinking: let the model think first, if it can.
            answer_start: text that the answer already has.

        Raises:
            NoChatTemplate: the model has none.
            TemplateFailed: the template refuses the messages, fails, or takes too much time or memory.
        """
        if self._template is None:
            raise NoChatTemplate
        thinking = thinking and not answer_start
        if thinking and self.tags:
            messages = self._family.ask_to_think(messages)
        prompt = self._run(self._template, self._arrange(messages), thinking=thinking)
        if self.tags and not thinking:
            prompt = self._without_thought(prompt, self.tags)
        return prompt + answer_start

    def opens_thought(self, prompt: str) -> bool:
        """Whether the answer to this prompt begins within a thought."""
        return self.tags is not None and prompt.rstrip().endswith(self.tags.opening)

    def _without_thought(self, prompt: str, tags: ThinkingTags) -> str:
        """An empty thought is the only way to tell a model that always thinks not to."""
        if self.opens_thought(prompt):
            return f"{prompt.rstrip()}\n\n{tags.closing}\n\n"
        if self._family.always_thinks and not prompt.rstrip().endswith(tags.closing):
            return f"{prompt}{tags.opening}\n\n{tags.closing}\n\n"
        return prompt

    def _arrange(self, messages: Sequence[Message]) -> list[Message]:
        """Obey the family's rules for roles, and the template's own where they are stricter."""
        arranged = self._family.arrange(messages)
        roles = [message.role for message in arranged]
        turns = [role for role in roles if role != "system"]
        in_turn = turns[:1] != ["assistant"] and all(first != second for first, second in pairwise(turns))
        return arrange(
            arranged,
            system_role="system" not in roles or self._takes_system,
            alternating_roles=not (in_turn or self._takes_any_turn),
        )

    @cached_property
    def _takes_system(self) -> bool:
        """Whether a system message comes through: some templates refuse it, some drop it without a word."""
        return _PROBE in self._try([Message("system", _PROBE), Message("user", "?")])

    @cached_property
    def _takes_any_turn(self) -> bool:
        """Whether the assistant may begin, and one role may speak twice."""
        return bool(self._try([Message("assistant", "!"), Message("user", "?"), Message("user", "?")]))

    def _try(self, messages: list[Message]) -> str:
        try:
            return self._run(self._template, messages, thinking=False) if self._template else ""
        except TemplateFailed:
            return ""

    def _run(self, template: jinja2.Template, messages: Sequence[Message], *, thinking: bool) -> str:
        # What is not said must be undefined, not None: templates ask `is defined`.
        variables: dict[str, Any] = {_THINKING_VARIABLE: thinking} if self.tags else {}
        variables |= self._tokens
        variables["messages"] = [{"role": message.role, "content": message.content} for message in messages]
        try:
            return template_sandbox.run_limited(
                lambda: template_sandbox.collect(
                    template.generate(
                        add_generation_prompt=True,
                        raise_exception=_refuse,
                        strftime_now=_strftime_now,
                        **variables,
                    )
                )
            )
        except TimeoutError as error:
            raise TemplateFailed("takes too long") from error
        except EngineCrashed:
            raise
        except Exception as error:  # a template may raise whatever Python can
            raise TemplateFailed(_describe(error)) from error


def _refuse(message: object) -> NoReturn:
    raise _Refused(str(message))


def _strftime_now(pattern: str) -> str:
    return datetime.datetime.now().strftime(pattern)


def _describe(error: Exception) -> str:
    """Name the fault. Only the template's own words may be quoted: other messages can hold a prompt."""
    if isinstance(error, (_Refused, jinja2.TemplateSyntaxError, jinja2.exceptions.SecurityError)):
        return f"{type(error).__name__.lstrip('_')}: {error}"[:500]
    return type(error).__name__
