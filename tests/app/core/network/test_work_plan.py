"""What routers are shown, and when that is new enough to register anew."""

import pytest

from app.core.network.work_plan import WorkPlan
from network.cards import Offer
from network.protocol.cards import ModelOffer


def shown(speed=20, *, topics=(), public=True):
    offer = Offer(
        models=(ModelOffer(model="tiny", context_tokens=4096, tokens_per_second=speed),),
        topics=topics,
        slots=1,
    )
    return WorkPlan((), (), public, None, offer).shown


@pytest.mark.parametrize(
    ("speed", "new"), [(20, False), (17, False), (31, False), (40, True), (9, True), (0, True)]
)
def test_a_measured_speed_is_new_when_it_has_doubled_or_halved(speed, new):
    assert (shown(speed) != shown()) is new


def test_everything_else_is_new_at_once():
    assert shown(topics=("law",)) != shown()
    assert shown(public=False) != shown()
