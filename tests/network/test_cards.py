"""Cards: made, checked, pinned; what a router could try with them fails."""

from __future__ import annotations

import msgspec
import pytest

from network.cards import CARD_SECONDS, LONGEST_CARD_SECONDS, KnownDevices, Offer, issue_card, read_card
from network.errors import (
    CardError,
    CardExpired,
    CardNotYetValid,
    CardOutdated,
    IdentityChanged,
    MessageError,
    MessageInvalid,
    SignatureInvalid,
    SuiteUnsupported,
)
from network.keys import DAY, DeviceKeys
from network.protocol.cards import ModelOffer, NodeCard, Succession
from network.protocol.message import Signed, decode_canonical
from network.signatures import sign, verify

SARA = Offer(name="Sara’s laptop")
WORKER = Offer(
    name="کارگاه",
    models=(ModelOffer(model="qwen3-1.7b", context_tokens=8192, tokens_per_second=14),),
    topics=("law", "cooking"),
    languages=("fa", "en"),
    slots=2,
)


def _altered(keys, signed, **changes):
    """A card with other values, honestly signed by its device."""
    card = decode_canonical(signed.statement, NodeCard)
    return sign(msgspec.structs.replace(card, **changes), keys.identity)


def test_a_card_tells_what_the_device_offers(keys, now):
    keys, signed = issue_card(keys, WORKER, now)
    card = read_card(signed, now)
    assert (card.node, card.identity) == (keys.node, keys.public)
    assert card.encryption == keys.encryption[0].public
    assert (card.name, card.topics, card.languages, card.slots) == (
        "کارگاه",
        ("law", "cooking"),
        ("fa", "en"),
        2,
    )
    assert card.models[0].model == "qwen3-1.7b"
    assert card.expires - card.issued == CARD_SECONDS


def test_every_card_has_a_later_number_and_a_fresh_key_in_time(keys, now):
    keys, first = issue_card(keys, SARA, now)
    keys, second = issue_card(keys, SARA, now + DAY)
    one, two = read_card(first, now), read_card(second, now + DAY)
    assert (one.sequence, two.sequence, keys.sequence) == (1, 2, 2)
    assert one.encryption != two.encryption


def test_an_offer_out_of_range_makes_no_card(keys, now):
    with pytest.raises(MessageInvalid):
        issue_card(keys, Offer(languages=("Persian",)), now)
    with pytest.raises(MessageInvalid):
        issue_card(keys, Offer(name="\u202eright to left"), now)


def test_a_card_is_believed_only_in_its_time(keys, now):
    _, signed = issue_card(keys, SARA, now)
    read_card(signed, now - 200)
    read_card(signed, now + CARD_SECONDS + 200)
    with pytest.raises(CardNotYetValid) as early:
        read_card(signed, now - 400)
    assert early.value.name == SARA.name
    with pytest.raises(CardExpired):
        read_card(signed, now + CARD_SECONDS + 400)


@pytest.mark.parametrize("seconds", [0, -5, LONGEST_CARD_SECONDS + 1])
def test_a_card_for_ever_or_for_never_is_refused(keys, now, seconds):
    _, signed = issue_card(keys, SARA, now)
    with pytest.raises(MessageInvalid):
        read_card(_altered(keys, signed, expires=now + seconds), now)


def test_an_encryption_that_we_do_not_have_is_named(keys, now):
    _, signed = issue_card(keys, SARA, now)
    with pytest.raises(SuiteUnsupported) as caught:
        read_card(_altered(keys, signed, suite="hpke-647a-0001-0003"), now)
    assert caught.value.suite == "hpke-647a-0001-0003"


@pytest.mark.parametrize("key", [bytes(32), b"\x01" + bytes(31)], ids=["zero", "one"])
def test_a_key_that_seals_nothing_is_refused(keys, now, key):
    _, signed = issue_card(keys, SARA, now)
    with pytest.raises(MessageInvalid):
        read_card(_altered(keys, signed, encryption=key), now)


def test_a_router_cannot_put_its_own_key_into_a_card(keys, other_keys, now):
    _, signed = issue_card(keys, SARA, now)
    forged = _altered(other_keys, signed, encryption=other_keys.encryption[0].public)
    with pytest.raises(SignatureInvalid):
        read_card(forged, now)
    with pytest.raises(SignatureInvalid):
        read_card(_altered(other_keys, signed, identity=other_keys.public), now)


