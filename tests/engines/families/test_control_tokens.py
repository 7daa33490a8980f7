"""Marks that are control tokens, which llama.cpp does not write out, are seen all the same."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from engines.families import ToolCall
from engines.families.mistral import MISTRAL_REASONING
from engines.opening import open_engine
from engines.protocol import Engine
from tests.engines.asking import ask, question
from tests.engines.families.real_templates import TEMPLATES
from tests.engines.tiny_gguf import make_tiny_gguf

Opened = Callable[..., Awaitable[Engine]]
MINISTRAL = next(real for real in TEMPLATES if real.family == "mistral-reasoning")


@pytest.fixture
def model(tmp_path: Path) -> Callable[..., Path]:
    """Writes a model of Mistral's that says these tokens; those in square brackets are control tokens."""

    def write(*pieces: str) -> Path:
        controls = [piece for piece in pieces if piece.startswith("[")]
        return make_tiny_gguf(
            tmp_path / "model.gguf",
            "llama",
            pieces=pieces,
            controls=controls,
            name="Magistral Small 2509",
            chat_template=MINISTRAL.source,
        )

    return write


async def test_a_thought_between_control_tokens_is_no_answer(
    model: Callable[..., Path], opened: Opened
) -> None:
    path = model("[THINK]", "Let me", " see.", "[/THINK]", "Of the", " king.")
    engine = await opened(path, host="thread")
    assert engine.info.can_think
    answer = await ask(engine, question(thinking=True))
    assert (answer.thought, answer.text) == ("Let me see.", "Of the king.")


@pytest.mark.desktop("xllamacpp")
@pytest.mark.slow
async def test_the_second_engine_sees_them_too(model: Callable[..., Path]) -> None:
    pytest.importorskip("xllamacpp")
    engine = await open_engine(model("[THINK]", "Hm.", "[/THINK]", "Of the", " king."), engine="xllamacpp")
    try:
        answer = await ask(engine, question(thinking=True))
    finally:
        await engine.close()
    assert (answer.thought, answer.text) == ("Hm.", "Of the king.")


async def test_a_call_of_a_tool_keeps_its_marks(model: Callable[..., Path], opened: Opened) -> None:
    path = model("[TOOL_CALLS]", "look", "[ARGS]", '{"at":', ' "it"}')
    answer = await ask(await opened(path, host="thread"))
    assert MISTRAL_REASONING.tool_calls(answer.text) == ("", [ToolCall("look", {"at": "it"})])


async def test_other_control_tokens_stay_unseen(model: Callable[..., Path], opened: Opened) -> None:
    path = model("Of", "[IMG]", " the king.")
    assert (await ask(await opened(path, host="thread"))).text == "Of the king."
