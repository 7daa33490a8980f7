"""An answer is read whole, in order, from its worker and for its attempt, or refused by name."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from network.chunks import LONGEST_ANSWER_BYTES, AnswerOpener, AnswerSealer
from network.errors import (
    AnswerAltered,
    AnswerError,
    AnswerIncomplete,
    AnswerOutOfOrder,
    AnswerTooLong,
    MessageInvalid,
)
from network.padding import pad_chunk
from network.protocol.answers import AnswerChunk
from network.protocol.content import AnswerFailed, AnswerText
from network.protocol.fields import MAX_CHUNK_BYTES
from network.protocol.message import decode, encode

SECRET = bytes(range(32))
JOB, NODE, OTHER_NODE = "a" * 32, "b" * 32, "c" * 32
WORDS = ["Once", " upon", " a", " time", " روزی", " روزگاری"]
END = AnswerFailed(reason="model")


def answer(words=WORDS, secret=SECRET, job=JOB, node=NODE, attempt=1):
    sealer = AnswerSealer(secret, job, node, attempt)
    parts = [sealer.seal(AnswerText(text=word)) for word in words]
    return sealer.start, [*parts, sealer.seal(END)]


def opener_for(start, secret=SECRET):
    opener = AnswerOpener(secret, JOB, NODE)
    opener.begin(start)
    return opener


def test_an_answer_is_read_part_by_part():
    start, chunks = answer()
    opener = opener_for(start)
    assert [opener.open(chunk).text for chunk in chunks[:-1]] == WORDS
    assert not opener.complete
    assert opener.open(chunks[-1]) == END
    opener.finish()


def test_it_survives_the_journey_as_messages():
    start, chunks = answer()
    opener = opener_for(decode(encode(start), type(start)))
    for chunk in chunks:
        opener.open(decode(encode(chunk), AnswerChunk))
    assert opener.complete


def test_a_repeated_part_is_refused_and_the_answer_goes_on():
    start, chunks = answer()
    opener = opener_for(start)
    opener.open(chunks[0])
    with pytest.raises(AnswerOutOfOrder) as caught:
        opener.open(chunks[0])
    assert (caught.value.expected, caught.value.found) == (1, 0)
    with pytest.raises(AnswerAltered):
        opener.open(msgspec.structs.replace(chunks[0], index=1))
    assert opener.open(chunks[1]).text == WORDS[1]


def test_a_missing_part_is_noticed():
    start, chunks = answer()
    opener = opener_for(start)
    opener.open(chunks[0])
    with pytest.raises(AnswerOutOfOrder):
        opener.open(chunks[2])
    with pytest.raises(AnswerAltered):
        opener.open(msgspec.structs.replace(chunks[2], index=1))


def test_an_answer_without_its_end_is_not_whole():
    start, chunks = answer()
    opener = opener_for(start)
    for chunk in chunks[:-1]:
        opener.open(chunk)
    with pytest.raises(AnswerIncomplete):
        opener.finish()


def test_nobody_but_the_worker_can_end_an_answer():
    start, chunks = answer()
    opener = opener_for(start)
    with pytest.raises(AnswerAltered):
        opener.open(msgspec.structs.replace(chunks[0], last=True))
    for chunk in chunks[:-1]:
        opener.open(chunk)
    with pytest.raises(AnswerAltered):
        opener.open(msgspec.structs.replace(chunks[-1], last=False))


def test_nothing_follows_the_end():
    start, chunks = answer()
    opener = opener_for(start)
    for chunk in chunks:
        opener.open(chunk)
    with pytest.raises(AnswerOutOfOrder):
        opener.open(chunks[-1])
    with pytest.raises(AnswerAltered):
        opener.begin(answer(attempt=2)[0])


@pytest.mark.parametrize(
    "other",
    [{"secret": bytes(32)}, {"job": "d" * 32}, {"node": OTHER_NODE}, {"attempt": 2}, {}],
    ids=[
        "another worker's secret",
        "another job",
        "another node",
        "another attempt",
        "the same attempt again",
    ],
)
def test_parts_of_another_answer_are_refused_also_under_a_false_address(other):
    """Each stands for an attack of the router; the last one for an attempt that was handed out twice."""
    start, _ = answer()
    _, foreign = answer(**other)
    opener = opener_for(start)
    moved = msgspec.structs.replace(foreign[0], job=JOB, node=NODE, attempt=1)
    with pytest.raises(AnswerAltered):
        opener.open(moved)
    if moved != foreign[0]:
        with pytest.raises(AnswerAltered):
            opener.open(foreign[0])


def test_an_attempt_that_is_handed_out_twice_never_uses_a_key_twice():
    (_, first), (_, second) = answer(), answer()
    assert first[0].data != second[0].data


def test_a_new_attempt_starts_afresh_and_an_old_one_does_not_come_back():
    old_start, old = answer()
    new_start, new = answer(attempt=2)
    opener = opener_for(old_start)
    opener.open(old[0])
    opener.begin(new_start)
    assert opener.attempt == 2
    with pytest.raises(AnswerAltered):
        opener.open(old[1])
    with pytest.raises(AnswerAltered):
        opener.begin(old_start)
    for chunk in new:
        opener.open(chunk)
    opener.finish()


def test_a_start_of_another_answer_is_refused():
    opener = AnswerOpener(SECRET, JOB, NODE)
    with pytest.raises(AnswerAltered):
        opener.begin(answer(node=OTHER_NODE)[0])
    with pytest.raises(AnswerAltered):
        opener.open(answer()[1][0])


def test_a_changed_salt_opens_nothing():
    start, chunks = answer()
    opener = opener_for(msgspec.structs.replace(start, salt=bytes(32)))
    with pytest.raises(AnswerAltered):
        opener.open(chunks[0])


def test_every_flipped_bit_and_every_truncation_is_refused():
    start, chunks = answer(words=["word"])
    opener = opener_for(start)
    data = chunks[0].data
    for bit in range(len(data) * 8):
        altered = bytearray(data)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(AnswerAltered):
            opener.open(msgspec.structs.replace(chunks[0], data=bytes(altered)))
    for size in range(len(data)):
        with pytest.raises(AnswerAltered):
            opener.open(msgspec.structs.replace(chunks[0], data=data[:size]))
    assert opener.open(chunks[0]).text == "word"


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(min_value=0, max_value=6), max_size=20), st.randoms(use_true_random=False))
def test_whatever_a_router_does_the_asker_reads_a_true_beginning(order, chance: random.Random):
    """Any order, any repetition, any damage: what is read is a prefix of what was said, and nothing else."""
    start, chunks = answer()
    opener = opener_for(start)
    read = []
    for index in order:
        chunk = chunks[index]
        if chance.random() < 0.2:
            chunk = msgspec.structs.replace(chunk, index=chance.randrange(7), last=chance.random() < 0.5)
        try:
            read.append(opener.open(chunk))
        except AnswerError:
            continue
    said = [*(AnswerText(text=word) for word in WORDS), END]
    assert read == said[: len(read)]
    assert opener.complete == (len(read) == len(said))


def test_short_parts_all_have_one_size_and_long_ones_fit():
    _, chunks = answer(words=["", "a", "three words here", "چند کلمه"])
    assert len({len(chunk.data) for chunk in chunks}) == 1
    _, chunks = answer(words=["\u0001" * 2_000])
    assert len(chunks[0].data) <= MAX_CHUNK_BYTES


def test_an_answer_cannot_go_on_for_ever():
    sealer = AnswerSealer(SECRET, JOB, NODE, 1)
    opener = opener_for(sealer.start)
    part = AnswerText(text="\u0001" * 2_000)
    size = len(pad_chunk(encode(part))) + 16
    for _ in range(LONGEST_ANSWER_BYTES // size):
        opener.open(sealer.seal(part))
    with pytest.raises(AnswerTooLong):
        opener.open(sealer.seal(part))


def test_a_worker_that_seals_nonsense_is_told_apart_from_a_router_that_alters():
    sealer = AnswerSealer(SECRET, JOB, NODE, 1)
    opener = opener_for(sealer.start)
    nonsense = sealer._cipher.encrypt(bytes(12), pad_chunk(b'{"type": "nonsense"}'), b"\x00")
    chunk = AnswerChunk(job=JOB, node=NODE, attempt=1, index=0, last=False, data=nonsense)
    with pytest.raises(MessageInvalid):
        opener.open(chunk)
    endless = sealer._cipher.encrypt(bytes(12), pad_chunk(encode(AnswerText(text="no end"))), b"\x01")
    with pytest.raises(MessageInvalid):
        opener.open(msgspec.structs.replace(chunk, data=endless, last=True))


def test_a_worker_cannot_go_on_after_its_end():
    sealer = AnswerSealer(SECRET, JOB, NODE, 1)
    sealer.seal(END)
    with pytest.raises(ValueError, match="ended"):
        sealer.seal(AnswerText(text="more"))


def test_no_secret_shows_in_a_representation():
    start, chunks = answer()
    opener = opener_for(start)
    opener.open(chunks[0])
    assert SECRET.hex() not in repr(opener)
    assert repr(SECRET)[2:-1] not in repr(opener) + repr(AnswerSealer(SECRET, JOB, NODE, 1))
