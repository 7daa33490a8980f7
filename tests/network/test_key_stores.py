"""Every place for keys behaves alike; the encrypted file gives nothing away and survives what disks do."""

from __future__ import annotations

import base64
import json
import logging
import os
import stat

import pytest

from network.errors import KeysDamaged, KeysLocked, KeyStoreUnavailable
from network.key_file import FileKeyStore
from network.key_store import KeyringKeyStore
from network.keys import DeviceKeys

CHEAP = 2**4


class MemoryKeyring:
    """A keyring as the systems have them, which can be locked."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service, name):
        self._check()
        return self.kept.get((service, name))

    def set_password(self, service, name, password):
        self._check(password)
        self.kept[service, name] = password

    def delete_password(self, service, name):
        self._check()
        del self.kept[service, name]

    def _check(self, password=""):
        if self.locked:
            raise RuntimeError(f"locked; could not write {password}")


class StoreUnderTest:
    """A store, and how to make its place fail or its contents rot."""

    def __init__(self, kind, tmp_path) -> None:
        self.kind = kind
        self.path = tmp_path / "folder" / "keys.json"
        self.keyring = MemoryKeyring()

    def open(self):
        if self.kind == "file":
            return FileKeyStore(self.path, "correct horse", cost=CHEAP)
        return KeyringKeyStore(self.keyring)

    def damage(self):
        if self.kind == "file":
            self.path.write_bytes(self.path.read_bytes()[:-40])
        else:
            ((place, kept),) = self.keyring.kept.items()
            self.keyring.kept[place] = kept[:-7]

    def close_place(self):
        if self.kind == "file":
            self.path.parent.rmdir()
            self.path.parent.write_text("not a folder")
        else:
            self.keyring.locked = True


@pytest.fixture(params=["file", "keyring"])
def place(request, tmp_path):
    return StoreUnderTest(request.param, tmp_path)


def test_a_new_store_is_empty(place):
    assert place.open().load() is None


def test_what_was_saved_is_there_after_a_restart(place, keys):
    place.open().save(keys)
    again = place.open().load()
    assert again is not None
    assert again.to_secret_bytes() == keys.to_secret_bytes()


def test_saving_replaces(place, keys, now):
    store = place.open()
    store.save(keys)
    rotated = keys.rotated(now + 5).advanced()
    store.save(rotated)
    assert store.load().to_secret_bytes() == rotated.to_secret_bytes()


def test_what_was_erased_is_gone(place, keys):
    store = place.open()
    store.erase()
    store.save(keys)
    store.erase()
    assert store.load() is None


def test_damage_is_told_and_not_taken_for_a_new_device(place, keys):
    place.open().save(keys)
    place.damage()
    with pytest.raises(KeysDamaged):
        place.open().load()


def test_a_place_that_fails_is_told_without_a_secret(place, keys, caplog):
    caplog.set_level(logging.DEBUG)
    store = place.open()
    store.save(keys)
    store.erase()
    place.close_place()
    for action in (lambda: store.save(keys), store.load, store.erase):
        with pytest.raises(KeyStoreUnavailable) as caught:
            action()
        secret = base64.b64encode(keys.to_secret_bytes()).decode()
        assert secret not in str(caught.value) + repr(caught.value) + caplog.text
        assert caught.value.__cause__ is None


def test_most_keys_fit_into_the_smallest_keyring(keys, now):
    """The credential store of Windows takes 2,560 bytes, two for each character."""
    for hour in range(10):
        keys = keys.rotated(now + hour)
    keyring = MemoryKeyring()
    KeyringKeyStore(keyring).save(keys.succeeded(now))
    for hour in range(10):
        keys = keys.rotated(now + hour)
    KeyringKeyStore(keyring, "full").save(keys)
    assert max(map(len, keyring.kept.values())) <= 1_280


def test_two_profiles_keep_apart(keys, other_keys):
    keyring = MemoryKeyring()
    KeyringKeyStore(keyring).save(keys)
    KeyringKeyStore(keyring, "work").save(other_keys)
    assert KeyringKeyStore(keyring).load().node == keys.node


def test_a_wrong_passphrase_is_told_apart_from_damage(tmp_path, keys):
    path = tmp_path / "keys.json"
    FileKeyStore(path, "رمز عبور", cost=CHEAP).save(keys)
    with pytest.raises(KeysLocked):
        FileKeyStore(path, "another", cost=CHEAP).load()
    assert FileKeyStore(path, "رمز عبور", cost=CHEAP).load().node == keys.node


def test_the_file_shows_nothing_and_never_looks_the_same(tmp_path, keys):
    path = tmp_path / "keys.json"
    store = FileKeyStore(path, "correct horse", cost=CHEAP)
    store.save(keys)
    first = path.read_bytes()
    store.save(keys)
    assert path.read_bytes() != first
    assert keys.identity.private_bytes_raw() not in base64.b64decode(json.loads(first)["sealed"])
    assert "correct horse" not in repr(store)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="permissions of files are different on Windows")
def test_only_the_owner_can_read_the_file(tmp_path, keys):
    path = tmp_path / "keys.json"
    FileKeyStore(path, "correct horse", cost=CHEAP).save(keys)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_full_disk_leaves_the_earlier_keys(tmp_path, keys, other_keys, monkeypatch):
    path = tmp_path / "keys.json"
    store = FileKeyStore(path, "correct horse", cost=CHEAP)
    store.save(keys)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KeyStoreUnavailable):
        store.save(other_keys)
    assert store.load().node == keys.node
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "change", [{"cost": 2**21}, {"cost": 3}, {"cost": 2**5}, {"block": 9}, {"block": 4}, {"lanes": 2}]
)
def test_a_file_with_other_parameters_is_refused_without_much_work(tmp_path, keys, change):
    path = tmp_path / "keys.json"
    store = FileKeyStore(path, "correct horse", cost=CHEAP)
    store.save(keys)
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **change}))
    with pytest.raises(KeysDamaged):
        store.load()


def test_the_usual_cost_is_what_a_phone_can_bear(tmp_path, keys):
    store = FileKeyStore(tmp_path / "keys.json", "correct horse")
    store.save(keys)
    assert json.loads((tmp_path / "keys.json").read_bytes())["cost"] == 2**15
    assert isinstance(store.load(), DeviceKeys)
