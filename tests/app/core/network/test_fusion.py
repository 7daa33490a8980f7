"""This device's own model puts the answers of others together; one of them stands where it cannot."""

from __future__ import annotations

import pytest

from app.core.asking_wishes import AskingWishes
from app.core.events import Asked, Finished, Replaced, Token
from app.core.messages import MessageState
from app.core.provenance import JoinedBy, NotFused
from network.protocol.content import AnswerCitation
from tests.app.core.conftest import collect

pytestmark = pytest.mark.desktop("a server")

VALVE = "Open the valve slowly, and wait for the water."


def source(number: int, quote: str = VALVE) -> AnswerCitation:
    return AnswerCitation(number=number, title="Manual", quote=quote)


async def ask(place, **watch):
    """What three strangers say, two of whom agree, is to be put together."""
    await place.worker("Open the valve [2].", source(2))
    await place.worker("Open the valve [1].", source(1))
    await place.worker("Ring up a plumber [1].", source(1, "Plumbers are to be rung up."))
    conversation = place.conversation()
    place.desk.conversations.set_wishes(conversation, AskingWishes(joining="fuse"))
    return await place.ask(conversation, "How do I vent the boiler?", **watch)


async def test_the_own_model_writes_one_answer_and_the_originals_stay(place):
    place.desk.install("Open the valve [1], or ring up a plumber [2].")
    answered = await ask(place)
    kept = place.desk.conversations.message(answered.answer.id)
    assert kept.text == place.shown(answered) == "Open the valve [1], or ring up a plumber [2]."
    assert (kept.state, kept.model) == (MessageState.COMPLETE, "scripted")
    origin = kept.provenance
    assert (origin.joined_by, origin.shown, origin.not_fused) == (JoinedBy.FUSED, "", None)
    assert sorted(reply.text for reply in origin.originals) == [
        "Open the valve [1].",
        "Open the valve [1].",
        "Ring up a plumber [2].",
    ]
    assert [(one.number, len(one.given_by)) for one in kept.citations] == [(1, 2), (2, 1)]
    [prompt] = place.desk.prompts
    turn = prompt.messages[-1].content
    assert turn.count("<answer id=") == 3
    assert turn.endswith("Question: How do I vent the boiler?")
    assert any(isinstance(event, Asked) and event.provenance.fusing for event in answered.events)


async def test_without_a_model_of_its_own_the_answer_of_most_stands(place):
    answered = await ask(place)
    assert answered.answer.text == "Open the valve [1]."
    assert answered.answer.state is MessageState.COMPLETE
    assert answered.answer.provenance.not_fused is NotFused.NO_MODEL
    assert answered.answer.provenance.joined_by is JoinedBy.VOTE
    [other] = answered.answer.provenance.other_views
    assert other.text == "Ring up a plumber.", "its number belongs to no list that is shown"


async def test_the_answers_of_others_never_go_to_a_server(place):
    added = place.desk.models.add_server("Far", "https://ai.invalid", "tiny")
    place.desk.settings.change(model_id=added.id)
    answered = await ask(place)
    assert answered.answer.provenance.not_fused is NotFused.NO_MODEL
    assert place.desk.models.loaded is None


async def test_a_model_that_breaks_leaves_the_answer_that_stood(place):
    place.desk.install("Nonsense without end, which nobody shall keep.")
    place.desk.breaks_with = RuntimeError("the engine has crashed")
    answered = await ask(place)
    kept = place.desk.conversations.message(answered.answer.id)
    assert kept.text == place.shown(answered) == "Open the valve [1]."
    assert (kept.state, kept.model) == (MessageState.COMPLETE, "qwen3-1.7b")
    assert kept.provenance.not_fused is NotFused.FAILED
    assert [len(one.given_by) for one in kept.citations] == [2]


async def test_a_model_that_takes_too_long_is_not_waited_for(place):
    place.desk.install("Too late.")
    place.desk.may_load.clear()
    place.desk.answering._fusion._patience = lambda: 0.05
    answered = await ask(place)
    assert answered.answer.text == "Open the valve [1]."
    assert answered.answer.provenance.not_fused is NotFused.TOO_SLOW
    place.desk.may_load.set()


async def test_stop_keeps_the_answer_that_stood(place):
    place.desk.install("It goes on and on", loop=True)
    conversation: list[int] = []

    def stop(event):
        if isinstance(event, Asked) and event.provenance.fusing:
            conversation.append(1)
        if conversation and isinstance(event, Token | Replaced):
            [number] = [one.id for one in place.desk.conversations.list()]
            place.desk.answering.stop(number)

    answered = await ask(place, after=stop)
    assert isinstance(answered.events[-1], Finished)
    assert answered.answer.text == place.shown(answered) == "Open the valve [1]."
    assert answered.answer.provenance.not_fused is NotFused.STOPPED


async def test_a_whole_answer_of_a_single_device_is_left_as_it_is(place):
    place.desk.install("I know better.")
    place.network.settings.change(network_joining="fuse")
    await place.worker("It is blue.")
    answered = await place.ask(place.conversation())
    assert answered.answer.text == "It is blue."
    assert place.desk.prompts == []
    assert answered.answer.provenance.not_fused is None


async def test_what_was_hidden_stands_again_in_what_the_own_model_reads(place):
    place.desk.install("Call her.")
    for words in ("Call [NAME-1].", "Ask [NAME-1] to call."):
        await place.worker(words)
    conversation = place.conversation()
    place.desk.conversations.set_wishes(conversation, AskingWishes(joining="fuse"))
    departure = (await place.desk.answering.departure(conversation, "What of Anna?")).redacted(["Anna"])
    await collect(place.desk.answering.ask(conversation, "What of Anna?", departure=departure.approve()))
    [prompt] = place.desk.prompts
    assert "Call Anna." in prompt.messages[-1].content
    assert "NAME-1" not in prompt.messages[-1].content
