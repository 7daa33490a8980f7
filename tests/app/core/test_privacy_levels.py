"""How far a conversation's questions may travel, and where an answer came from, are kept."""

from pathlib import Path

import pytest

from app.core.conversation_schema import MIGRATIONS
from app.core.conversations import Conversations
from app.core.errors import ConversationMissing
from app.core.provenance import Departed, JoinedBy, PrivacyLevel, Provenance, Reply, ReplyState
from rag.database import open_database

PROVENANCE = Provenance(
    level=PrivacyLevel.PUBLIC,
    router="Home",
    departed=Departed(turns=3, passages=2, bytes=4096, hidden=1),
    replies=(
        Reply(node="a" * 32, name="Laptop", state=ReplyState.WHOLE, agrees=True, tokens=9, model="m"),
        Reply(node="b" * 32, state=ReplyState.WHOLE, agrees=False, text="Something else"),
        Reply(node="c" * 32, state=ReplyState.FAILED),
    ),
    shown="a" * 32,
    joined_by=JoinedBy.MEANING,
)


@pytest.fixture
def conversations(tmp_path: Path):
    opened = Conversations(tmp_path / "conversations.db")
    yield opened
    opened.close()


def test_a_conversation_stays_on_this_device_unless_somebody_says_otherwise(conversations):
    new = conversations.create()
    assert (new.level, new.consent) == (PrivacyLevel.DEVICE, PrivacyLevel.DEVICE)


def test_the_level_and_the_consent_are_kept(conversations, tmp_path):
    new = conversations.create(level=PrivacyLevel.CIRCLE)
    conversations.set_consent(new.id, PrivacyLevel.CIRCLE)
    again = Conversations(tmp_path / "conversations.db")
    assert (again.get(new.id).level, again.get(new.id).consent) == (PrivacyLevel.CIRCLE,) * 2
    again.close()


def test_consent_ends_where_the_level_is_lowered_and_does_not_grow_with_it(conversations):
    new = conversations.create(level=PrivacyLevel.CIRCLE)
    conversations.set_consent(new.id, PrivacyLevel.CIRCLE)
    conversations.set_level(new.id, PrivacyLevel.MY_DEVICES)
    assert conversations.get(new.id).consent is PrivacyLevel.MY_DEVICES
    conversations.set_level(new.id, PrivacyLevel.PUBLIC)
    assert conversations.get(new.id).consent is PrivacyLevel.MY_DEVICES


def test_consent_ends_where_documents_are_added_that_could_leave(conversations):
    new = conversations.create([1, 2], level=PrivacyLevel.CIRCLE)
    conversations.set_consent(new.id, PrivacyLevel.CIRCLE)
    conversations.set_collections(new.id, [2])
    assert conversations.get(new.id).consent is PrivacyLevel.CIRCLE
    conversations.set_collections(new.id, [2, 3])
    assert conversations.get(new.id).consent is PrivacyLevel.DEVICE


def test_there_is_no_lasting_consent_for_the_public(conversations):
    new = conversations.create(level=PrivacyLevel.PUBLIC)
    with pytest.raises(ValueError, match="each question"):
        conversations.set_consent(new.id, PrivacyLevel.PUBLIC)


@pytest.mark.parametrize("choose", ["set_level", "set_consent"])
def test_a_deleted_conversation_has_no_level(conversations, choose):
    with pytest.raises(ConversationMissing):
        getattr(conversations, choose)(99, PrivacyLevel.CIRCLE)


def test_where_an_answer_came_from_is_kept_with_it(conversations):
    new = conversations.create()
    answer = conversations.add(new.id, "assistant", "Yes.")
    assert answer.provenance is None
    conversations.write(answer.id, provenance=PROVENANCE)
    kept = conversations.message(answer.id).provenance
    assert kept == PROVENANCE
    assert (kept.agreeing, len(kept.whole)) == (1, 2)
    assert [view.text for view in kept.other_views] == ["Something else"]


def test_an_origin_that_cannot_be_read_does_not_hide_the_answer(conversations, tmp_path):
    new = conversations.create()
    answer = conversations.add(new.id, "assistant", "Yes.")
    connection = open_database(tmp_path / "conversations.db", MIGRATIONS)
    connection.execute("UPDATE messages SET provenance = '{'")
    connection.execute("UPDATE conversations SET level = 'galaxy'")
    connection.close()
    assert conversations.message(answer.id).text == "Yes."
    assert conversations.message(answer.id).provenance is None
    assert conversations.get(new.id).level is PrivacyLevel.DEVICE


def test_every_level_reaches_what_the_nearer_ones_reach():
    levels = list(PrivacyLevel)
    assert [[one.reaches(other) for other in levels] for one in levels] == [
        [True, False, False, False],
        [True, True, False, False],
        [True, True, True, False],
        [True, True, True, True],
    ]
