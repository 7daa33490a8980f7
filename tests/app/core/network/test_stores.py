"""What the app keeps about routers, groups and devices is shared by processes and never lost in silence."""

from __future__ import annotations

import pytest

from app.core.errors import (
    DeviceMissing,
    GroupExists,
    GroupMissing,
    OwnDevicesExist,
    RouterAddressInvalid,
    TooManyGroups,
)
from app.core.network.groups import MOST_GROUPS, GroupKind
from app.core.network.router_address import is_nearby, is_this_device, read_router_address
from app.core.network.routers import Router, meeting_address
from app.core.set_aside import take_untold
from network.cards import Offer
from network.errors import CardOutdated, IdentityChanged, PairingCodeInvalid
from network.groups import group_code, new_group
from network.keys import DAY
from network.pairing import pairing_code


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("router.example", "https://router.example"),
        (" Router.Example:8700/ ", "https://router.example:8700"),
        ("https://router.example:443", "https://router.example"),
        ("http://router.example", "http://router.example"),
        ("192.168.1.5:8700", "http://192.168.1.5:8700"),
        ("localhost:8700", "http://localhost:8700"),
        ("office.local", "http://office.local"),
        ("[::1]:8700", "http://[::1]:8700"),
        ("مسیر.example", "https://xn--wgbd7c54a.example"),
    ],
)
def test_people_type_addresses_of_routers_in_many_ways(typed, address):
    assert read_router_address(typed) == address


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "https://",
        "ftp://router.example",
        "https://a:secret@router.example",
        "router.example/path?x",
        "a b",
    ],
)
def test_what_is_no_address_is_refused_without_showing_a_password(typed):
    with pytest.raises(RouterAddressInvalid) as caught:
        read_router_address(typed)
    assert "secret" not in caught.value.typed


def test_only_this_device_counts_as_this_device():
    assert all(is_this_device(host) for host in ("localhost", "127.0.0.1", "127.8.8.8", "::1", "[::1]"))
    assert not any(
        is_this_device(host) for host in ("192.168.1.5", "localhost.example", "10.0.0.1", "128.0.0.1")
    )
    assert is_nearby("10.0.0.1")
    assert not is_nearby("router.example")


def test_a_code_brings_another_device_into_the_group(device, other):
    mine = device.start().groups
    group = mine.create("My devices", GroupKind.MINE)
    joined, invitation = other.start().groups.join(
        mine.code(group.id, "https://router.example"), "Mine too", GroupKind.MINE
    )
    assert joined.secret == group.secret
    assert joined.name == "Mine too"
    assert invitation.router == "https://router.example"


def test_a_code_tells_a_router_that_is_used_and_that_others_can_reach():
    def router(address: str, *, enabled: bool = True) -> Router:
        return Router("a" * 16, "One", address, bytes(32), "", enabled)

    here = router("http://127.0.0.1:8440")
    off, there = router("https://off.example", enabled=False), router("https://there.example")
    assert meeting_address([here, off, there]) == "https://there.example"
    assert meeting_address([here, off]) == ""


def test_there_is_one_group_of_my_devices_and_no_circle_twice(network):
    groups = network.groups
    mine = groups.create("My devices", GroupKind.MINE)
    with pytest.raises(OwnDevicesExist):
        groups.create("Mine again", GroupKind.MINE)
    with pytest.raises(GroupExists) as caught:
        groups.join(groups.code(mine.id), "The same", GroupKind.CIRCLE)
    assert caught.value.name == "My devices"
    with pytest.raises(PairingCodeInvalid):
        groups.join("DAIG1:NONSENSE", "Nothing", GroupKind.CIRCLE)


def test_my_devices_come_first_and_names_change_only_here(network):
    groups = network.groups
    circle = groups.create("Friends", GroupKind.CIRCLE)
    mine = groups.create("My devices", GroupKind.MINE)
    groups.rename(circle.id, " Family ")
    groups.rename(mine.id, "  ")
    assert [group.name for group in groups.all()] == ["My devices", "Family"]
    assert groups.mine() == mine


