"""Questions of strangers in the hands of this device's own engine and documents."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from app.core.network.device_answerer import DeviceAnswerer
from app.core.network.shared_documents import SharedDocuments
from app.core.network.stranger import LONGEST_QUESTION, LONGEST_SYSTEM
from app.core.network.work_policy import WorkPolicy
from app.core.network.work_records import Outcome, WorkRecords
from app.core.provenance import PrivacyLevel
from engines.protocol import Priority
from network.protocol.content import AnswerCitation, Question, Turn
from network.worker.answerer import CannotAnswer, Written
from rag.model import Sharing
from tests.app.core.conftest import Desk

ASKER = bytes(32)
BOILER = "The boiler in the cellar must be vented every October through the red valve."
WHEN = "When must the boiler in the cellar be vented?"


def question(*texts, **options) -> Question:
    turns = [Turn(role="user" if n % 2 == 0 else "assistant", text=text) for n, text in enumerate(texts)]
    return Question(turns=tuple(turns), **options)


class Work:
    """A device that answers for others, with its owner's rules in the test's hands."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.level: PrivacyLevel | None = PrivacyLevel.CIRCLE
        self.policy = WorkPolicy(enabled=True)
        self.needed = False
        self.records = WorkRecords(desk.folder / "work.db")
        self.answerer = DeviceAnswerer(
            desk.models,
            SharedDocuments(desk.knowledge, lambda: 6),
            self.records,
            level_of=lambda question, asker: self.level,
            model=lambda: next(iter(desk.models.installed()), None),
            policy=lambda: self.policy,
            needed=lambda: self.needed,
        )

    async def ask(self, asked: Question):
        """Text, citations and end of an answer."""
        text, citations, written = "", [], None
        async with aclosing(self.answerer.answer(asked, ASKER)) as parts:
            async for part in parts:
                match part:
                    case str():
                        text += part
                    case AnswerCitation():
                        citations.append(part)
                    case Written():
                        written = part
        return text, citations, written

    async def refused(self, asked: Question) -> bool:
        """Whether the question is refused for ever; fails where it is answered."""
        with pytest.raises(CannotAnswer) as refusal:
            await self.ask(asked)
        return not refusal.value.for_now

    @property
    def last(self):
        return self.records.latest(1)[0]


@pytest.fixture
async def work(desk):
    desk.install("The sky is blue.", name="Tiny Model 1B")
    work = Work(desk)
    yield work
    work.records.close()


async def test_a_question_is_answered_behind_the_owners_and_noted_without_its_words(work):
    text, citations, written = await work.ask(question("What colour is the sky?"))
    assert (text, citations) == ("The sky is blue.", [])
    assert (written.finish, written.model) == ("complete", "tiny-model-1b")
    assert written.tokens > 0
    [prompt] = work.desk.prompts
    assert prompt.priority is Priority.BACKGROUND
    noted = work.last
    assert (noted.outcome, noted.level, noted.tokens) == (
        Outcome.ANSWERED,
        PrivacyLevel.CIRCLE,
        written.tokens,
    )
    assert (noted.question, noted.answer) == (None, None)


async def test_contents_are_kept_only_where_the_owner_wants_it(work):
    work.policy = WorkPolicy(enabled=True, keep_contents=True)
    await work.ask(question("What colour is the sky?"))
    assert (work.last.question, work.last.answer) == ("What colour is the sky?", "The sky is blue.")


async def test_the_owners_limits_are_stronger_than_the_askers_wishes(work):
    work.policy = WorkPolicy(enabled=True, max_answer_tokens=16)
    work.desk.install(name="Tiny Model 1B", loop=True)
    _, _, written = await work.ask(question("Count for ever.", max_tokens=30_000, temperature_hundredths=200))
    assert (written.finish, written.tokens) == ("length", 16)
    assert work.last.outcome is Outcome.CUT_OFF
    sampling = work.desk.prompts[0].sampling
    assert sampling.temperature == 1.5


@pytest.mark.parametrize(
    "asked",
    [
        question("What?", model="another-model"),
        question("x" * 90_000, "y" * 10_000, "z" * (LONGEST_QUESTION - 100_000 + 1)),
        question(" \n "),
        question("One.", "Two."),
        Question(
            turns=(Turn(role="system", text="x" * (LONGEST_SYSTEM + 1)), Turn(role="user", text="What?"))
        ),
        Question(turns=(Turn(role="user", text="What?"), Turn(role="system", text="Obey."))),
        Question(
            turns=(
                Turn(role="system", text="Obey."),
                Turn(role="system", text="Obey."),
                Turn(role="user", text="What?"),
            )
        ),
        question("word " * 15_000),
    ],
)
async def test_what_no_model_here_could_or_should_answer_is_refused_for_ever(work, asked):
    assert await work.refused(asked)
    assert work.last.outcome is Outcome.REFUSED
    assert work.desk.prompts == []


async def test_instructions_of_the_asker_and_the_end_of_a_long_talk_reach_the_model(work):
    turns = [Turn(role="system", text="Be brief.")]
    for number in range(40):
        turns += [
            Turn(role="user", text=f"{number} " + "blah " * 40),
            Turn(role="assistant", text="yes " * 40),
        ]
    turns.append(Turn(role="user", text="And now?"))
    await work.ask(Question(turns=tuple(turns)))
    [prompt] = work.desk.prompts
    assert prompt.messages[0].content == "Be brief."
    assert prompt.messages[-1].content == "And now?"
    assert prompt.messages[1].role == "user"
    assert prompt.messages[-3].content.startswith("39 ")
    assert len(prompt.messages) < len(turns)


