"""Conversations are kept, found again, and deleted without a trace."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.conversations import Conversations
from app.core.errors import ConversationMissing
from app.core.instance import InstanceLock
from app.core.messages import Citation, MessageState, title_of
from engines.protocol import Usage


@pytest.fixture
def conversations(tmp_path: Path) -> Iterator[Conversations]:
    opened = Conversations(tmp_path / "conversations.db")
    yield opened
    opened.close()


def test_the_first_question_names_the_conversation(conversations: Conversations) -> None:
    new = conversations.create()
    conversations.add(new.id, "user", "How do I vent the boiler?\nIt gurgles.")
    assert conversations.get(new.id).title == "How do I vent the boiler?"


def test_a_long_question_is_cut_at_a_word() -> None:
    title = title_of("word " * 40)
    assert len(title) <= 61
    assert title.endswith("word…")


def test_what_a_kill_left_half_written_is_marked_interrupted(tmp_path: Path) -> None:
    first = Conversations(tmp_path / "conversations.db")
    new = first.create()
    first.add(new.id, "user", "Why?")
    answer = first.add(new.id, "assistant", state=MessageState.STREAMING)
    first.write(answer.id, text="Because")
    # never closed, as after a kill
    second = Conversations(tmp_path / "conversations.db")
    second.recover()
    kept = second.messages(new.id)[-1]
    assert (kept.text, kept.state, kept.continuable) == ("Because", MessageState.INTERRUPTED, True)
    second.close()
    first.close()


def test_everything_of_an_answer_is_kept(conversations: Conversations) -> None:
    new = conversations.create([3, 1])
    answer = conversations.add(new.id, "assistant", state=MessageState.STREAMING)
    usage = Usage(10, 4, 20, 0.5, 2.0)
    source = Citation(1, 5, 2, "Guide", 7, "Boiler", "Vent it.")
    conversations.write(
        answer.id,
        text="Vent it [1].",
        thinking="hm",
        state=MessageState.COMPLETE,
        model="tiny",
        usage=usage,
        sources=[source],
        searched=9,
        relevant=1,
    )
    kept = conversations.message(answer.id)
    assert (kept.thinking, kept.model, kept.usage, kept.citations) == ("hm", "tiny", usage, (source,))
    assert (kept.searched, kept.relevant) == (9, 1)
    assert conversations.get(new.id).collection_ids == (1, 3)


@pytest.mark.parametrize("query", ["BOILER", "كتاب‌ها", "کتابها", "100%"])
def test_conversations_are_found_by_what_was_said(conversations: Conversations, query: str) -> None:
    wanted = conversations.create()
    conversations.add(wanted.id, "user", "What of it?")
    conversations.add(wanted.id, "assistant", "The boiler, the کتاب‌ها and 100% more")
    other = conversations.create()
    conversations.add(other.id, "user", "Nothing of that")
    assert [found.id for found in conversations.list(query)] == [wanted.id]


def test_the_latest_conversation_comes_first(conversations: Conversations) -> None:
    first, second = conversations.create(), conversations.create()
    conversations.add(first.id, "user", "again")
    assert [found.id for found in conversations.list()] == [first.id, second.id]


def test_a_deleted_conversation_is_gone_with_its_words(conversations: Conversations) -> None:
    new = conversations.create()
    answer = conversations.add(new.id, "assistant", "secret words")
    conversations.delete(new.id)
    conversations.write(answer.id, text="late words")
    assert conversations.list("secret") == []
    with pytest.raises(ConversationMissing):
        conversations.get(new.id)
    with pytest.raises(ConversationMissing):
        conversations.add(new.id, "user", "hello?")


def test_only_one_process_recovers(tmp_path: Path) -> None:
    first = InstanceLock(tmp_path / "instance.lock")
    second = InstanceLock(tmp_path / "instance.lock")
    assert (first.held, second.held) == (True, False)
    first.release()
    third = InstanceLock(tmp_path / "instance.lock")
    assert third.held
    third.release()
