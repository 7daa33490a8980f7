"""What a stranger calls itself is nobody's name: it is not pinned, and shown to nobody."""

from __future__ import annotations

import pytest

from app.core.network.devices import Devices
from app.core.network.selecting import Checks, GroupAt, check
from app.core.provenance import PrivacyLevel
from network.cards import Offer, issue_card
from network.groups import membership
from network.keys import DeviceKeys
from network.protocol.cards import ModelOffer
from network.protocol.tickets import Candidate

NOW = 1_800_000_000
MODELS = (ModelOffer(model="m", context_tokens=4096, tokens_per_second=10),)
ROUTER = b"r" * 32


@pytest.fixture
def devices(tmp_path):
    return Devices(tmp_path / "devices.json", lambda: NOW)


def candidate(name, secret=None):
    keys = DeviceKeys.generate(NOW)
    keys, card = issue_card(keys, Offer(name=name, models=MODELS, slots=1), NOW)
    shown = (membership(secret, ROUTER, keys.public),) if secret else ()
    return Candidate(card=card, credit=1, memberships=shown)


def test_a_stranger_cannot_take_the_name_of_a_device_that_comes_later(devices):
    group = GroupAt.of(b"s" * 32, PrivacyLevel.CIRCLE, ROUTER, b"i" * 32)
    checks = Checks(lambda card, named: devices.see(card, named=named), lambda node: False)
    stranger, friend = candidate("Anna's laptop"), candidate("Anna's laptop", group.secret)
    [selected] = check([stranger], checks, [group], PrivacyLevel.PUBLIC, 100)
    assert devices.get(selected.card.node).name == ""
    [selected] = check([friend], checks, [group], PrivacyLevel.CIRCLE, 100)
    assert devices.get(selected.card.node).name == "Anna's laptop"
    both = check([stranger, friend], checks, [group], PrivacyLevel.PUBLIC, 100)
    assert [one.level for one in both] == [PrivacyLevel.PUBLIC, PrivacyLevel.CIRCLE]


def test_a_friend_that_is_met_as_a_stranger_keeps_its_name(devices):
    group = GroupAt.of(b"s" * 32, PrivacyLevel.CIRCLE, ROUTER, b"i" * 32)
    friend = candidate("Anna's laptop", group.secret)
    checks = Checks(lambda card, named: devices.see(card, named=named), lambda node: False)
    [selected] = check([friend], checks, [group], PrivacyLevel.CIRCLE, 100)
    check([friend], checks, [], PrivacyLevel.PUBLIC, 100)
    assert devices.get(selected.card.node).name == "Anna's laptop"
