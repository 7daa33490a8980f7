"""What was done for others: counted by day, without contents, and known after a restart."""

from datetime import datetime

import pytest

from app.core.network.work_records import MOST_ENTRIES, Outcome, Served, WorkEntry, WorkRecords
from app.core.provenance import PrivacyLevel
from network.errors import QuestionRepeated
from network.protocol.jobs import Grant

NOON = datetime(2027, 3, 1, 12).timestamp()


def entry(began=NOON, outcome=Outcome.ANSWERED, tokens=10, **values):
    return WorkEntry(
        **{
            "began": began,
            "seconds": 2.0,
            "level": PrivacyLevel.CIRCLE,
            "model": "qwen3-1.7b",
            "tokens": tokens,
            "sources": 0,
            "outcome": outcome,
            **values,
        }
    )


def grant(job="a" * 32, expires=2_000):
    return Grant(
        job=job,
        asker="b" * 32,
        identity=bytes(32),
        node="c" * 32,
        key="d" * 16,
        issued=1_000,
        expires=expires,
        body_digest=bytes(32),
        sealed_key=bytes(112),
    )


@pytest.fixture
def opened(tmp_path):
    records = []

    def open_records(clock=lambda: NOON):
        records.append(WorkRecords(tmp_path / "work.db", clock))
        return records[-1]

    yield open_records
    for each in records:
        each.close()


def test_the_newest_comes_first_and_contents_are_kept_only_where_they_are_given(opened):
    records = opened()
    records.add(entry(outcome=Outcome.REFUSED))
    records.add(entry(question="Why?", answer="Because."))
    newest, oldest = records.latest()
    assert (newest.question, newest.answer, newest.outcome) == ("Why?", "Because.", Outcome.ANSWERED)
    assert (oldest.question, oldest.answer, oldest.level) == (None, None, PrivacyLevel.CIRCLE)
    records.forget(contents_only=True)
    assert [(each.question, each.answer) for each in records.latest()] == [(None, None)] * 2
    records.forget()
    assert records.latest() == []


def test_today_counts_from_midnight_and_only_what_was_answered(opened):
    records = opened()
    for each in (
        entry(),
        entry(outcome=Outcome.CUT_OFF, tokens=5),
        entry(outcome=Outcome.GIVEN_BACK, tokens=3),
        entry(outcome=Outcome.REFUSED, tokens=0),
        entry(began=NOON - 12 * 3600 - 1, tokens=1000),
    ):
        records.add(each)
    assert records.today() == Served(questions=2, tokens=18)
    assert opened(lambda: NOON + 86_400).today() == Served()


def test_speed_is_that_of_the_last_whole_answers_of_a_model(opened):
    records = opened()
    assert records.tokens_per_second("qwen3-1.7b") == 0
    records.add(entry(tokens=30))
    records.add(entry(tokens=50))
    records.add(entry(tokens=9_000, model="other"))
    records.add(entry(tokens=9_000, outcome=Outcome.CANCELLED))
    assert records.tokens_per_second("qwen3-1.7b") == 20


def test_the_log_does_not_grow_without_end(opened, monkeypatch):
    monkeypatch.setattr("app.core.network.work_records.MOST_ENTRIES", 20)
    records = opened()
    for _ in range(230):
        records.add(entry())
    assert 20 <= len(records.latest(MOST_ENTRIES)) <= 120


def test_an_answered_question_is_known_after_a_restart_until_it_expires(opened):
    opened(lambda: 1_000).answered().add(grant(), 1_000)
    answered = opened(lambda: 2_299).answered()
    with pytest.raises(QuestionRepeated):
        answered.check(grant())
    answered.check(grant(job="e" * 32))
    opened(lambda: 2_301).answered().check(grant())


def test_expired_questions_leave_the_disk_as_well(opened):
    answered = opened(lambda: 1_000).answered()
    answered.add(grant(), 1_000)
    answered.add(grant(job="e" * 32, expires=9_000), 2_500)
    assert len(opened(lambda: 1_000).answered()) == 1
