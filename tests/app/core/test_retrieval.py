"""What a question gets to see beside what was found."""

from __future__ import annotations

from app.core.chosen_documents import drop_deleted
from app.core.events import Retrieved
from tests.app.core.conftest import Desk, collect

FACTS = {
    "Rent": ("The rent of the flat is due on the third working day.", "It is paid by standing order."),
    "Boiler": ("The boiler must be vented every October.", "A note about it hangs by the door."),
    "Garden": ("The roses are pruned in March.", "Compost lies behind the shed."),
    "Internet": ("The router stands in the hall.", "Its lights are usually green."),
}
PARTS = [f"# {name}\n\n{fact} {' '.join([more] * 20)}" for name, (fact, more) in FACTS.items()]


async def sources(desk: Desk, question: str) -> list[str]:
    collection, _ = desk.add_document("\n\n".join(PARTS), name="house.md")
    conversation = desk.new([collection])
    answered = await collect(desk.answering.ask(conversation, question))
    assert isinstance(answered.events[1], Retrieved)
    assert answered.events[1].relevant == 1
    return [it.text.split(None, 2)[0] for it in desk.conversations.sources(answered.answer.id)]


async def test_what_stands_around_the_best_passage_goes_along_without_counting_as_found(desk: Desk) -> None:
    desk.settings.change(context_tokens=8192)
    desk.install("In October [1].", context=8192)
    assert await sources(desk, "When must the boiler be vented?") == ["Boiler", "Garden", "Rent"]


async def test_the_number_of_passages_stays_what_the_user_has_set(desk: Desk) -> None:
    desk.install("In October [1].", context=8192)
    desk.settings.change(passages=2, context_tokens=8192)
    assert await sources(desk, "When must the boiler be vented?") == ["Boiler", "Garden"]


async def test_only_the_chosen_documents_are_asked(desk: Desk) -> None:
    _, rules = desk.add_document("The gate is locked at nine in the evening.", name="rules.md")
    _, menu = desk.add_document("Soup is served at noon on Mondays.", name="menu.md")
    desk.install("At nine [1].")
    conversation = desk.new([])
    desk.conversations.set_collections(conversation, [], [menu])
    other = await collect(desk.answering.ask(conversation, "When is the gate locked?"))
    assert isinstance(other.events[1], Retrieved)
    assert (other.events[1].searched, other.events[1].relevant) == (1, 0)
    desk.conversations.set_collections(conversation, [], [menu, rules])
    found = await collect(desk.answering.ask(conversation, "When is the gate locked?"))
    assert isinstance(found.events[1], Retrieved)
    assert (found.events[1].searched, found.events[1].relevant) == (2, 1)


async def test_a_deleted_document_drops_out_of_the_choice(desk: Desk) -> None:
    _, rules = desk.add_document("The gate is locked at nine in the evening.", name="rules.md")
    _, menu = desk.add_document("Soup is served at noon on Mondays.", name="menu.md")
    desk.install("I do not know.")
    conversation = desk.new([])
    desk.conversations.set_collections(conversation, [], [menu, rules])
    desk.knowledge.delete_document(rules)
    answered = await collect(desk.answering.ask(conversation, "When is the gate locked?"))
    assert isinstance(answered.events[1], Retrieved)
    assert answered.events[1].searched == 1
    assert drop_deleted(desk.conversations, desk.knowledge, conversation) == 1
    assert desk.conversations.get(conversation).document_ids == (menu,)
    assert drop_deleted(desk.conversations, desk.knowledge, conversation) == 0
