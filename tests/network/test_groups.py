"""Devices of one person or of one circle find each other through a router that is not in the group."""

from __future__ import annotations

import re

import pytest

from network.broker.embedded import open_embedded_broker
from network.errors import NoWorkerFits, PairingCodeInvalid
from network.groups import (
    GroupInvitation,
    group_code,
    group_tag,
    is_member,
    membership,
    new_group,
    read_group_code,
)
from network.keys import DeviceKeys
from network.protocol.groups import Membership
from network.protocol.tickets import WorkerQuery
from tests.network.small_world import MODEL, World, now

ROUTER, OTHER_ROUTER = b"r" * 32, b"o" * 32
ADDRESS = "https://router.example:8443"


@pytest.fixture
async def world():
    world = World.with_broker(await open_embedded_broker(None))
    yield world
    await world.close()


@pytest.fixture
def asker() -> DeviceKeys:
    return DeviceKeys.generate(now())


def query(asker, groups=(), **values) -> WorkerQuery:
    return WorkerQuery(job="a" * 32, asker=asker.node, model=MODEL, groups=groups, **values)


async def shown(world, query) -> list[tuple[int, tuple[Membership, ...]]]:
    found = await world.asking.candidates(query)
    return [(candidate.credit, candidate.memberships) for candidate in found.candidates]


# The secret and what is made of it


def test_a_member_is_told_from_a_stranger(keys, other_keys):
    secret = new_group()
    mine = membership(secret, ROUTER, keys.public)
    assert is_member(secret, mine, keys.public)
    assert not is_member(secret, mine, other_keys.public), "a proof is worth nothing in another's hand"
    assert not is_member(new_group(), mine, keys.public)


def test_a_group_has_another_name_at_every_router():
    secret = new_group()
    assert group_tag(secret, ROUTER) == group_tag(secret, ROUTER)
    assert group_tag(secret, ROUTER) != group_tag(secret, OTHER_ROUTER)


@pytest.mark.parametrize("address", ["", ADDRESS, "http://[::1]:8440"])
def test_a_code_brings_the_secret_and_the_router(address):
    secret = new_group()
    code = group_code(secret, address)
    assert re.fullmatch(r"DAIG1:[A-Z2-7]+", code), "fits the small alphabet of QR pictures"
    assert read_group_code(code) == GroupInvitation(secret, address)
    typed = code.lower().replace("b", "8").replace("o", "0")
    assert read_group_code(f" {typed[:12]} {typed[12:30]}-{typed[30:]}\n") == GroupInvitation(secret, address)


def test_an_invitation_shows_no_secret_by_accident():
    assert "s" * 32 not in repr(GroupInvitation(b"s" * 32, ADDRESS))


def test_one_wrong_letter_in_a_code_is_noticed():
    code = group_code(b"g" * 32, ADDRESS)
    for at in range(6, len(code)):
        wrong = "C" if code[at] != "C" else "D"
        with pytest.raises(PairingCodeInvalid):
            read_group_code(code[:at] + wrong + code[at + 1 :])


@pytest.mark.parametrize(
    "text", ["", "DAIG1:", "DAI1:" + "A" * 60, "DAIG1:é", "DAIG1:" + "A" * 10_000, "https://router.example"]
)
def test_other_codes_are_refused(text):
    with pytest.raises(PairingCodeInvalid):
        read_group_code(text)


@pytest.mark.parametrize("address", ["router.example", "ftp://a", "https://a/path", "https://é.example"])
def test_a_code_is_made_for_addresses_of_routers_only(address):
    with pytest.raises(ValueError, match="address"):
        group_code(new_group(), address)


# At a router


async def test_a_worker_without_a_group_that_is_not_public_is_shown_to_nobody(world, asker):
    worker = await world.join(public=False)
    for wanted in (query(asker, public=True), query(asker), query(asker, public=True, nodes=(worker.node,))):
        with pytest.raises(NoWorkerFits):
            await world.asking.candidates(wanted)


async def test_a_group_sees_its_own_devices_and_nobody_else_does(world, asker):
    family, friends = new_group(), new_group()
    router = world.desk.public
    keys = DeviceKeys.generate(now())
    shows = membership(family, router, keys.public)
    await world.join(keys=keys, public=False, memberships=(shows,))
    found = await shown(world, query(asker, (group_tag(friends, router), group_tag(family, router))))
    assert found == [(1, (shows,))]
    for wanted in (query(asker, (group_tag(friends, router),), public=True), query(asker, public=True)):
        with pytest.raises(NoWorkerFits):
            await world.asking.candidates(wanted)


async def test_an_asker_does_not_learn_of_groups_that_it_did_not_name(world, asker):
    family, friends = new_group(), new_group()
    keys = DeviceKeys.generate(now())
    both = tuple(membership(group, world.desk.public, keys.public) for group in (family, friends))
    await world.join(keys=keys, memberships=both)
    assert await shown(world, query(asker, public=True)) == [(1, ())]
    assert await shown(world, query(asker, (both[1].group,))) == [(1, (both[1],))]


async def test_strangers_are_asked_only_where_the_asker_says_so(world, asker):
    await world.join()
    with pytest.raises(NoWorkerFits):
        await world.asking.candidates(query(asker, (group_tag(new_group(), world.desk.public),)))


async def test_the_first_group_comes_before_the_others_and_all_before_strangers(world, asker):
    mine, circle = new_group(), new_group()
    nodes = {}
    for name, groups in (("stranger", ()), ("friend", (circle,)), ("own", (circle, mine))):
        keys = DeviceKeys.generate(now())
        shows = tuple(membership(group, world.desk.public, keys.public) for group in groups)
        nodes[(await world.join(keys=keys, memberships=shows)).node] = name
    tags = tuple(group_tag(group, world.desk.public) for group in (mine, circle))
    sealed, _ = await world.seal(asker, workers=2, spares=1, groups=tags)
    order = [nodes[node] for node in sealed.answer_secrets]
    assert order == ["own", "friend", "stranger"]


async def test_only_the_devices_that_are_named_are_drawn(world, asker):
    workers = [await world.join() for _ in range(3)]
    wanted = query(asker, public=True, nodes=(workers[1].node,))
    found = await world.asking.candidates(wanted)
    assert len(found.candidates) == 1
    await world.until(lambda nodes: len(nodes) == 3)