def test_whoever_leaves_a_group_has_forgotten_its_secret(device):
    network = device.start()
    group = network.groups.create("Friends", GroupKind.CIRCLE)
    network.groups.leave(group.id)
    assert device.start().groups.all() == []
    assert device.vault().get(f"group {group.id}") is None
    with pytest.raises(GroupMissing):
        network.groups.code(group.id)


def test_a_device_is_in_so_many_groups_and_no_more(network):
    for _ in range(MOST_GROUPS):
        network.groups.join(group_code(new_group()), "One", GroupKind.CIRCLE)
    with pytest.raises(TooManyGroups):
        network.groups.create("Too many", GroupKind.CIRCLE)


def test_two_processes_see_what_the_other_has_changed(device):
    one, two = device.start(), device.start()
    assert two.groups.all() == []
    first = one.groups.create("Friends", GroupKind.CIRCLE)
    second = two.groups.create("Family", GroupKind.CIRCLE)
    assert one.groups.all() == two.groups.all() == [first, second]


@pytest.mark.parametrize("name", ["routers.json", "groups.json"])
@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'[{"id": "../../x"}]', b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_file_is_set_aside_and_told(device, name, content):
    device.start()
    (device.files / name).write_bytes(content)
    network = device.start()
    assert [network.routers.all(), network.groups.all()] == [[], []]
    [aside] = [found.path for found in take_untold(device.folder)]
    assert aside.name.startswith(f"{name}.damaged-20")
    assert aside.read_bytes() == content
    network.groups.create("Friends", GroupKind.CIRCLE)
    assert len(device.start().groups.all()) == 1


def test_a_device_is_pinned_at_first_sight_and_known_after_a_restart(device, other):
    theirs = other.start().identity
    network = device.start()
    first = theirs.card(Offer(name="Sara"))
    network.devices.see(first)
    network.devices.rename(theirs.node, " My sister ")
    network.devices.block(theirs.node)
    network.devices.see(theirs.card(Offer(name="Sara")))
    [known] = device.start().devices.all()
    assert (known.node, known.name, known.alias, known.blocked) == (theirs.node, "Sara", "My sister", True)
    assert known.shown_name == "My sister"
    assert network.devices.blocked(theirs.node)
    with pytest.raises(CardOutdated):
        network.devices.see(first)


def test_another_identity_under_a_known_name_waits_for_the_user(device, other, network):
    theirs = other.start().identity
    network.devices.see(theirs.card(Offer(name="Sara")))
    stranger = device.start().identity.card(Offer(name="Sara"))
    with pytest.raises(IdentityChanged):
        network.devices.see(stranger)
    assert [one.node for one in network.devices.all()] == [theirs.node]
    network.devices.accept(stranger)
    assert [one.node for one in network.devices.all()] == [network.identity.node]


def test_a_device_is_verified_by_its_code_or_by_the_number_that_both_show(device, other):
    here, there = device.start(), other.start()
    with pytest.raises(DeviceMissing):
        here.devices.verify_code(there.identity.code())
    here.devices.see(there.identity.card())
    there.devices.see(here.identity.card())
    number = here.devices.safety_number(there.identity.node, here.identity.public)
    assert number == there.devices.safety_number(here.identity.node, there.identity.public)
    assert here.devices.verify_code(there.identity.code()).verified
    here.devices.verify(there.identity.node, verified=False)
    assert not here.devices.get(there.identity.node).verified
    with pytest.raises(PairingCodeInvalid):
        here.devices.verify_code(pairing_code(there.identity.public)[:-1])


def test_strangers_are_forgotten_after_a_month_but_a_blocked_one_stays_blocked(device, other, network):
    stranger = other.start().identity
    network.devices.see(stranger.card())
    blocked = device.start().identity
    network.devices.see(blocked.card())
    network.devices.block(blocked.node)
    device.now = other.now = device.now + 40 * DAY
    network.devices.see(stranger.card(Offer(name="Somebody")))
    assert network.devices.blocked(blocked.node)
