"""What leaves this device with a question."""

from datetime import UTC, datetime

import pytest

from app.core.errors import AttachmentsTooLong
from app.core.messages import Attachment, ChatMessage, Citation, MessageState
from app.core.network.departure import compose_departure, estimated_tokens
from app.core.provenance import PrivacyLevel
from app.core.retrieval import Retrieved
from network.protocol.content import Question
from network.protocol.message import decode, encode

SOURCE = Citation(1, 5, 2, "Boiler manual", 7, None, "Open the valve slowly.")


def message(number, role, text):
    return ChatMessage(
        number, 1, role, text, "thoughts stay here", MessageState.COMPLETE, datetime.now(UTC),
        None, None, (), None, None, None,
    )  # fmt: skip


def talk(*texts):
    return [message(n, "user" if n % 2 == 0 else "assistant", text) for n, text in enumerate(texts)]


def composed(question="And now?", **options):
    return compose_departure(PrivacyLevel.PUBLIC, question=question, **{"earlier": (), **options})


def test_the_question_leaves_with_its_conversation_and_instructions():
    departure = composed(earlier=talk("Hello", "Hi"), instructions="Be brief.")
    assert [(turn.role, turn.text) for turn in departure.turns] == [
        ("system", "Be brief."),
        ("user", "Hello"),
        ("assistant", "Hi"),
        ("user", "And now?"),
    ]
    assert not departure.approved
    assert departure.approve().approved


def test_the_oldest_turns_stay_here_where_the_window_is_full():
    departure = composed(earlier=talk("a" * 3000, "b" * 3000, "Hello", "Hi"), context_tokens=1200)
    assert [turn.text for turn in departure.turns] == ["Hello", "Hi", "And now?"]
    assert departure.tokens <= 1200


def test_persian_takes_more_room_and_is_told_to_be_persian():
    assert estimated_tokens("سلام" * 10) > estimated_tokens("abcd" * 10)
    assert composed("حالا چه؟").language == "fa"
    assert composed("And now?").language is None, "which language it is, letters alone do not tell"


def test_passages_leave_inside_the_question_and_the_worker_leaves_its_own_documents_alone():
    departure = composed(retrieved=Retrieved(40, (SOURCE,)))
    assert "Open the valve slowly." in departure.turns[-1].text
    assert departure.departed.passages == 1
    assert departure.message().use_documents is False
    assert composed().message().use_documents is True


def test_files_leave_with_the_question_they_came_with_and_are_counted():
    note, letter = Attachment("note.txt", 9, text="Old note"), Attachment("letter.txt", 6, text="Letter")
    departure = composed(earlier=talk("Look", "Fine"), files={0: (note,), 99: (letter,)})
    first, _, last = departure.turns
    assert ("Old note" in first.text, "Letter" in last.text, "Old note" in last.text) == (True, True, False)
    assert departure.departed.files == 2


def test_a_file_whose_question_is_too_old_goes_with_the_last_one():
    note = Attachment("note.txt", 9, text="Old note")
    departure = composed(
        earlier=talk("a" * 3000, "b" * 3000, "Hello", "Hi"), files={0: (note,)}, context_tokens=1200
    )
    assert "Old note" in departure.turns[-1].text


def test_files_that_are_too_long_for_others_are_refused_by_name():
    long = Attachment("book.txt", 90_000, text="word " * 18_000)
    with pytest.raises(AttachmentsTooLong) as caught:
        composed(files={99: (long,)})
    assert "book.txt" in str(vars(caught.value).values())


def test_where_the_documents_do_not_tell_nobody_is_asked():
    assert composed(retrieved=Retrieved(40, (), nothing=True)).nothing_found
    assert not composed(retrieved=Retrieved(40, (SOURCE,))).nothing_found
    assert not composed().nothing_found


def test_the_bytes_that_are_shown_are_those_that_are_sealed():
    departure = composed(earlier=talk("Hello", "Hi"))
    assert departure.departed.bytes == len(encode(departure.message()))
    assert decode(encode(departure.message()), Question).turns == departure.turns


def test_hiding_reaches_every_turn_and_passage():
    source = Citation(1, 5, 2, "Letter", None, None, "Write to a@b.example or 0912 345 6789.")
    departure = composed(
        "Is a@b.example Anna's?", earlier=talk("I am Anna", "Hi Anna"), retrieved=Retrieved(1, (source,))
    ).redacted(["Anna"])
    leaving = encode(departure.message()).decode()
    assert not {word for word in ("Anna", "a@b.example", "345") if word in leaving}
    assert departure.departed.hidden == 3
    assert departure.question == "Is a@b.example Anna's?"
