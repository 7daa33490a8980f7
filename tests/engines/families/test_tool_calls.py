"""Calls of tools, as the makers' own templates write them, become values."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engines.families import ToolCall
from engines.families.generic import GENERIC
from engines.families.phi import PHI
from engines.families.qwen import QWEN3
from engines.llama_cpp import template_sandbox
from tests.engines.families.real_templates import TEMPLATES, RealTemplate, family_named

ARGUMENTS: dict[str, Any] = {
    "city": 'تهران «مرکز», "Iran"',
    "days": 3,
    "units": {"wind": "km/h", "signs": ["{a:1}", "b\nc"]},
    "now": True,
}
ONE = [ToolCall("get_weather", ARGUMENTS)]
TWO = [*ONE, ToolCall("get_time", {"zone": "Asia/Tehran"})]
TEXT_ARGUMENTS = {"deepseek-ai-DeepSeek-R1-Distill-Llama-8B"}
"""Wants the arguments as JSON text."""

WRITES_CALLS = [real for real in TEMPLATES if "tool_calls" in real.source and real.family != "smollm3"]


def written(real: RealTemplate, calls: list[ToolCall]) -> str:
    """What the model has written, by its own template: all between its turn's beginning and end."""
    as_text = real.file in TEXT_ARGUMENTS
    message = {
        "role": "assistant",
        "content": None if real.family == "deepseek-r1" else "",
        "tool_calls": [
            {
                "id": f"call{number:05}",
                "type": "function",
                "function": {
                    "name": call.name,
                    "arguments": json.dumps(call.arguments) if as_text else call.arguments,
                },
            }
            for number, call in enumerate(calls)
        ],
    }
    conversation = [{"role": "user", "content": "QUESTION"}, message]
    prompt = template_sandbox.compile_template(real.source).render(
        messages=conversation, bos_token="", eos_token="<EOS>", strftime_now=lambda _: "today"
    )
    answer = prompt.split("QUESTION", 1)[1]
    for end in ("<EOS>", "<|im_end|>", "<|eot_id|>", "<｜end▁of▁sentence｜>", "<|tool_response>"):
        answer = answer.split(end)[0] if end == "<EOS>" else answer.replace(end, "")
    for opening in (
        "[/INST]",
        "<|start_header_id|>assistant<|end_header_id|>",
        "<|im_start|>assistant",
        "<｜Assistant｜>",
        "<turn|>\n<|turn>model\n",
        "<think>\n\n</think>",
    ):
        answer = answer.replace(opening, "")
    return answer


@pytest.mark.parametrize("real", WRITES_CALLS, ids=lambda real: real.file)
def test_what_a_template_writes_is_read_again(real: RealTemplate) -> None:
    calls = ONE if real.family == "llama" else TWO  # "This model only supports single tool-calls at once!"
    text, found = family_named(real.family).tool_calls(written(real, calls))
    assert found == calls
    assert text == ""


def test_most_templates_write_calls() -> None:
    assert len(WRITES_CALLS) >= 11


def test_words_before_a_call_stay_words() -> None:
    answer = 'Let me look.\n<tool_call>\n{"name": "look", "arguments": {}}\n</tool_call>'
    assert QWEN3.tool_calls(answer) == ("Let me look.", [ToolCall("look", {})])


def test_phi_writes_a_list() -> None:
    answer = '<|tool_call|>[{"name": "a", "arguments": {"x": 1}}, {"name": "b"}]<|/tool_call|>'
    assert PHI.tool_calls(answer) == ("", [ToolCall("a", {"x": 1}), ToolCall("b", {})])


@pytest.mark.parametrize(
    "answer",
    [
        "There is no call here.",
        "<tool_call>not JSON</tool_call>",
        '<tool_call>{"name": "cut", "arguments": {"x": </tool_call>',
        '<tool_call>{"name": "cut off',
        '<tool_call>{"arguments": {}}</tool_call>',
        '<tool_call>{"name": 7}</tool_call>',
        '<tool_call>{"name": "list", "arguments": [1]}</tool_call>',
        "<tool_call>" + '{"a":' * 50_000 + "1" + "}" * 50_000 + "</tool_call>",
        '{"name": "an answer that is JSON", "arguments": {}}',
    ],
    ids=lambda answer: answer[:30],
)
def test_what_is_no_sound_call_stays_text(answer: str) -> None:
    assert GENERIC.tool_calls(answer) == (answer, [])


@pytest.mark.parametrize("real", WRITES_CALLS, ids=lambda real: real.file)
def test_a_call_that_was_cut_off_is_not_half_a_call(real: RealTemplate) -> None:
    whole = written(real, ONE)
    family = family_named(real.family)
    for length in range(len(whole.rstrip()) - 1):
        _, calls = family.tool_calls(whole[:length])
        assert calls in ([], ONE)
