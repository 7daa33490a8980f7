"""The keys of a device: rotation, succession, and that they never show."""

from __future__ import annotations

import pytest

from network.errors import KeysDamaged
from network.fingerprints import key_id, node_id
from network.keys import DAY, KEPT_SECONDS, DeviceKeys


def test_a_device_is_known_by_the_fingerprint_of_its_identity(keys):
    assert keys.node == node_id(keys.public)
    assert len(keys.node) == 32


def test_the_encryption_key_is_replaced_every_day(keys, now):
    assert not keys.rotation_due(now + DAY - 1)
    assert keys.rotation_due(now + DAY)
    rotated = keys.rotated(now + DAY)
    assert rotated.encryption[0].public != keys.encryption[0].public
    assert rotated.public == keys.public
    assert not rotated.rotation_due(now + DAY)


def test_an_earlier_key_opens_late_questions_and_then_is_gone(keys, now):
    first = keys.encryption[0].id
    second = keys.rotated(now + DAY)
    assert second.encryption_key(first) is not None
    third = second.rotated(now + KEPT_SECONDS)
    assert third.encryption_key(first) is None
    assert third.encryption_key(second.encryption[0].id) is not None


def test_a_clock_that_was_set_back_leads_to_a_fresh_key(keys, now):
    assert keys.rotation_due(now - 10)
    assert len(keys.rotated(now - 10).encryption) == 1


def test_many_rotations_keep_few_keys(keys, now):
    for hour in range(40):
        keys = keys.rotated(now + hour)
    assert len(keys.encryption) == 8
    assert DeviceKeys.from_secret_bytes(keys.to_secret_bytes()).encryption[7].id == keys.encryption[7].id


def test_keys_survive_being_kept(keys, now):
    keys = keys.rotated(now + DAY).advanced().succeeded(now + DAY)
    again = DeviceKeys.from_secret_bytes(keys.to_secret_bytes())
    assert again.to_secret_bytes() == keys.to_secret_bytes()
    assert (again.node, again.sequence, again.succession) == (keys.node, 0, keys.succession)


@pytest.mark.parametrize("data", [b"", b"{}", b"null", b"\xff", b"[" * 5_000, b'{"identity": "AAAA"}'])
def test_damaged_keys_are_told_as_such(data):
    with pytest.raises(KeysDamaged) as caught:
        DeviceKeys.from_secret_bytes(data)
    assert str(caught.value) == ""


def test_an_unknown_version_is_not_guessed_at(keys):
    with pytest.raises(KeysDamaged):
        DeviceKeys.from_secret_bytes(keys.to_secret_bytes().replace(b'"version":1', b'"version":2'))


def test_keys_do_not_show_in_a_representation(keys):
    shown = repr(keys) + repr(keys.encryption) + str(keys)
    for secret in (keys.identity.private_bytes_raw(), keys.encryption[0].private.private_bytes_raw()):
        assert secret.hex() not in shown
        assert repr(secret) not in shown
    assert "0x" not in repr(keys)


def test_numbers_of_keys_differ_by_purpose(keys):
    assert key_id(keys.public) != node_id(keys.public)[:16]
