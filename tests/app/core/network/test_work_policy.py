"""When this device works for others: every rule of the owner alone, and which one counts of several."""

import msgspec
import pytest

from app.core.network.work_policy import (
    Obstacle,
    Situation,
    WorkHours,
    WorkPolicy,
    WorkPolicyStore,
    changed_policy,
    obstacle,
)

NOON = 12 * 60
NIGHT = WorkHours(22 * 60, 7 * 60)


@pytest.mark.parametrize(
    ("policy", "now", "expected"),
    [
        ({}, {}, None),
        ({"paused": True}, {}, Obstacle.PAUSED),
        ({}, {"owner_busy": True}, Obstacle.OWNER_BUSY),
        ({"idle_minutes": 5}, {"idle_seconds": 299.0}, Obstacle.OWNER_THERE),
        ({"idle_minutes": 5}, {"idle_seconds": 300.0}, None),
        ({"hours": NIGHT}, {"minute": 21 * 60 + 59}, Obstacle.HOURS),
        ({"hours": NIGHT}, {"minute": 22 * 60}, None),
        ({"hours": NIGHT}, {"minute": 3}, None),
        ({"hours": NIGHT}, {"minute": 7 * 60}, Obstacle.HOURS),
        ({"hours": WorkHours(9 * 60, 17 * 60)}, {"minute": 8 * 60}, Obstacle.HOURS),
        ({"hours": WorkHours(9 * 60, 17 * 60)}, {"minute": 16 * 60 + 59}, None),
        ({"hours": WorkHours(0, 0)}, {}, None),
        ({}, {"charging": False}, Obstacle.BATTERY),
        ({}, {"charging": None}, Obstacle.BATTERY),
        ({"only_charging": False}, {"charging": False}, None),
        ({}, {"metered": True}, Obstacle.METERED),
        ({}, {"metered": None}, Obstacle.METERED),
        ({"only_unmetered": False}, {"metered": True}, None),
        ({}, {"celsius": 85.0}, None),
        ({}, {"celsius": 85.5}, Obstacle.HOT),
        ({}, {"celsius": None}, None),
        ({"hottest_celsius": 0}, {"celsius": 100.0}, None),
        ({"daily_questions": 10}, {"questions_today": 9}, None),
        ({"daily_questions": 10}, {"questions_today": 10}, Obstacle.QUOTA),
        ({"daily_questions": 0}, {"questions_today": 10_000}, None),
        ({"daily_tokens": 1000}, {"tokens_today": 1000}, Obstacle.QUOTA),
        ({"paused": True}, {"owner_busy": True, "charging": False}, Obstacle.PAUSED),
        ({}, {"owner_busy": True, "charging": False, "metered": True}, Obstacle.OWNER_BUSY),
        ({"daily_questions": 1}, {"charging": False, "questions_today": 1}, Obstacle.BATTERY),
    ],
)
def test_a_question_is_taken_only_where_nothing_stands_in_the_way(policy, now, expected):
    situation = Situation(**{"minute": NOON, **now})
    assert obstacle(WorkPolicy(enabled=True, **policy), situation) is expected


def test_routers_are_told_each_obstacle_in_a_word_of_the_protocol():
    assert {each.wire for each in Obstacle} == {"owner", "hours", "battery", "metered", "hot", "quota"}


def test_what_runs_is_given_back_for_the_owner_and_finished_at_the_end_of_the_hours():
    assert {each for each in Obstacle if not each.urgent} == {
        Obstacle.OWNER_THERE,
        Obstacle.HOURS,
        Obstacle.BATTERY,
        Obstacle.QUOTA,
    }


def test_a_fresh_policy_allows_nothing_and_no_strangers():
    assert not WorkPolicy().enabled
    assert not WorkPolicy().public
    assert not WorkPolicy().keep_contents


def test_a_policy_is_kept_and_a_wrong_value_changes_nothing(tmp_path):
    path = tmp_path / "working.json"
    WorkPolicyStore(path).change(enabled=True, hours=NIGHT, groups=("a",), topics=("law",))
    store = WorkPolicyStore(path)
    assert store.current == changed_policy(
        WorkPolicy(), enabled=True, hours=NIGHT, groups=("a",), topics=("law",)
    )
    with pytest.raises(msgspec.ValidationError):
        store.change(slots=0)
    assert WorkPolicyStore(path).current == store.current


@pytest.mark.parametrize("damage", ['"groups": [1]', '"hours": {"start": 9999, "end": 0}', '"paused": "yes"'])
def test_whoever_cannot_read_a_rule_answers_nobody(tmp_path, damage):
    """Without it more would be allowed than its owner has said: all groups, the whole day."""
    path = tmp_path / "working.json"
    path.write_text('{"enabled": true, "public": true, "daily_questions": 3, ' + damage + "}")
    policy = WorkPolicyStore(path).current
    assert (policy.enabled, policy.daily_questions) == (False, 3)


def test_a_damaged_value_has_its_default_and_the_others_stay(tmp_path):
    path = tmp_path / "working.json"
    path.write_text('{"enabled": true, "slots": 99, "daily_questions": 3}')
    assert WorkPolicyStore(path).current == WorkPolicy(enabled=True, daily_questions=3)
