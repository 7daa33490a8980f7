"""Two devices are introduced: by a scanned code, or by a number that both show."""

from __future__ import annotations

import re

import pytest

from network.cards import Offer, issue_card, read_card
from network.errors import PairingCodeInvalid, PairingMismatch
from network.pairing import confirm, pairing_code, read_pairing_code, safety_number


def test_both_sides_see_the_same_number(keys, other_keys):
    number = safety_number(keys.public, other_keys.public)
    assert number == safety_number(other_keys.public, keys.public)
    assert re.fullmatch(r"(\d{5} ){11}\d{5}", number)


def test_another_identity_gives_another_number_in_its_whole_half(keys, other_keys):
    mine = set(safety_number(keys.public, keys.public).split())
    assert len(set(safety_number(keys.public, other_keys.public).split()) - mine) >= 5


def test_a_code_leads_to_the_identity(keys):
    code = pairing_code(keys.public)
    assert re.fullmatch(r"DAI1:[A-Z2-7]{60}", code), "fits the small alphabet of QR pictures"
    assert read_pairing_code(code) == keys.public


def test_a_code_may_be_typed_by_hand(keys):
    code = pairing_code(keys.public)
    letters = code.removeprefix("DAI1:").replace("O", "0").replace("I", "1").replace("B", "8").lower()
    typed = " dai1:" + "-".join(letters[at : at + 5] for at in range(0, 60, 5)) + "\n"
    assert read_pairing_code(typed) == keys.public


def test_one_wrong_letter_is_noticed(keys):
    code = pairing_code(keys.public)
    for at in range(5, len(code)):
        wrong = "C" if code[at] != "C" else "D"
        with pytest.raises(PairingCodeInvalid):
            read_pairing_code(code[:at] + wrong + code[at + 1 :])


@pytest.mark.parametrize(
    "text", ["", "DAI1:", "hello", "https://example.com", "DAI2:" + "A" * 60, "DAI1:" + "é" * 60]
)
def test_other_codes_are_refused(text):
    with pytest.raises(PairingCodeInvalid):
        read_pairing_code(text)


def test_a_truncated_code_is_refused(keys):
    with pytest.raises(PairingCodeInvalid):
        read_pairing_code(pairing_code(keys.public)[:-1])


def test_the_card_must_be_of_the_device_that_was_scanned(keys, other_keys, now):
    scanned = read_pairing_code(pairing_code(keys.public))
    _, right = issue_card(keys, Offer(name="Sara"), now)
    _, wrong = issue_card(other_keys, Offer(name="Sara"), now)
    confirm(scanned, read_card(right, now))
    with pytest.raises(PairingMismatch) as caught:
        confirm(scanned, read_card(wrong, now))
    assert caught.value.name == "Sara"