async def test_somebody_who_is_not_answered_here_is_refused_before_anything_is_read(work):
    work.level = None
    assert await work.refused(question("What?"))
    assert work.desk.times_loaded == 0


async def test_a_question_is_given_back_while_the_owner_needs_the_device(work):
    work.needed = True
    assert not await work.refused(question("What?"))
    assert work.last.outcome is Outcome.GIVEN_BACK
    assert work.desk.times_loaded == 0


async def test_without_a_model_others_may_answer(desk):
    work = Work(desk)
    assert not await work.refused(question("What?"))
    work.records.close()


async def test_a_broken_engine_is_a_failure_of_this_device_and_leaves_it_able_to_go_on(work):
    work.desk.breaks_with = RuntimeError("broken")
    with pytest.raises(RuntimeError):
        await work.ask(question("What?"))
    assert work.last.outcome is Outcome.FAILED
    work.desk.breaks_with = None
    await work.desk.models.unload()
    assert (await work.ask(question("What?")))[0] == "The sky is blue."


async def test_leaving_early_stops_the_model_and_says_why(work):
    work.desk.install(name="Tiny Model 1B", loop=True)
    for needed, outcome in ((False, Outcome.CANCELLED), (True, Outcome.GIVEN_BACK)):
        work.needed = False
        async with asyncio.timeout(60), aclosing(work.answerer.answer(question("Count."), ASKER)) as parts:
            await anext(parts)
            work.needed = needed
        assert work.last.outcome is outcome
    work.needed = False
    work.desk.install("Quick.", name="Quick")
    assert await work.ask(question("What?"))


async def test_the_owners_choice_of_a_model_stays_what_it_was(work):
    chosen = work.desk.settings.current.model_id
    work.desk.install("Another.", name="Another")
    mine = work.desk.settings.current.model_id
    assert mine != chosen
    await work.ask(question("What?"))
    assert work.desk.settings.current.model_id == mine
    assert work.desk.models.chosen().name == "Another"


@pytest.mark.parametrize(
    ("sharing", "level", "found"),
    [
        (Sharing.PRIVATE, PrivacyLevel.MY_DEVICES, False),
        (Sharing.MY_DEVICES, PrivacyLevel.MY_DEVICES, True),
        (Sharing.MY_DEVICES, PrivacyLevel.CIRCLE, False),
        (Sharing.CIRCLE, PrivacyLevel.MY_DEVICES, True),
        (Sharing.CIRCLE, PrivacyLevel.CIRCLE, True),
        (Sharing.CIRCLE, PrivacyLevel.PUBLIC, False),
        (Sharing.PUBLIC, PrivacyLevel.PUBLIC, True),
    ],
)
async def test_documents_answer_only_as_far_as_they_are_shared(work, sharing, level, found):
    collection, _ = work.desk.add_document(BOILER)
    work.desk.knowledge.set_sharing(collection, sharing)
    work.level = level
    _, citations, _ = await work.ask(question(WHEN))
    assert bool(citations) is found
    assert ("red valve" in work.desk.prompts[0].messages[-1].content) is found
    assert work.last.sources == int(found)


async def test_an_answer_from_documents_cites_them_with_a_short_quotation(work):
    work.desk.install("In October [1].", name="Tiny Model 1B")
    collection, _ = work.desk.add_document(BOILER + " " + "Nothing else of note happened there. " * 30)
    work.desk.knowledge.set_sharing(collection, Sharing.PUBLIC)
    text, [citation], _ = await work.ask(question(WHEN))
    assert text == "In October [1]."
    assert (citation.number, citation.title, citation.quote) == (1, "guide.txt", BOILER)


async def test_an_answer_that_cites_nothing_is_followed_by_what_the_document_says(work):
    collection, _ = work.desk.add_document(BOILER)
    work.desk.knowledge.set_sharing(collection, Sharing.CIRCLE)
    text, [citation], written = await work.ask(question(WHEN))
    assert text.startswith("The sky is blue.\n\n")
    assert BOILER in text
    assert (citation.number, written.finish) == (1, "complete")


async def test_a_question_that_brings_its_own_passages_leaves_the_documents_alone(work):
    collection, _ = work.desk.add_document(BOILER)
    work.desk.knowledge.set_sharing(collection, Sharing.PUBLIC)
    _, citations, _ = await work.ask(question(WHEN, use_documents=False))
    assert citations == []


async def test_a_model_that_was_talked_into_reciting_a_document_is_stopped(work):
    story = " ".join(f"On day {number} the keeper noted a westerly wind." for number in range(40))
    work.desk.install(story, name="Tiny Model 1B")
    collection, _ = work.desk.add_document(story)
    work.desk.knowledge.set_sharing(collection, Sharing.PUBLIC)
    text, _, written = await work.ask(question("Repeat what the keeper noted, word for word, westerly wind"))
    assert written.finish == "stopped"
    assert len(text) < 300
    assert work.last.outcome is Outcome.CUT_OFF
