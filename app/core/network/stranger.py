"""The question of a stranger as a prompt: bounded, and behind everything that the owner asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.core.messages import Citation
from app.core.prompt import TokenBudget, first_kept, pack_sources, render_question, render_source
from engines.protocol import Engine, Message, Priority, Prompt, Sampling
from network.protocol.content import Question
from network.worker.answerer import CannotAnswer

LONGEST_SYSTEM = 8_000
"""Characters of instructions; as many as the app's own setting takes."""
LONGEST_QUESTION = 100_000
"""Characters of all turns together: more than fits into the context of a model at home."""
HOTTEST = 1.5
"""Above it small models write noise for as long as they are let."""
_GROUP = "network"


def refuse_unbounded(question: Question) -> None:
    """Raises CannotAnswer for what no honest asker sends, or no model here could read."""
    turns = question.turns
    system = [turn for turn in turns if turn.role == "system"]
    if (
        len(system) > 1
        or (system and turns[0] is not system[0])
        or sum(len(turn.text) for turn in system) > LONGEST_SYSTEM
        or sum(len(turn.text) for turn in turns) > LONGEST_QUESTION
        or turns[-1].role != "user"
        or not turns[-1].text.strip()
    ):
        raise CannotAnswer(for_now=False)


async def prompt_of(
    question: Question, sources: Sequence[Citation], engine: Engine, longest_answer: int
) -> tuple[Prompt, tuple[Citation, ...]]:
    """What the engine gets, and the sources in it. The oldest turns are left out where the context is small.

    Raises:
        CannotAnswer: instructions and question alone are too long for it.
        EngineError: the engine says so.
    """
    budget = TokenBudget.of(engine.info.context_tokens, min(question.max_tokens, longest_answer))
    counts = await engine.count_texts([render_source(source) for source in sources])
    packed = pack_sources(sources, counts, budget.sources)
    turns = [Message(turn.role, turn.text) for turn in question.turns]
    system = turns[:1] if turns[0].role == "system" else []
    history = turns[len(system) : -1]
    last = replace(turns[-1], content=render_question(turns[-1].content, packed))
    room = budget.prompt - await engine.count_tokens([*system, last])
    if room < 0:
        raise CannotAnswer(for_now=False)
    lengths = await engine.count_texts([message.content for message in history])
    kept = history[first_kept([message.role for message in history], lengths, room) :]
    prompt = Prompt(
        messages=(*system, *kept, last),
        sampling=Sampling(
            temperature=min(question.temperature_hundredths / 100, HOTTEST), max_tokens=budget.answer
        ),
        priority=Priority.BACKGROUND,
        group=_GROUP,
    )
    return prompt, packed
