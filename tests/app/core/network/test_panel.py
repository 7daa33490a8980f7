"""Whose words are shown of all who were asked."""

from app.core.network.panel import GRACE_SECONDS, LOST_SECONDS, STALL_SECONDS, Panel, Seat
from app.core.provenance import PrivacyLevel, ReplyState
from network.asked import Began, Refused, Said
from network.errors import AnswerAltered
from network.protocol.content import AnswerCitation, AnswerEnd, AnswerFailed, AnswerText
from network.protocol.message import Signed

END = AnswerEnd(finish="complete", receipt=Signed(statement=b"{}", signature=bytes(64)))


def panel(*trusts, spares=0):
    seats = [
        Seat(f"n{place}", "", PrivacyLevel.PUBLIC, "m", trust, spare=place >= len(trusts) - spares)
        for place, trust in enumerate(trusts)
    ]
    return Panel(seats, len(trusts) - spares, now=0.0)


def says(panel, node, *parts, now=0.0, begins=True):
    if begins:
        panel.hear(Began(node, 1), now)
    for part in parts:
        panel.hear(Said(node, AnswerText(text=part) if isinstance(part, str) else part), now)


def test_the_best_trusted_leads_at_once():
    group = panel(0.5, 0.9, 0.5)
    says(group, "n1", "Yes")
    assert group.leader(0.0).text == "Yes"


def test_others_wait_a_moment_for_the_best_trusted_and_then_lead():
    group = panel(0.5, 0.9)
    says(group, "n0", "No", now=3.0)
    assert group.leader(3.0) is None
    assert group.decides_at == 3.0 + GRACE_SECONDS
    assert group.leader(group.decides_at).node == "n0"
    says(group, "n1", "Yes", now=5.0)
    assert group.leader(5.0).node == "n0", "a leader does not change while it speaks"


def test_the_best_trusted_of_those_that_speak_leads():
    group = panel(0.9, 0.4, 0.6)
    says(group, "n1", "a")
    says(group, "n2", "b")
    assert group.leader(10.0).node == "n2"


def test_whoever_is_whole_is_not_kept_waiting():
    group = panel(0.4, 0.9)
    says(group, "n0", "short", END)
    assert group.leader(0.0).node == "n0"


def test_a_leader_that_fails_gives_way():
    group = panel(0.9, 0.4)
    says(group, "n0", "I beg")
    says(group, "n1", "Here")
    assert group.leader(0.0).node == "n0"
    says(group, "n0", AnswerFailed(reason="memory"), begins=False)
    assert group.leader(5.0).node == "n1"
    assert group.seats["n0"].state is ReplyState.FAILED


def test_a_leader_that_begins_anew_has_said_nothing_so_far():
    group = panel(0.9)
    says(group, "n0", "I beg", AnswerCitation(number=1, title="Book"))
    assert group.leader(0.0).text == "I beg"
    says(group, "n0", "Again")
    assert (group.leader(0.0).text, group.seats["n0"].citations) == ("Again", {})


def test_a_leader_that_has_lost_its_connection_gives_way_to_whoever_speaks():
    group = panel(0.9, 0.4, spares=1)
    says(group, "n0", "I beg", now=1.0)
    assert group.leader(1.0).node == "n0"
    says(group, "n1", "In its place", now=1.0 + LOST_SECONDS - 0.1)
    assert group.leader(4.9).node == "n0"
    says(group, "n1", " I say", now=1.0 + LOST_SECONDS, begins=False)
    assert group.leader(5.0).text == "In its place I say"


def test_a_leader_without_words_is_not_waited_for_where_another_answer_is_whole():
    group = panel(0.9, 0.4)
    says(group, "n0", "I beg", now=1.0)
    assert group.leader(1.0).node == "n0"
    says(group, "n1", "Yes.", END, now=2.0)
    says(group, "n0", "", now=1.0 + STALL_SECONDS - 0.1, begins=False)
    assert group.leader(1.0 + STALL_SECONDS - 0.1).node == "n0"
    assert group.leader(1.0 + STALL_SECONDS).node == "n1"


def test_a_whole_answer_leads_on_however_long_others_speak():
    group = panel(0.9, 0.4)
    says(group, "n0", "Yes", END, now=1.0)
    assert group.leader(1.0).node == "n0"
    says(group, "n1", "Well", now=60.0)
    assert group.leader(60.0).node == "n0"


def test_nobody_waits_for_a_spare():
    group = panel(0.4, 0.9, spares=1)
    says(group, "n0", "Here")
    assert group.leader(0.0).node == "n0"


def test_an_empty_answer_is_none():
    group = panel(0.5)
    says(group, "n0", "  ", END)
    assert (group.leader(9.0), group.whole, group.done) == (None, [], False)


def test_a_message_that_was_not_believed_changes_nothing():
    group = panel(0.5)
    says(group, "n0", "Here")
    group.hear(Refused("n0", AnswerAltered("n0")), 1.0)
    assert group.leader(1.0).text == "Here"


def test_it_is_done_when_as_many_as_wanted_have_answered():
    group = panel(0.5, 0.5, 0.5, spares=1)
    says(group, "n0", "a", END, now=2.0)
    assert not group.done
    group.declined("n1")
    says(group, "n2", "b", END, now=4.0)
    assert group.done
    assert [seat.seconds for seat in group.whole] == [2.0, 4.0]


def test_those_that_nobody_waits_for_are_left_out():
    group = panel(0.5, 0.5, 0.5)
    says(group, "n0", "a", END)
    says(group, "n1", "b")
    group.leave_out()
    assert [seat.state for seat in group.seats.values()] == [
        ReplyState.WHOLE,
        ReplyState.LEFT_OUT,
        ReplyState.LEFT_OUT,
    ]


def test_a_source_is_told_once_however_often_it_is_sent():
    group = panel(0.5)
    says(group, "n0", "Yes [1].")
    for _ in range(500):
        says(group, "n0", AnswerCitation(number=1, title="Guide", quote="Yes."), begins=False)
    assert len(group.seats["n0"].citations) == 1


def test_words_of_others_command_no_terminal_and_turn_no_text_round():
    group = panel(0.5)
    says(group, "n0", "\x1b]52;c;cm0gLXJm\x07one\r\x9b2J\n\ttwo \u202eeerht\u2066 می\u200cخواهم")
    evil = AnswerCitation(number=1, title="\x1b[2JGuide\u202e", quote="\x00so")
    says(group, "n0", evil, begins=False)
    seat = group.seats["n0"]
    assert seat.text == "]52;c;cm0gLXJmone2J\n\ttwo eerht می\u200cخواهم"
    assert [(source.document_title, source.text) for source in seat.sources()] == [("[2JGuide", "so")]
