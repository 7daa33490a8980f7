"""Conversations rendered with the makers' own templates: what must be in the prompt, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from engines.families.deepseek import DEEPSEEK_R1
from engines.families.family import Family
from engines.families.gemma import GEMMA
from engines.families.generic import GENERIC
from engines.families.phi import PHI_REASONING
from engines.families.smollm import SMOLLM2
from engines.gguf import read_header
from engines.llama_cpp.answer_text import ThoughtSplitter
from engines.llama_cpp.chat_template import ChatTemplate
from engines.protocol import Message
from tests.engines.families.real_templates import FOLDER, TEMPLATES, RealTemplate
from tests.engines.tiny_templates import CHATML, GEMMA3

EACH = pytest.mark.parametrize("real", TEMPLATES, ids=lambda real: real.file)
THINKING = [real for real in TEMPLATES if real.open().tags is not None]

SYSTEM = Message("system", "Answer like a pirate.")
TALK = [Message("user", "Who are you?"), Message("assistant", "I am a ship."), Message("user", "Whose?")]
OPENS_THE_ANSWER = {
    "gemma": "<start_of_turn>model\n",
    "gemma4": "<|turn>model\n",
    "smollm3": "<|im_start|>assistant\n",
    "qwen2": "<|im_start|>assistant\n",
    "qwen3": "<|im_start|>assistant\n",
    "qwen3.5": "<|im_start|>assistant\n",
    "qwq": "<|im_start|>assistant\n",
    "deepseek-r1": "<｜Assistant｜>",
    "llama": "<|start_header_id|>assistant<|end_header_id|>\n\n",
    "phi": "<|assistant|>\n",
    "mistral": "[/INST]",
    "mistral-small": "[/INST]",
    "mistral-reasoning": "[/INST]",
}


def places(prompt: str, *messages: Message) -> list[int]:
    """Where the texts stand in a prompt; each must be there once."""
    assert [prompt.count(message.content) for message in messages] == [1] * len(messages)
    return [prompt.index(message.content) for message in messages]


def test_every_template_in_the_folder_is_tested() -> None:
    assert {path.stem for path in FOLDER.glob("*.jinja")} == {real.file for real in TEMPLATES}


@EACH
@pytest.mark.parametrize("thinking", [False, True])
def test_everything_said_is_in_the_prompt_in_order(real: RealTemplate, thinking: bool) -> None:
    prompt = real.open().render([SYSTEM, *TALK], thinking=thinking)
    [system], turns = places(prompt, SYSTEM), places(prompt, *TALK)
    assert turns == sorted(turns)
    if real.family == "mistral":  # its maker puts the system text before the last question
        assert turns[1] < system < turns[2]
    else:
        assert system < turns[0]


@EACH
def test_the_prompt_ends_where_the_answer_begins(real: RealTemplate) -> None:
    template = real.open()
    prompt = template.render([SYSTEM, *TALK], thinking=True)
    opening = OPENS_THE_ANSWER[real.family]
    end = prompt.rindex(opening) + len(opening)
    assert prompt.rindex(TALK[-1].content) < end
    tags = template.tags
    assert prompt[end:].strip() in ("", tags.opening if tags else "")


@EACH
def test_going_on_with_an_answer_puts_it_last(real: RealTemplate) -> None:
    prompt = real.open().render(TALK, thinking=True, answer_start="Of the ")
    assert prompt.endswith("Of the ")
    assert not real.open().opens_thought(prompt.removesuffix("Of the "))


@EACH
def test_a_conversation_that_breaks_the_rules_for_roles_loses_nothing(real: RealTemplate) -> None:
    broken = [
        SYSTEM,
        Message("assistant", "Ahoy!"),
        Message("user", "First question."),
        Message("assistant", ""),
        Message("user", "Second question."),
    ]
    said = [message for message in broken if message.content]
    prompt = real.open().render(broken, thinking=False)
    places(prompt, *said)


@EACH
def test_words_of_the_template_language_are_mere_text(real: RealTemplate) -> None:
    question = Message("user", "{{ messages }} {% raise %} {# note #}")
    assert question.content in real.open().render([question], thinking=False)


def test_these_families_think() -> None:
    assert {real.family for real in THINKING} == {
        "gemma4",
        "smollm3",
        "qwen3",
        "qwen3.5",
        "qwq",
        "deepseek-r1",
        "mistral-reasoning",
    }


@pytest.mark.parametrize("real", THINKING, ids=lambda real: real.file)
def test_thinking_can_be_switched_off(real: RealTemplate) -> None:
    template = real.open()
    assert template.tags is not None
    off, on = (template.render([SYSTEM, *TALK], thinking=thinking) for thinking in (False, True))
    assert not template.opens_thought(off)
    assert on != off
    if real.family == "mistral-reasoning":  # its system text tells it to think, or does not
        assert template.tags.opening not in off
        assert on.index(SYSTEM.content) < on.index(template.tags.opening) < on.index(TALK[0].content)
    else:
        after_the_question = off[off.rindex(TALK[-1].content) :]
        assert after_the_question.rstrip().endswith(template.tags.closing)


@pytest.mark.parametrize("real", THINKING, ids=lambda real: real.file)
def test_thoughts_are_told_from_the_answer(real: RealTemplate) -> None:
    template = real.open()
    tags = template.tags
    assert tags is not None
    inside = template.opens_thought(template.render(TALK, thinking=True))
    said = f"{'' if inside else tags.opening}\nLet me see.\n{tags.closing}\n\nOf the king."
    splitter = ThoughtSplitter(tags, inside=inside)
    pieces = [splitter.feed(letter) for letter in said] + [splitter.rest()]
    assert "".join(thought for thought, _ in pieces) == "Let me see."
    assert "".join(answer for _, answer in pieces) == "Of the king."


@pytest.mark.parametrize("family", [DEEPSEEK_R1, PHI_REASONING], ids=lambda family: family.name)
def test_who_always_thinks_does_so_with_a_template_that_says_nothing_of_it(family: Family) -> None:
    template = ChatTemplate(CHATML, family, bos="", eos="")
    on, off = (template.render(TALK, thinking=thinking) for thinking in (True, False))
    assert template.tags is not None
    assert on.endswith("<|im_start|>assistant\n")
    assert off == f"{on}<think>\n\n</think>\n\n"
    assert template.render(TALK, thinking=True, answer_start="Of") == f"{off}Of"


@pytest.mark.parametrize("family", [GEMMA, GENERIC], ids=lambda family: family.name)
def test_gemma_3_hears_the_system_before_the_first_question(family: Family) -> None:
    prompt = ChatTemplate(GEMMA3, family, bos="", eos="").render([SYSTEM, *TALK], thinking=False)
    turns = places(prompt, SYSTEM, *TALK)
    assert turns == sorted(turns)


def test_the_starter_hears_the_system(smollm2: Path) -> None:
    template = ChatTemplate(read_header(smollm2).chat_template, SMOLLM2, bos="", eos="")
    prompt = template.render([SYSTEM, *TALK], thinking=False)
    turns = places(prompt, SYSTEM, *TALK)
    assert turns == sorted(turns)
    assert prompt.endswith("<|im_start|>assistant\n")


# The first templates of Phi-3 and of Mistral 7B: one drops the system message, one refuses it.
DROPS_SYSTEM = (
    "{% for message in messages %}{% if message['role'] == 'user' %}{{ '<|user|>' + message['content'] }}"
    "{% elif message['role'] == 'assistant' %}{{ '<|assistant|>' + message['content'] }}{% endif %}"
    "{% endfor %}<|assistant|>"
)
REFUSES_SYSTEM = (
    "{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}"
    "{{ '[INST]' + message['content'] }}{% endfor %}[/INST]"
)


@pytest.mark.parametrize("source", [DROPS_SYSTEM, REFUSES_SYSTEM], ids=["drops", "refuses"])
def test_a_template_of_an_unknown_family_without_a_system_role_loses_nothing(source: str) -> None:
    template = ChatTemplate(source, GENERIC, bos="", eos="")
    turns = places(template.render([SYSTEM, *TALK], thinking=False), SYSTEM, *TALK)
    assert turns == sorted(turns)
    neighbours = [SYSTEM, TALK[1], TALK[0], TALK[2]]
    places(template.render(neighbours, thinking=False), *neighbours)


def test_deepseek_gets_its_instructions_from_the_user() -> None:
    [real, *_] = [real for real in TEMPLATES if real.family == "deepseek-r1"]
    prompt = real.open().render([SYSTEM, TALK[0]], thinking=True)
    assert prompt.index("<｜User｜>") < prompt.index(SYSTEM.content)
