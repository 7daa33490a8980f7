"""Conversations are kept, found again, and deleted without a trace."""

import errno
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.core import message_rows
from app.core.conversation_schema import MIGRATIONS
from app.core.conversations import Conversations
from app.core.errors import ConversationMissing
from app.core.instance import InstanceLock
from app.core.messages import Attachment, Citation, MessageState, title_of
from app.core.model_options import AnswerOptions
from app.core.provenance import PrivacyLevel
from app.core.strings import Strings
from engines.protocol import Usage
from rag.database import open_database
from rag.errors import DatabaseDamaged


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
    assert second.list("because") == []
    second.recover()
    kept = second.messages(new.id)[-1]
    assert [found.id for found in second.list("because")] == [new.id]
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
    with pytest.raises(ConversationMissing):
        conversations.add_question(new.id, "hello?")
    with pytest.raises(ConversationMissing):
        conversations.set_collections(new.id, [1])
    conversations.rename(new.id, "Nobody")
    conversations.set_collections(conversations.create().id, [1])


Change = Callable[[Conversations, int], object]
CHANGES: dict[str, Change] = {
    "create": lambda store, _: [store.create(range(number, number + 500)) for number in range(100)],
    "ask": lambda store, number: store.add_question(number, "word " * 50_000),
    "write": lambda store, number: store.write(
        store.messages(number)[-1].id, text="word " * 50_000, state=MessageState.COMPLETE
    ),
    "rename": lambda store, number: store.rename(number, "title " * 50_000),
    "set_collections": lambda store, number: store.set_collections(number, range(50_000)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_on_a_full_device_a_change_is_refused_and_nothing_is_lost(
    conversations: Conversations, change: Change
) -> None:
    number = conversations.create([7]).id
    conversations.add_question(number, "Why?")
    before = conversations.get(number), conversations.messages(number)
    writer = conversations._database._writer
    writer.pragma("max_page_count", writer.pragma("page_count"))
    with pytest.raises(OSError, match="space") as caught:
        change(conversations, number)
    assert caught.value.errno == errno.ENOSPC
    for strings in (Strings("en"), Strings("fa")):
        assert strings.error(caught.value) == strings("errors.disk_full")
    assert (conversations.get(number), conversations.messages(number)) == before
    writer.pragma("max_page_count", 1_000_000)
    change(conversations, number)


def test_a_damaged_store_is_named(tmp_path: Path) -> None:
    path = tmp_path / "conversations.db"
    path.write_bytes(b"certainly not a database " * 400)
    with pytest.raises(DatabaseDamaged) as caught:
        Conversations(path)
    assert caught.value.path == path
    assert str(path) in Strings("en").error(caught.value)


def test_damage_that_shows_later_is_named_too(tmp_path: Path) -> None:
    path = tmp_path / "conversations.db"
    first = Conversations(path)
    number = first.create().id
    for _ in range(50):
        first.add(number, "user", "word " * 500)
    first.close()
    content = path.read_bytes()
    path.write_bytes(content[:8192] + b"\xa5" * (len(content) - 8192))
    second = Conversations(path)
    for use in (second.list, lambda: second.messages(number), lambda: second.add(number, "user", "Hello?")):
        with pytest.raises(DatabaseDamaged):
            use()
    second.close()


def test_only_one_process_indexes(tmp_path: Path) -> None:
    first = InstanceLock(tmp_path / "instance.lock")
    second = InstanceLock(tmp_path / "instance.lock")
    assert (first.held, second.held) == (True, False)
    first.release()
    third = InstanceLock(tmp_path / "instance.lock")
    assert third.held
    third.release()


def test_conversations_of_an_earlier_version_are_kept(tmp_path: Path) -> None:
    for version in range(1, len(MIGRATIONS)):
        path = tmp_path / f"version-{version}.db"
        connection = open_database(path, MIGRATIONS[:version])
        connection.execute(
            "INSERT INTO conversations(title, created_at, updated_at) VALUES ('The boiler', 1, 2)"
        )
        connection.close()
        opened = Conversations(path)
        [kept] = opened.list()
        opened.close()
        assert (kept.title, kept.options) == ("The boiler", AnswerOptions())


def test_a_branch_holds_what_came_before_and_leaves_the_first_as_it_is(conversations: Conversations) -> None:
    first = conversations.create([3])
    _, answer = conversations.add_question(
        first.id,
        "First?",
        [Attachment("a.txt", 3, tokens=1, text="abc"), Attachment("b.pdf", 9, document_id=4)],
        7,
    )
    conversations.write(answer.id, text="Indeed.", state=MessageState.COMPLETE)
    second, unfinished = conversations.add_question(first.id, "Second?")

    branch = conversations.branch(first.id, second.id)

    copied = conversations.messages(branch.id)
    assert [(one.role, one.text) for one in copied] == [("user", "First?"), ("assistant", "Indeed.")]
    assert [file.name for file in copied[0].attachments] == ["a.txt", "b.pdf"]
    assert conversations.attached.texts(branch.id)[copied[0].id][0].text == "abc"
    assert (branch.title, branch.collection_ids) == ("First?", (3,))
    assert branch.id in [found.id for found in conversations.list("indeed")]
    assert len(conversations.messages(first.id)) == 4

    whole = conversations.branch(first.id, unfinished.id + 1)
    assert conversations.messages(whole.id)[-1].state is MessageState.INTERRUPTED


def test_files_that_a_branch_searches_too_stay_when_one_of_both_is_deleted(
    conversations: Conversations,
) -> None:
    first = conversations.create()
    question, _ = conversations.add_question(first.id, "First?", [Attachment("b.pdf", 9, document_id=4)], 7)
    branch = conversations.branch(first.id, question.id + 1)

    assert conversations.attached.collections_of_this_alone(first.id) == []
    conversations.delete(first.id)
    assert conversations.attached.collections_of_this_alone(branch.id) == [7]


def test_a_conversation_that_is_gone_has_no_branch(conversations: Conversations) -> None:
    with pytest.raises(ConversationMissing):
        conversations.branch(99, 1)


def test_a_conversation_in_which_nothing_was_asked_is_gone_a_day_after_a_kill(tmp_path, monkeypatch):
    path = tmp_path / "conversations.db"
    yesterday = message_rows.now() - 90_000
    with monkeypatch.context() as earlier:
        earlier.setattr(message_rows, "now", lambda: yesterday)
        conversations = Conversations(path)
        conversations.create()
        asked = conversations.create()
        conversations.add(asked.id, "user", "Who?")
    fresh = conversations.create()
    conversations.recover()
    assert {one.id for one in conversations.list()} == {asked.id, fresh.id}
    conversations.close()


def test_single_documents_are_remembered_and_a_branch_takes_them_along(conversations: Conversations) -> None:
    first = conversations.create([3], document_ids=[7, 5])
    assert (first.collection_ids, first.document_ids) == ((3,), (5, 7))
    conversations.set_collections(first.id, [3], [7])
    assert conversations.get(first.id).document_ids == (7,)
    assert conversations.branch(first.id, 1).document_ids == (7,)


@pytest.mark.parametrize(
    ("collections", "documents", "stays"), [([3], [5], True), ([], [5], True), ([3], [5, 6], False)]
)
def test_consent_ends_where_more_documents_are_asked(
    conversations: Conversations, collections: list[int], documents: list[int], *, stays: bool
) -> None:
    first = conversations.create([3], level=PrivacyLevel.CIRCLE, document_ids=[5])
    conversations.set_consent(first.id, PrivacyLevel.CIRCLE)
    conversations.set_collections(first.id, collections, documents)
    assert (conversations.get(first.id).consent is PrivacyLevel.CIRCLE) is stays
