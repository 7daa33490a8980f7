"""A question goes out and an answer comes back: a real router on the loopback, real workers, real stores."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from app.core.errors import ConsentNeeded, NobodyElse, NoModelInstalled, NoRouter
from app.core.events import Asked, Failed, Stopped, Token
from app.core.messages import ChatMessage, MessageState
from app.core.network.groups import GroupKind
from app.core.provenance import JoinedBy, PrivacyLevel, ReplyState
from network.errors import NoWorkerFits
from network.groups import group_tag
from network.protocol.content import AnswerCitation
from tests.app.core.conftest import Answered, collect
from tests.app.core.network.place import Place
from tests.network.small_world import now

pytestmark = pytest.mark.desktop("a server")

MINE, CIRCLE, PUBLIC = PrivacyLevel.MY_DEVICES, PrivacyLevel.CIRCLE, PrivacyLevel.PUBLIC


async def until(come) -> None:
    """Wait for something that tells nobody that it has come."""
    async with asyncio.timeout(60):
        while not come():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def stored(place: Place, answered: Answered) -> ChatMessage:
    """The answer as it is found after a restart."""
    return place.desk.conversations.message(answered.answer.id)


async def test_strangers_answer_and_it_is_kept_who_and_what_left(place):
    for _ in range(3):
        await place.worker("The sky", " is blue.")
    answered = await place.ask(place.conversation(), "What colour has the sky?")
    assert (answered.answer.text, answered.answer.state) == ("The sky is blue.", MessageState.COMPLETE)
    assert place.shown(answered) == answered.answer.text
    origin = stored(place, answered).provenance
    assert origin == answered.answer.provenance
    assert (origin.level, origin.router, origin.fallback) == (PUBLIC, "Home", "")
    assert (origin.agreeing, len(origin.whole), origin.joined_by) == (3, 3, JoinedBy.VOTE)
    assert origin.shown in place.workers
    assert (origin.departed.turns, origin.departed.passages) == (1, 0)
    assert origin.departed.bytes > 50
    assert answered.answer.model == "qwen3-1.7b"
    assert answered.answer.usage.answer_tokens == 2


async def test_receipts_of_both_sides_are_kept_and_trust_grows(place):
    workers = [await place.worker("The sky is blue.") for _ in range(3)]
    await place.ask(place.conversation())
    receipts = place.network.receipts.latest()
    assert {receipt.node for receipt in receipts} == {worker.node for worker in workers}
    assert {(receipt.verdict, receipt.router, receipt.canary) for receipt in receipts} == {
        ("good", "Home", False)
    }
    assert place.network.receipts.totals().answers == 3
    again = type(place.network.trust)(place.desk.folder / "network" / "trust.json")
    assert all(again.trust(worker.node, "qwen3-1.7b", PUBLIC, now()) > 0.5 for worker in workers)


async def test_the_one_that_says_something_else_is_another_view_and_loses_trust(place):
    for _ in range(2):
        await place.worker("It is forty-two.")
    odd = await place.worker("It is seven.")
    answered = await place.ask(place.conversation())
    assert answered.answer.text == "It is forty-two."
    origin = answered.answer.provenance
    assert (origin.agreeing, len(origin.whole)) == (2, 3)
    [view] = origin.other_views
    assert (view.node, view.text) == (odd.node, "It is seven.")
    assert place.network.trust.trust(odd.node, "qwen3-1.7b", PUBLIC, now()) < 0.5


async def test_nothing_leaves_without_consent(place):
    worker = await place.worker("Yes.")
    conversation = place.conversation()
    departure = await place.desk.answering.departure(conversation, "May I?")
    for missing in (None, departure):
        with pytest.raises(ConsentNeeded):
            await collect(place.desk.answering.ask(conversation, "May I?", departure=missing))
    assert place.desk.conversations.messages(conversation) == []
    assert worker.answerer.questions == []


async def test_a_conversation_that_was_called_back_meanwhile_stays_here(place):
    worker = await place.worker("Yes.")
    conversation = place.conversation()
    departure = await place.desk.answering.departure(conversation, "What is it?")
    place.desk.conversations.set_level(conversation, PrivacyLevel.DEVICE)  # in another window
    with pytest.raises(ConsentNeeded):
        await collect(place.desk.answering.ask(conversation, "What is it?", departure=departure.approve()))
    assert worker.answerer.questions == []
    assert place.desk.conversations.messages(conversation) == []


async def test_consent_for_nearer_devices_is_remembered_and_not_for_the_public(place):
    conversation = place.conversation(CIRCLE)
    place.desk.conversations.set_consent(conversation, CIRCLE)
    assert (await place.desk.answering.departure(conversation, "Hello?")).approved
    place.desk.conversations.set_level(conversation, PUBLIC)
    assert not (await place.desk.answering.departure(conversation, "Hello?")).approved


async def test_what_the_user_has_approved_is_what_the_workers_get(place):
    worker = await place.worker("Call [PHONE-1].")
    conversation = place.conversation()
    question = "Whom shall I call: Anna at 0912 345 6789?"
    departure = (await place.desk.answering.departure(conversation, question)).redacted(["Anna"])
    answered = await collect(place.desk.answering.ask(conversation, question, departure=departure.approve()))
    [asked] = worker.answerer.questions
    assert [turn.text for turn in asked.turns] == ["Whom shall I call: [NAME-1] at [PHONE-1]?"]
    assert answered.answer.text == "Call 0912 345 6789."
    assert place.shown(answered) == "Call 0912 345 6789."
    assert answered.answer.provenance.departed.hidden == 2
    assert place.desk.conversations.messages(conversation)[0].text == question


async def test_passages_of_chosen_documents_leave_and_are_cited(place):
    await place.worker("Open the valve slowly [1].")
    collection, document = place.desk.add_document("To vent the boiler, open the valve slowly in October.")
    conversation = place.conversation(collections=[collection])
    departure = await place.desk.answering.departure(conversation, "How do I vent the boiler?")
    assert [source.document_id for source in departure.sources] == [document]
    answered = await place.ask(conversation, "How do I vent the boiler?")
    assert [citation.document_id for citation in answered.answer.citations] == [document]
    assert answered.answer.provenance.departed.passages == 1


async def test_where_the_documents_do_not_tell_nobody_is_asked(place):
    worker = await place.worker("Anything")
    collection, _ = place.desk.add_document("To vent the boiler, open the valve slowly in October.")
    answered = await place.ask(place.conversation(collections=[collection]), "Quantum chromodynamics?")
    assert worker.answerer.questions == []
    assert answered.answer.state is MessageState.COMPLETE
    assert answered.answer.provenance is None


async def test_earlier_turns_go_with_the_question(place):
    worker = await place.worker("Fine.")
    conversation = place.conversation()
    await place.ask(conversation, "How are you?")
    await place.ask(conversation, "And now?")
    turns = worker.answerer.questions[-1].turns
    assert [turn.text for turn in turns] == ["How are you?", "Fine.", "And now?"]


async def test_passages_of_devices_that_agree_become_one_list(place):
    def source(number, quote):
        return AnswerCitation(number=number, title="Manual", quote=quote)

    valve = "Open the valve slowly, and wait for the water."
    one = await place.worker("Open the valve [2].", source(2, valve))
    other = await place.worker("Open the valve [1].", source(1, valve), source(4, "Wear gloves."))
    await place.worker("Ring up a plumber [1].", source(1, "Plumbers are to be rung up."))
    answered = await place.ask(place.conversation())
    shown = one if answered.answer.provenance.shown == one.node else other
    cited = {citation.text: citation for citation in answered.answer.citations}
    assert set(cited) == {valve, "Wear gloves."}
    assert set(cited[valve].given_by) == {one.node, other.node}
    assert cited["Wear gloves."].given_by == (other.node,)
    assert answered.answer.text == f"Open the valve [{cited[valve].number}]."
    assert place.shown(answered) == stored(place, answered).text
    assert shown.node in cited[valve].given_by


# Who is asked


async def test_only_my_own_devices_are_asked_for_what_is_mine(place):
    stranger = await place.worker("I am a stranger.")
    mine = place.network.groups.create("Mine", GroupKind.MINE)
    friends = place.network.groups.create("Friends", GroupKind.CIRCLE)
    friend = await place.worker("I am a friend.", group=friends.secret)
    own = await place.worker("I am yours.", group=mine.secret)
    answered = await place.ask(place.conversation(MINE))
    assert answered.answer.text == "I am yours."
    assert [reply.level for reply in answered.answer.provenance.replies] == [MINE]
    assert (stranger.answerer.questions, friend.answerer.questions) == ([], [])
    assert [member.group for member in own.answerer.questions[0].memberships] == [
        group_tag(mine.secret, place.router.service.desk.public)
    ]


async def test_a_circle_answers_together_with_my_own_devices(place):
    await place.worker("I am a stranger.")
    mine = place.network.groups.create("Mine", GroupKind.MINE)
    friends = place.network.groups.create("Friends", GroupKind.CIRCLE)
    nodes = {
        (await place.worker("Hello.", group=friends.secret)).node,
        (await place.worker("Hello.", group=mine.secret)).node,
    }
    answered = await place.ask(place.conversation(CIRCLE))
    assert {reply.node for reply in answered.answer.provenance.whole} == nodes


async def test_a_router_cannot_pass_a_stranger_off_as_a_friend(place, monkeypatch):
    friends = place.network.groups.create("Friends", GroupKind.CIRCLE)
    liar = await place.worker("I am a friend.", group=b"x" * 32)
    tag = group_tag(friends.secret, place.router.service.desk.public)
    state = next(state for state in await place.router.service.broker.nodes() if state.node == liar.node)
    from dataclasses import replace

    import msgspec

    forged = tuple(msgspec.structs.replace(member, group=tag) for member in state.memberships)
    await place.router.service.broker.announce(replace(state, memberships=forged), 30.0)
    answered = await place.ask(place.conversation(CIRCLE))
    assert isinstance(answered.error, NoWorkerFits)
    assert liar.answerer.questions == []


async def test_a_blocked_device_is_not_asked(place):
    blocked, other = await place.worker("Bad."), await place.worker("Good.")
    await place.ask(place.conversation())
    place.network.devices.block(blocked.node)
    blocked.answerer.questions.clear()
    answered = await place.ask(place.conversation())
    assert (answered.answer.text, blocked.answerer.questions) == ("Good.", [])
    assert [reply.node for reply in answered.answer.provenance.replies] == [other.node]


# Canaries


async def test_a_stranger_that_does_not_know_what_is_known_is_noted(place):
    worker = await place.worker("turtles")
    place.network.asking.chance = lambda: 0.0
    await place.ask(place.conversation())
    await until(lambda: len(place.network.receipts.latest()) == 2)
    canary = place.network.receipts.latest()[0]
    assert (canary.canary, canary.node, canary.verdict) == (True, worker.node, "wrong")
    await place.network.asking.close()
    assert place.network.trust.trust(worker.node, "qwen3-1.7b", PUBLIC, now()) < 0.5
    assert place.network.receipts.totals().answers == 1, "canaries are not counted"
    question, canary_question = worker.answerer.questions
    assert question.max_tokens == canary_question.max_tokens, "it looks like any other question"


async def test_my_own_devices_get_no_canaries(place):
    mine = place.network.groups.create("Mine", GroupKind.MINE)
    own = await place.worker("Yes.", group=mine.secret)
    place.network.asking.chance = lambda: 0.0
    await place.ask(place.conversation(MINE))
    await place.network.asking.close()
    assert len(own.answerer.questions) == 1


# What goes wrong


async def test_a_spare_steps_in_where_a_worker_dies_in_the_middle(place):
    place.network.settings.change(network_answers=1)
    gates = [asyncio.Event(), asyncio.Event()]
    first, second = [await place.worker("It is", " blue.", gate=gate) for gate in gates]
    watching = asyncio.create_task(place.ask(place.conversation()))
    started = [asyncio.create_task(device.answerer.at_gate.wait()) for device in (first, second)]
    await asyncio.wait(started, return_when=asyncio.FIRST_COMPLETED, timeout=30)
    dying, other = (first, second) if started[0].done() else (second, first)
    for gate in gates:
        if gate is other.answerer.gate:
            gate.set()
    dying.task.cancel()
    await asyncio.wait({dying.task})
    for task in started:
        task.cancel()
    answered = await watching
    assert (answered.answer.text, answered.answer.state) == ("It is blue.", MessageState.COMPLETE)
    assert place.shown(answered) == "It is blue."
    assert answered.answer.provenance.shown == other.node


async def test_without_anybody_there_this_device_answers_in_the_same_message(place):
    place.desk.install("I know it myself.")
    answered = await place.ask(place.conversation())
    assert (answered.answer.text, answered.answer.state) == ("I know it myself.", MessageState.COMPLETE)
    origin = stored(place, answered).provenance
    assert (origin.fallback, origin.shown, origin.departed) == ("NoWorkerFits", "", None)
    assert answered.answer.model == "scripted"


async def test_a_router_that_is_gone_costs_only_a_moment(place):
    place.desk.install("I know it myself.")
    conversation = place.conversation()
    departure = await place.desk.answering.departure(conversation, "What is it?")
    await place.stack.aclose()
    answered = await collect(
        place.desk.answering.ask(conversation, "What is it?", departure=departure.approve())
    )
    assert answered.answer.text == "I know it myself."
    assert answered.answer.provenance.fallback == "RouterUnreachable"


@pytest.mark.slow
async def test_workers_that_say_nothing_in_time_are_not_waited_for(place):
    place.desk.install("I know it myself.")
    place.network.settings.change(network_patience_seconds=5)
    silent = await place.worker("", "late", gate=asyncio.Event())
    answered = await place.ask(place.conversation())
    origin = answered.answer.provenance
    assert (answered.answer.text, origin.fallback) == ("I know it myself.", "NobodyAnswered")
    assert origin.departed is not None, "what has left has left, whoever answers"
    await until(lambda: silent.answerer.stopped == 1)  # the router was told that nobody waits


async def test_where_nobody_is_left_in_the_middle_this_device_answers_anew(place):
    place.desk.install("I know it myself.")
    await place.worker("It is", " blue.", breaks=True)
    answered = await place.ask(place.conversation())
    assert place.shown(answered) == answered.answer.text == "I know it myself."
    assert answered.answer.provenance.fallback == "NobodyAnswered"
    assert [reply.state for reply in answered.answer.provenance.replies] == [ReplyState.FAILED]


async def test_a_server_that_answers_other_conversations_is_no_fallback(place):
    """What was agreed to leave goes to other devices, not to a company as well."""
    added = place.desk.models.add_server("Far", "https://ai.invalid", "tiny")
    place.desk.settings.change(model_id=added.id)
    answered = await place.ask(place.conversation())
    assert isinstance(answered.error, NoWorkerFits)
    assert place.desk.models.loaded is None


async def test_an_answer_of_other_devices_does_not_go_on_at_a_server(place):
    """Where other devices are asked, the screen says so, and names no server."""
    conversation = place.conversation()
    conversations = place.desk.conversations
    _, answer = conversations.add_question(conversation, "What is it?")
    conversations.write(answer.id, text="It is", state=MessageState.STOPPED)
    added = place.desk.models.add_server("Far", "https://ai.invalid", "tiny")
    place.desk.settings.change(model_id=added.id)

    with pytest.raises(ConsentNeeded):
        await collect(place.desk.answering.continue_answer(conversation))

    assert conversations.messages(conversation)[-1].text == "It is"
    place.desk.install(" blue.")
    place.desk.settings.change(model_id=None)
    gone_on = await collect(place.desk.answering.continue_answer(conversation))
    assert gone_on.answer.text.startswith("It is")


async def test_without_a_model_of_its_own_the_reason_is_told(place):
    answered = await place.ask(place.conversation())
    assert isinstance(answered.events[-1], Failed)
    assert isinstance(answered.error, NoWorkerFits)
    assert answered.answer.state is MessageState.FAILED


async def test_the_offline_switch_keeps_the_question_here(place, monkeypatch):
    monkeypatch.setattr("app.core.network.offline.is_this_device", lambda host: False)
    worker = await place.worker("Yes.")
    place.desk.install("I know it myself.")
    conversation = place.conversation()
    departure = await place.desk.answering.departure(conversation, "What is it?")
    place.network.offline.turn(on=True)
    answered = await collect(
        place.desk.answering.ask(conversation, "What is it?", departure=departure.approve())
    )
    assert answered.answer.text == "I know it myself."
    assert (answered.answer.provenance.fallback, worker.answerer.questions) == ("OfflineChosen", [])


async def test_without_a_router_the_question_is_refused_before_it_is_stored(place):
    [router] = place.network.routers.all()
    conversation = place.conversation()
    departure = await place.desk.answering.departure(conversation, "What is it?")
    place.network.routers.remove(router.id)
    with pytest.raises(NoRouter):
        await place.desk.answering.departure(conversation, "What is it?")
    with pytest.raises(NoRouter):
        await collect(place.desk.answering.ask(conversation, "What is it?", departure=departure.approve()))
    assert place.desk.conversations.messages(conversation) == []


async def test_who_does_not_want_to_wait_gets_an_answer_of_this_device(place):
    place.desk.install("I know it myself.")
    slow = await place.worker("", "late", gate=asyncio.Event())
    conversation = place.conversation()
    departure = await place.desk.answering.departure(conversation, "What is it?")
    asking = asyncio.create_task(
        collect(place.desk.answering.ask(conversation, "What is it?", departure=departure.approve()))
    )
    await slow.answerer.at_gate.wait()
    await place.desk.answering.answer_here(conversation)
    answered = await asking
    assert (answered.answer.text, answered.answer.state) == ("I know it myself.", MessageState.COMPLETE)
    assert answered.answer.provenance.fallback == "ChosenHere"
    await until(lambda: slow.answerer.stopped == 1)  # the router was told that nobody waits


async def test_without_a_model_of_its_own_the_others_are_waited_for(place):
    gate = asyncio.Event()
    slow = await place.worker("It is", " blue.", gate=gate)
    conversation = place.conversation()
    departure = await place.desk.answering.departure(conversation, "What is it?")
    asking = asyncio.create_task(
        collect(place.desk.answering.ask(conversation, "What is it?", departure=departure.approve()))
    )
    await slow.answerer.at_gate.wait()
    with pytest.raises(NoModelInstalled):
        await place.desk.answering.answer_here(conversation)
    gate.set()
    assert (await asking).answer.text == "It is blue."


async def again_with_others(place, conversation, answered):
    departure = await place.desk.answering.departure(conversation)
    avoid = frozenset(reply.node for reply in answered.answer.provenance.whole)
    departure = dataclasses.replace(departure.approve(), avoid=avoid)
    return await collect(place.desk.answering.regenerate(conversation, departure=departure))


async def test_others_than_those_that_have_answered_can_be_asked(place):
    place.network.settings.change(network_answers=1)
    for words in ("It is blue.", "It is grey."):
        await place.worker(words)
    conversation = place.conversation()
    first = await place.ask(conversation)
    second = await again_with_others(place, conversation, first)
    assert {first.answer.text, second.answer.text} == {"It is blue.", "It is grey."}


async def test_where_nobody_else_is_there_the_answer_stays(place):
    place.desk.install("I know it myself.")
    await place.worker("It is blue.")
    conversation = place.conversation()
    second = await again_with_others(place, conversation, await place.ask(conversation))
    assert isinstance(second.error, NobodyElse)
    assert place.desk.last(conversation).text == "It is blue."
    assert place.desk.prompts == []


# Stopping, and being killed


async def test_stop_keeps_the_words_and_stops_the_worker(place):
    worker = await place.worker("It is", " blue.", gate=asyncio.Event())
    conversation = place.conversation()

    def stop(event):
        if isinstance(event, Token):
            place.desk.answering.stop(conversation)

    answered = await place.ask(conversation, after=stop)
    assert isinstance(answered.events[-1], Stopped)
    assert (answered.answer.text, answered.answer.state) == ("It is", MessageState.STOPPED)
    await place.network.asking.close()
    await until(lambda: worker.answerer.stopped == 1)


async def test_a_whole_answer_is_whole_though_the_user_stops_while_others_are_compared(place):
    await place.worker("It is blue.")
    await place.worker("", "It is blue.", gate=asyncio.Event())
    conversation = place.conversation()

    def stop(event):
        if isinstance(event, Asked) and event.provenance.comparing:
            place.desk.answering.stop(conversation)

    answered = await place.ask(conversation, after=stop)
    assert (answered.answer.text, answered.answer.state) == ("It is blue.", MessageState.COMPLETE)


async def test_what_was_written_when_the_app_was_killed_is_interrupted_and_tells_its_origin(place):
    await place.worker("It is", " blue.", gate=asyncio.Event())
    conversation = place.conversation()
    departure = await place.desk.answering.departure(conversation, "What is it?")
    events = place.desk.answering.ask(conversation, "What is it?", departure=departure.approve())
    async for event in events:
        if isinstance(event, Token):
            break
    await until(lambda: place.desk.last(conversation).text == "It is")
    killed = place.desk.last(conversation)
    assert killed.state is MessageState.STREAMING
    assert (killed.provenance.level, killed.provenance.router) == (PUBLIC, "Home")
    await events.aclose()
