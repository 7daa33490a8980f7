"""Databases with flipped bits: an error that can be told, or what is left; never a crash, never a rewrite."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from app.core.conversations import Conversations
from app.core.errors import ConversationMissing
from rag.database import is_sound
from rag.errors import KnowledgeError
from rag.knowledge import KnowledgeBase
from tests.app.ui.word_embedder import WordEmbedder

EXPECTED = (KnowledgeError, ConversationMissing, OSError)


def _conversations(path: Path) -> None:
    opened = Conversations(path)
    try:
        opened.recover()
        for conversation in opened.list():
            opened.messages(conversation.id)
        opened.list("word")
        new = opened.create()
        opened.add(new.id, "user", "a new question")
    finally:
        opened.close()


def _knowledge(path: Path) -> None:
    opened = KnowledgeBase(path, WordEmbedder)
    try:
        for collection in opened.collections():
            opened.documents(collection.id)
        opened.search("boiler pressure", [collection.id for collection in opened.collections()])
        opened.create_collection("Another")
    finally:
        opened.close()


def _fill_conversations(path: Path) -> None:
    opened = Conversations(path)
    for number in range(20):
        new = opened.create()
        opened.add(new.id, "user", f"Question {number}: " + "word " * 200)
    opened.close()


def _fill_knowledge(path: Path) -> None:
    text = path.with_name("boiler.txt")
    text.write_text("\n\n".join(f"The pressure of boiler {number} is {number} bar." for number in range(40)))
    opened = KnowledgeBase(path, WordEmbedder)
    opened.add(opened.create_collection("Home").id, text)
    opened.start()
    assert opened.wait_until_idle(60)
    opened.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fill", "use"),
    [(_fill_conversations, _conversations), (_fill_knowledge, _knowledge)],
    ids=["conversations", "knowledge"],
)
def test_flipped_bits_are_told_and_crash_nothing(
    tmp_path: Path, fill: Callable[[Path], None], use: Callable[[Path], None]
) -> None:
    sound = tmp_path / "sound.db"
    fill(sound)
    assert is_sound(sound)
    content = sound.read_bytes()
    dice = random.Random(7)
    refused = 0
    for attempt in range(60):
        damaged = bytearray(content)
        for _ in range(dice.choice((1, 8, 64))):
            place = dice.randrange(100 if attempt % 3 == 0 else len(damaged))
            damaged[place] ^= 1 << dice.randrange(8)
        if attempt % 5 == 0:
            del damaged[dice.randrange(len(damaged)) :]
        path = tmp_path / f"{attempt}.db"
        path.write_bytes(damaged)
        try:
            use(path)
        except EXPECTED:
            refused += 1
        for left in tmp_path.glob(f"{attempt}.db*"):
            left.unlink()
    assert refused > 10