def test_every_flipped_bit_of_a_card_is_refused(keys, now):
    _, signed = issue_card(keys, SARA, now)
    for field in ("statement", "signature"):
        original = getattr(signed, field)
        for bit in range(len(original) * 8):
            data = bytearray(original)
            data[bit // 8] ^= 1 << bit % 8
            with pytest.raises((MessageError, CardError)):
                read_card(msgspec.structs.replace(signed, **{field: bytes(data)}), now)


def test_a_signature_is_for_one_kind_of_statement(keys, now):
    _, signed = issue_card(keys, SARA, now)
    from network.protocol.receipts import Verdict

    with pytest.raises(MessageInvalid):
        verify(signed, Verdict, keys.public)
    bare = Signed(statement=signed.statement, signature=keys.identity.sign(signed.statement))
    with pytest.raises(SignatureInvalid):
        read_card(bare, now)


def test_the_first_card_pins_and_a_later_one_replaces(keys, now):
    known = KnownDevices()
    keys, first = issue_card(keys, SARA, now)
    keys, second = issue_card(keys, SARA, now + 60)
    known.see(first, now)
    known.mark_verified(keys.node)
    assert known.see(second, now + 60).sequence == 2
    device = known.get(keys.node)
    assert (device.sequence, device.verified, device.name) == (2, True, SARA.name)


def test_an_earlier_card_is_refused_after_a_later_one(keys, now):
    known = KnownDevices()
    keys, first = issue_card(keys, SARA, now)
    keys, second = issue_card(keys, SARA, now + 60)
    known.see(second, now + 60)
    with pytest.raises(CardOutdated):
        known.see(first, now + 60)
    known.see(second, now + 60)


def test_two_cards_with_one_number_are_refused(keys, now):
    known = KnownDevices()
    _, first = issue_card(keys, SARA, now)
    _, twin = issue_card(keys, WORKER, now)
    known.see(first, now)
    with pytest.raises(CardOutdated):
        known.see(twin, now)


@pytest.mark.parametrize("name", ["Sara’s laptop", "SARA’S  LAPTOP", "Sara’s\u200claptop", "Ｓara’s laptop"])
def test_a_stranger_under_a_known_name_is_refused_until_the_user_accepts(keys, other_keys, now, name):
    known = KnownDevices()
    _, friend = issue_card(keys, SARA, now)
    _, stranger = issue_card(other_keys, Offer(name=name), now)
    known.see(friend, now)
    with pytest.raises(IdentityChanged) as caught:
        known.see(stranger, now)
    assert (caught.value.node, caught.value.known) == (other_keys.node, keys.node)
    assert known.get(other_keys.node) is None
    known.accept(stranger, now)
    assert known.get(keys.node) is None
    assert known.get(other_keys.node).verified is False
    with pytest.raises(IdentityChanged):
        known.see(friend, now)


def test_arabic_and_persian_letters_make_no_other_name(keys, other_keys, now):
    known = KnownDevices()
    _, friend = issue_card(keys, Offer(name="گوشی علی"), now)
    _, stranger = issue_card(other_keys, Offer(name="گوشي علي"), now)
    known.see(friend, now)
    with pytest.raises(IdentityChanged):
        known.see(stranger, now)


def test_a_known_device_cannot_take_the_name_of_another(keys, other_keys, now):
    known = KnownDevices()
    _, sara = issue_card(keys, SARA, now)
    other_keys, reza = issue_card(other_keys, Offer(name="Reza"), now)
    known.see(sara, now)
    known.see(reza, now)
    _, renamed = issue_card(other_keys, SARA, now)
    with pytest.raises(IdentityChanged):
        known.see(renamed, now)
    assert known.get(other_keys.node).name == "Reza"


def test_a_new_identity_with_the_word_of_the_old_one_goes_on_but_unverified(keys, now):
    known = KnownDevices()
    _, old = issue_card(keys, SARA, now)
    known.see(old, now)
    known.mark_verified(keys.node)
    new_keys, new = issue_card(keys.succeeded(now), SARA, now)
    known.see(new, now)
    assert known.get(new_keys.node).verified is False
    assert known.get(keys.node) is None


def test_nobody_can_write_the_word_of_the_old_identity_for_it(keys, other_keys, now):
    known = KnownDevices()
    _, old = issue_card(keys, SARA, now)
    known.see(old, now)
    stolen = keys.succeeded(now).succession  # for another new identity than the thief's
    forged = Succession(identity=keys.public, signature=other_keys.identity.sign(b"dai succession 1"))
    for word in (stolen, forged):
        _, signed = issue_card(other_keys, SARA, now)
        with pytest.raises(IdentityChanged):
            known.see(_altered(other_keys, signed, succeeds=word), now)


def test_volunteers_without_a_name_do_not_get_into_each_others_way(now):
    known = KnownDevices()
    for _ in range(5):
        keys, signed = issue_card(DeviceKeys.generate(now), Offer(), now)
        known.see(signed, now)
    known.mark_verified(keys.node)
    assert len(list(known)) == 5
    assert known.forget_strangers(now + CARD_SECONDS + 1) == 4
    assert [device.node for device in known] == [keys.node]


def test_known_devices_survive_being_kept(keys, now):
    known = KnownDevices()
    keys, first = issue_card(keys, SARA, now)
    keys, second = issue_card(keys, SARA, now)
    known.see(second, now)
    again = KnownDevices.decode(known.encode())
    assert list(again) == list(known)
    with pytest.raises(CardOutdated):
        again.see(first, now)
    with pytest.raises(MessageInvalid):
        KnownDevices.decode(known.encode()[:-3])


def test_forgetting_starts_again(keys, other_keys, now):
    known = KnownDevices()
    _, friend = issue_card(keys, SARA, now)
    _, stranger = issue_card(other_keys, SARA, now)
    known.see(friend, now)
    known.forget(keys.node)
    known.forget(keys.node)
    known.see(stranger, now)
