"""Chat templates come from strangers: they end soon, stay small, and never reach Python."""

from __future__ import annotations

import random
import resource
import sys
import time

import pytest

from engines.errors import TemplateFailed
from engines.families.generic import GENERIC
from engines.llama_cpp import template_sandbox
from engines.llama_cpp.chat_template import ChatTemplate
from engines.protocol import Message

MESSAGES = [Message("user", "the secret question"), Message("assistant", "Yes."), Message("user", "Really?")]

GREEDY = {
    "a table of translations": "{{ ('a' * 1000000).translate({97: 'b' * 16000}) }}",
    "tabs": "{{ ('\t' * 1000).expandtabs(16000000) }}",
    "a format": "{{ '{:>999999999}'.format(1) }}",
    "a format of a dictionary": "{{ '{a:>999999999}'.format_map({'a': 1}) }}",
    "a format that was taken aside": "{% set f = '{:>999999999}'.format %}{{ f(1) }}",
    "the filter format": "{{ '%999999999d'|format(1) }}",
    "a format with a star": "{{ '%*d'|format(999999999, 1) }}",
    "many new texts": "{% set ns = namespace(l=[]) %}{% for i in range(2000) %}"
    "{% set ns.l = ns.l + ['x' * 15000000 ~ i] %}{% endfor %}",
    "one text many times": "{{ ['a' * 10000000] * 10000000 }}",
    "lists of lists": "{% set a = ['x' * 1000] %}"
    + "{% set a = [a, a, a, a, a, a, a, a] %}" * 20
    + "{{ a }}",
    "lists of lists as text": "{% set a = ['x'] %}" + "{% set a = [a, a, a, a] %}" * 30 + "{{ a|upper }}",
    "lists of lists joined": "{% set a = ['x'] %}" + "{% set a = [a, a, a, a] %}" * 30 + "{{ 'b' ~ a }}",
    "lists added up": "{{ ([['a'] * 100000] * 100)|sum(start=[])|length }}",
    "a wide indent": "{{ [[1]]|tojson(indent=1000000) }}",
    "constants": "{{ 'a' * 99999999999 }}",
    "a power": "{{ 9 ** 99999999 }}",
    "doubling": "{% set ns = namespace(v='ab') %}{% for i in range(100) %}"
    "{% set ns.v = [ns.v, ns.v]|join %}{% endfor %}",
    "bytes": "{{ ('a' * 1000000).encode().replace(''.encode(), ('b' * 100000).encode())|length }}",
    "replacing nothing": "{{ ('a' * 10000)|replace('', 'b' * 10000)|length }}",
    "a long template": "{% set a = 1 %}" * 100_000,
    "deep brackets": "{{ " + "(" * 3_000 + "1" + ")" * 3_000 + " }}",
    "deep conditions": "{% if 1 %}" * 3_000 + "{% endif %}" * 3_000,
    "itself": "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
}


@pytest.mark.parametrize("case", GREEDY)
def test_a_greedy_template_is_refused(case: str) -> None:
    with pytest.raises(TemplateFailed):
        ChatTemplate(GREEDY[case], GENERIC, bos="", eos="").render(MESSAGES, thinking=False)


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{% for i in range(99999) %}{{ range(99999)|list|length }}{% endfor %}",
    ],
)
def test_an_endless_template_is_ended(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_sandbox, "LONGEST_SECONDS", 0.2)
    template = template_sandbox.compile_template(source)

    with pytest.raises(TimeoutError):
        template_sandbox.run_limited(template.render, 0.2)


@pytest.mark.parametrize(
    "source",
    [
        "{{ messages.__class__.__mro__[1].__subclasses__() }}",
        "{{ messages|attr('__class__') }}",
        "{{ messages|map(attribute='__class__')|list }}",
        "{{ raise_exception.__globals__ }}",
        "{{ strftime_now.__globals__ }}",
        "{{ strftime_now.__code__ }}",
        "{{ self._TemplateReference__context }}",
        "{{ namespace.__init__.__globals__ }}",
        "{{ range.__self__ }}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}{{ os.environ }}",
        "{{ messages.append(1) }}",
        "{{ messages[0].update({'role': 'system'}) }}",
        "{{ ''.join.__self__.__class__ }}",
    ],
)
def test_a_template_reaches_nothing_but_what_it_is_given(source: str) -> None:
    try:
        rendered = ChatTemplate(source, GENERIC, bos="", eos="").render(MESSAGES, thinking=False)
    except TemplateFailed:
        return

    assert rendered in ("", "[Undefined, Undefined, Undefined]")


def test_a_refusal_does_not_repeat_the_question() -> None:
    template = ChatTemplate("{{ messages[0].content.translate({}) }}{{ 1 // 0 }}", GENERIC, bos="", eos="")

    with pytest.raises(TemplateFailed) as caught:
        template.render(MESSAGES, thinking=False)

    assert "secret" not in caught.value.details


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{% for m in messages %}{{ m.content.replace('e', '3').upper() }};{% endfor %}",
         "TH3 S3CR3T QU3STION;Y3S.;R3ALLY?;"),
        ("{{ '%s is %d' | format('x', 7) }} {{ [1, 2] | sum }} {{ 'ab' | join(', ') }}", "x is 7 3 a, b"),
        ("{{ messages | length }} {{ (messages | first).role }} {{ [1, 'a'] }}", "3 user [1, 'a']"),
        ("{{ messages | map(attribute='role') | join('|') }}", "user|assistant|user"),
        ("{{ {'a': [1]} | tojson(indent=2) }}", '{\n  "a": [\n    1\n  ]\n}'),
    ],
)  # fmt: skip
def test_an_honest_template_is_left_alone(source: str, text: str) -> None:
    assert ChatTemplate(source, GENERIC, bos="", eos="").render(MESSAGES, thinking=False) == text


WORDS = """{{ }} {% %} -%} {# #} for m in messages endfor if else endif set a = macro f() endmacro f() m a
messages .content ['role'] 'x' 7 1e308 * + ~ ** ( ) [ ] is defined range(99999) namespace(b=1) .split() 😀 \0
|upper |tojson |join |list |length |sort |map('string') |e"""
PIECES = [f"{word} " for word in WORDS.split()] + ["for m in messages", "set a = ", "\n"]


def scribble(dice: random.Random) -> str:
    return "".join(dice.choices(PIECES, k=dice.randrange(1, 25)))


def try_templates(seed: int, count: int) -> int:
    """Compile and render random templates; returns how many worked."""
    dice, worked = random.Random(seed), 0
    for _ in range(count):
        source = scribble(dice)
        if dice.random() < 0.5:
            source = "{% for m in messages %}{{ m.content " + source + " }}{% endfor %}"
        try:
            ChatTemplate(source, GENERIC, bos="<s>", eos="</s>").render(MESSAGES, thinking=False)
            worked += 1
        except TemplateFailed:
            pass
    return worked


def test_scribbled_templates_fail_by_name_or_work() -> None:
    assert try_templates(1, 300) > 5


@pytest.mark.slow
def test_many_scribbled_templates_take_little_time_and_memory() -> None:
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()

    try_templates(2, 5_000)

    kilobytes = 1 if sys.platform == "linux" else 1024
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // kilobytes < 500_000
    assert time.process_time() - began < 120
