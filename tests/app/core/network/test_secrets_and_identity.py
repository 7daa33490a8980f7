"""Keys and group secrets survive restarts, are never made anew in silence, and are never shown."""

from __future__ import annotations

import base64
import logging
import stat

import pytest

from app.core.errors import DeviceNameInvalid
from app.core.network.groups import GroupKind
from app.core.network.vault import PASSPHRASE_VARIABLE, KeptIn
from network.cards import read_card
from network.errors import KeysDamaged, KeysLocked, KeyStoreUnavailable
from network.keys import DAY
from network.pairing import read_pairing_code
from tests.app.core.network.conftest import Device
from tests.network.test_key_stores import MemoryKeyring


@pytest.fixture(params=["keyring", "passphrase", "file"])
def device_of_each_kind(request, device: Device) -> Device:
    if request.param == "keyring":
        device.keyring = MemoryKeyring()
    if request.param == "passphrase":
        device.environment = {PASSPHRASE_VARIABLE: "correct horse"}
    return device


def test_a_device_stays_itself_and_in_its_groups_over_a_restart(device_of_each_kind):
    first = device_of_each_kind.start()
    circle = first.groups.create("Friends", GroupKind.CIRCLE)
    again = device_of_each_kind.start()
    assert again.identity.node == first.identity.node
    assert again.groups.all() == [circle]
    assert not again.identity.lost


def test_no_secret_is_in_a_file_a_value_or_the_log(device_of_each_kind, caplog):
    caplog.set_level(logging.DEBUG)
    network = device_of_each_kind.start()
    group = network.groups.create("Friends", GroupKind.CIRCLE)
    keys = network.identity.keys()
    secrets = [
        group.secret,
        keys.identity.private_bytes_raw(),
        keys.encryption[0].private.private_bytes_raw(),
    ]
    shown = f"{network!r}{group!r}{device_of_each_kind.vault()!r}{caplog.text}".encode()
    for secret in secrets:
        for form in (secret, base64.b64encode(secret), secret.hex().encode(), repr(secret).encode()):
            assert form not in device_of_each_kind.everything() + shown


def test_the_keyring_is_preferred_then_the_passphrase_then_a_file_of_this_user(device, other, tmp_path):
    assert device.start().identity.kept_in() is KeptIn.FILE
    assert stat.S_IMODE((device.files / "sealing.key").stat().st_mode) == 0o600
    other.environment = {PASSPHRASE_VARIABLE: "correct horse"}
    assert other.start().identity.kept_in() is KeptIn.PASSPHRASE
    third = Device(tmp_path / "third", MemoryKeyring(), other.environment)
    assert third.start().identity.kept_in() is KeptIn.KEYRING


def test_a_keyring_that_is_gone_or_locked_does_not_make_another_device(device):
    device.keyring = keyring = MemoryKeyring()
    node = device.start().identity.node
    device.keyring = None
    with pytest.raises(KeyStoreUnavailable):
        device.start().identity.keys()
    device.keyring = keyring
    keyring.locked = True
    with pytest.raises(KeyStoreUnavailable):
        device.start().identity.keys()
    keyring.locked = False
    assert device.start().identity.node == node


def test_a_keyring_that_comes_later_does_not_hide_the_files(device):
    node = device.start().identity.node
    device.keyring = MemoryKeyring()
    assert device.start().identity.node == node


def test_a_passphrase_given_later_seals_what_was_there(device):
    first = device.start()
    node, group = first.identity.node, first.groups.create("Friends", GroupKind.CIRCLE)
    device.environment = {PASSPHRASE_VARIABLE: "correct horse"}
    sealed = device.start()
    assert (sealed.identity.node, sealed.groups.all()) == (node, [group])
    assert not (device.files / "sealing.key").exists()
    device.environment = {PASSPHRASE_VARIABLE: "wrong horse"}
    with pytest.raises(KeysLocked):
        device.start().identity.keys()
    device.environment = {}
    with pytest.raises(KeysLocked):
        device.start().identity.keys()


def test_damaged_or_half_lost_files_are_told_and_not_replaced(device):
    device.start().identity.keys()
    key = (device.files / "sealing.key").read_bytes()
    (device.files / "sealing.key").unlink()
    with pytest.raises(KeysDamaged):
        device.start().identity.keys()
    (device.files / "sealing.key").write_bytes(key)
    sealed = device.files / "keys.sealed"
    sealed.write_bytes(sealed.read_bytes()[:-30])
    before = sealed.read_bytes()
    with pytest.raises(KeysDamaged):
        device.start().identity.keys()
    assert sealed.read_bytes() == before


def test_keys_that_are_gone_make_a_new_device_and_say_so(device):
    first = device.start()
    node = first.identity.node
    (device.files / "keys.sealed").unlink()
    again = device.start()
    assert again.identity.node != node
    assert again.identity.lost


def test_two_data_folders_of_one_user_are_two_devices(device, other):
    device.keyring = other.keyring = MemoryKeyring()
    assert device.start().identity.node != other.start().identity.node


def test_every_card_has_its_own_number_also_from_two_processes(device):
    one, two = device.start(), device.start()
    numbers = [
        read_card(network.identity.card(), int(device.now)).sequence for network in (one, two, one, two)
    ]
    assert numbers == [1, 2, 3, 4]


def test_the_encryption_key_changes_daily_and_the_identity_stays(device):
    network = device.start()
    keys = network.identity.keys()
    device.now += DAY + 1
    later = network.identity.keys()
    assert later.node == keys.node
    assert later.encryption[0].id != keys.encryption[0].id
    assert later.encryption_key(keys.encryption[0].id) is not None
    assert device.start().identity.keys().encryption[0].id == later.encryption[0].id  # kept, too


def test_a_renewed_identity_carries_the_word_of_the_one_before(device):
    network = device.start()
    before = network.identity.public
    network.identity.renew()
    card = read_card(network.identity.card(), int(device.now))
    assert card.succeeds is not None
    assert card.succeeds.identity == before
    assert card.identity == read_pairing_code(network.identity.code()) != before
    assert not network.identity.lost


def test_the_name_of_a_device_is_kept_and_cannot_mislead(device):
    network = device.start()
    network.identity.rename("  لپ‌تاپ  سارا ")
    assert device.start().identity.name == "لپ‌تاپ سارا"
    with pytest.raises(DeviceNameInvalid):
        network.identity.rename("a\u202eb")
