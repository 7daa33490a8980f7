"""What questions and shared documents are about: told on the device, by tags of a fixed list."""

from __future__ import annotations

import hashlib
from collections import Counter

import msgspec
import pytest

from app.core.network.joining import no_meanings
from app.core.network.selecting import Selected, draw
from app.core.network.shared_documents import SharedDocuments
from app.core.network.topic_list import TOPICS
from app.core.network.topics import MOST_OF_A_QUESTION, MOST_OF_DOCUMENTS, Topics
from app.core.network.work_plan import MOST_TOPICS, _topics
from app.core.network.work_policy import WorkPolicy
from app.core.provenance import PrivacyLevel
from network.cards import Offer, issue_card
from network.keys import DeviceKeys
from network.protocol.cards import ModelOffer, NodeCard
from network.protocol.fields import TopicTag
from network.protocol.message import decode_canonical
from rag.model import Sharing
from tests.app.ui.word_embedder import WordEmbedder
from tests.network.small_world import now

COOKING = [
    "Recipes for the kitchen: baking bread with little yeast.",
    "Cooking rice in the kitchen, with recipes of three kinds.",
    "A kitchen needs recipes, and cooking needs a kitchen; baking needs an oven.",
]
LAW = [
    "Courts apply laws, and contracts bind both sides by their rights.",
    "Rights under laws are decided by courts.",
    "Contracts without signatures: what courts say about rights.",
]


def topics() -> Topics:
    return Topics(WordEmbedder().meanings)


def test_every_tag_can_stand_on_a_card():
    assert msgspec.convert(list(TOPICS), list[TopicTag]) == list(TOPICS)
    assert len(set(TOPICS.values())) == len(TOPICS)


def test_a_question_is_about_what_its_words_are_near_to():
    found = topics().of_question("Which recipes for baking and cooking suit a small kitchen?")
    assert "cooking" in found
    assert len(found) <= MOST_OF_A_QUESTION


@pytest.mark.parametrize("text", ["", "   "])
def test_an_empty_question_is_about_nothing(text):
    assert topics().of_question(text) == frozenset()


def test_without_an_embedder_nothing_is_about_anything():
    assert Topics(no_meanings).of_question("Which laws?") == frozenset()
    assert Topics(no_meanings).of_documents(LAW) == ()


def test_documents_are_about_what_most_of_them_are_about():
    found = topics().of_documents([*COOKING, *LAW])
    assert set(found) == {"cooking", "law"}
    assert (
        len(topics().of_documents([f"{about} {about}" for about in TOPICS.values()] * 2)) <= MOST_OF_DOCUMENTS
    )


def test_a_single_document_among_many_is_not_told():
    """A letter from the doctor among recipes."""
    letter = "Diseases and symptoms: treatment by a doctor in the hospital."
    assert topics().of_documents([*COOKING * 4, letter]) == ("cooking",)


def test_very_few_passages_say_nothing():
    assert topics().of_documents(COOKING[:2]) == ()


async def test_only_documents_that_anybody_may_ask_about_get_into_a_card(desk):
    public, _ = desk.add_document("\n\n".join(text * 12 for text in COOKING), name="cook.txt")
    friends, _ = desk.add_document("\n\n".join(text * 12 for text in LAW), name="law.txt")
    desk.knowledge.set_sharing(friends, Sharing.CIRCLE)
    documents = SharedDocuments(desk.knowledge, lambda: 6)
    assert documents.topics() == ()
    desk.knowledge.set_sharing(public, Sharing.PUBLIC)
    assert documents.topics() == ("cooking",)
    assert _topics(WorkPolicy(public=True, topics=("bread",)), documents) == ("bread", "cooking")
    assert _topics(WorkPolicy(public=False, topics=("bread",)), documents) == ("bread",)
    desk.knowledge.set_sharing(friends, Sharing.PUBLIC)
    assert set(documents.topics()) == {"cooking", "law"}
    many = tuple(f"own-{number}" for number in range(MOST_TOPICS))
    assert _topics(WorkPolicy(public=True, topics=many), documents) == many


def device_of(tags: tuple[str, ...]) -> Selected:
    offer = Offer(
        models=(ModelOffer(model="tiny", context_tokens=4096, tokens_per_second=20),), topics=tags, slots=1
    )
    _, signed = issue_card(DeviceKeys.generate(now()), offer, now())
    card = decode_canonical(signed.statement, NodeCard)
    return Selected(card, PrivacyLevel.PUBLIC, card.models[0], 1)


def test_a_device_with_documents_on_the_question_is_asked_far_more_often():
    knowing, others = device_of(("law",)), [device_of(("cooking",)) for _ in range(4)]
    drawn = Counter(
        draw(
            [*others, knowing],
            lambda _: 0.5,
            lambda _: {},
            workers=1,
            spares=0,
            language=None,
            topics=frozenset({"law"}),
            chance=hashlib.sha256(bytes([number])).digest(),
        ).workers[0]
        for number in range(200)
    )
    assert drawn[knowing.card.node] > 100
    assert len(drawn) > 1, "newcomers and strangers to the topic have their chance"
