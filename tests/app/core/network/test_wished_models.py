"""A conversation can wish that a particular model of other devices answers."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from app.core.asking_wishes import AskingWishes
from app.core.errors import ModelNotOffered, NoRouter
from app.core.messages import MessageState
from app.core.network.groups import GroupKind
from app.core.network.offers import OfferedModel, offered
from app.core.provenance import PrivacyLevel
from network.protocol.routers import ModelCount, Pool
from tests.network.small_world import MODEL

network = pytest.mark.desktop("a server")
MINE, PUBLIC = PrivacyLevel.MY_DEVICES, PrivacyLevel.PUBLIC


def device(node: str, *models: str) -> SimpleNamespace:
    return SimpleNamespace(card=SimpleNamespace(node=node, models=[SimpleNamespace(model=m) for m in models]))


def pool(**counts: int) -> Pool:
    models = tuple(ModelCount(model=model, workers=count, free=0) for model, count in counts.items())
    return Pool(workers=9, paused=0, free=0, running=0, waiting=0, models=models)


@pytest.mark.parametrize(
    ("devices", "pools", "found"),
    [
        ([], [], []),
        ([device("a", "small", "large"), device("b", "large")], [], [("large", 2), ("small", 1)]),
        ([device("a", "b"), device("c", "a")], [], [("a", 1), ("b", 1)]),
        ([device("a", "small")], [pool(small=7, gone=0)], [("small", 7)]),
        ([device("a", "mine")], [pool(theirs=3)], [("theirs", 3), ("mine", 1)]),
    ],
)
def test_which_models_are_offered(devices, pools, found):
    assert offered(devices, pools) == tuple(OfferedModel(model, count) for model, count in found)


def wishing(place, model: str, level: PrivacyLevel = PUBLIC) -> int:
    conversation = place.conversation(level)
    place.desk.conversations.set_wishes(conversation, AskingWishes(model=model))
    return conversation


@network
async def test_the_models_of_devices_in_reach_are_offered(place):
    mine = place.network.groups.create("Mine", GroupKind.MINE)
    assert await place.network.offers.models(MINE) == ()
    await place.worker("Yes.", group=mine.secret)
    assert await place.network.offers.models(MINE) == (OfferedModel(MODEL, 1),)
    await place.worker("Yes.")
    assert await place.network.offers.models(MINE) == (OfferedModel(MODEL, 1),)
    assert await place.network.offers.models(PUBLIC) == (OfferedModel(MODEL, 2),)


@network
async def test_without_a_router_no_models_are_looked_for(place):
    for router in place.network.routers.all():
        place.network.routers.remove(router.id)
    with pytest.raises(NoRouter):
        await place.network.offers.models(PUBLIC)


@network
async def test_a_wished_model_answers_and_the_worker_learns_of_the_wish(place):
    worker = await place.worker("It is blue.")
    answered = await place.ask(wishing(place, MODEL))
    assert answered.answer.text == "It is blue."
    assert [question.model for question in worker.answerer.questions] == [MODEL]


@network
async def test_a_wished_model_that_nobody_offers_is_not_replaced_by_another_one(place):
    worker = await place.worker("It is blue.")
    place.desk.install("I know it myself.")
    answered = await place.ask(wishing(place, "llama-70b"))
    assert isinstance(answered.error, ModelNotOffered)
    assert answered.error.model == "llama-70b"
    assert answered.answer.state is MessageState.FAILED
    assert worker.answerer.questions == []
    assert place.desk.prompts == []


@network
async def test_wishes_are_remembered_and_go_along_into_a_branch(place):
    conversations = place.desk.conversations
    conversation = conversations.create(level=PUBLIC, wishes=AskingWishes(model="m")).id
    conversations.set_wishes(conversation, AskingWishes(model=MODEL, joining="fuse"))
    question = conversations.add(conversation, "user", "Hello?")
    branch = conversations.branch(conversation, question.id)
    assert conversations.get(conversation).wishes == branch.wishes
    assert branch.wishes == AskingWishes(model=MODEL, joining="fuse")
