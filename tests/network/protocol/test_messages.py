"""Messages are read strictly: one spelling, known fields, bounded values."""

from __future__ import annotations

import json
import random

import msgspec
import pytest

from network.errors import MessageError, MessageInvalid, MessageTooLarge, ProtocolTooNew
from network.protocol import frames
from network.protocol.answers import AnswerChunk
from network.protocol.cards import NodeCard
from network.protocol.content import AnswerPart
from network.protocol.fields import MAX_BODY_BYTES, MAX_CHUNK_BYTES, MAX_FRAME_BYTES
from network.protocol.jobs import Lease
from network.protocol.message import Message, decode, encode
from network.protocol.presence import Bye, Presence
from network.protocol.problems import KINDS, QUEUE_FULL, Problem
from network.protocol.routers import Pool, RouterInfo
from network.protocol.schema import messages
from tests.network.protocol.examples import example

LINKS = [frames.from_worker, frames.to_worker, frames.from_asker, frames.to_asker]
MESSAGES = pytest.mark.parametrize("kind", messages(), ids=lambda kind: kind.__name__)


@MESSAGES
def test_every_message_survives_its_journey(kind):
    message = example(kind)
    assert decode(encode(message), kind) == message


@pytest.mark.parametrize(
    "kind",
    [kind for kind in messages() if kind not in (Problem, RouterInfo, Pool)],
    ids=lambda kind: kind.__name__,
)
def test_a_message_has_no_field_that_is_not_in_its_description(kind):
    fields = json.loads(encode(example(kind)))
    with pytest.raises(MessageInvalid):
        decode(json.dumps({**fields, "extra": 1}).encode(), kind)


@MESSAGES
def test_every_text_every_list_and_every_number_has_a_limit(kind):
    """Whoever reads a message must not have to fear its size."""
    unlimited = []

    def walk(schema, path):
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            walk(definitions[name], path)
        for choice in schema.get("anyOf", []):
            walk(choice, path)
        match schema.get("type"):
            case "string" if not ({"maxLength", "pattern"} & schema.keys()):
                unlimited.append(path)
            case "integer" if not {"minimum", "maximum"} <= schema.keys():
                unlimited.append(path)
            case "number":
                unlimited.append(path)
            case "array":
                if "maxItems" not in schema:
                    unlimited.append(path)
                walk(schema.get("items", {}), f"{path}[]")
            case "object":
                for name, value in schema["properties"].items():
                    if "enum" not in value:
                        walk(value, f"{path}.{name}")

    (root,), definitions = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    walk(root, kind.__name__)
    assert unlimited == []


def test_each_link_takes_its_own_messages_only():
    presence = encode(Presence(credit=1, running=0))
    assert frames.from_worker(presence) == Presence(credit=1, running=0)
    for other in (frames.to_worker, frames.from_asker, frames.to_asker):
        with pytest.raises(MessageInvalid):
            other(presence)


def test_the_largest_messages_fit_through_every_link():
    lease = example(Lease)
    largest = msgspec.structs.replace(lease, body=bytes(MAX_BODY_BYTES))
    assert len(encode(largest)) < MAX_FRAME_BYTES
    chunk = msgspec.structs.replace(example(AnswerChunk), data=bytes(MAX_CHUNK_BYTES))
    assert len(encode(chunk)) < 64 * 1024, "the limit of a WebSocket frame in the usual libraries"


def test_a_message_that_is_too_long_is_not_even_read():
    with pytest.raises(MessageTooLarge) as caught:
        frames.from_worker(b"[" * (MAX_FRAME_BYTES + 1))
    assert caught.value.limit_bytes == MAX_FRAME_BYTES


def test_a_later_version_is_told_apart_from_nonsense():
    fields = {**json.loads(encode(example(NodeCard))), "version": 2, "new_field": True}
    with pytest.raises(ProtocolTooNew) as caught:
        decode(json.dumps(fields).encode(), NodeCard)
    assert caught.value.version == 2


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b'"hello"',
        b"{}",
        b'{"type": "nonsense"}',
        b'{"type": 1}',
        b'{"type": "bye"}',
        b'{"type": "bye", "reason": "sleep", "retry_seconds": -1}',
        b'{"type": "bye", "reason": "sleep", "retry_seconds": 1e400}',
        b'{"type": "bye", "reason": "sleep\xff"}',
        b'{"type": "bye", "reason": "\\ud800"}',
        b'{"type": "bye", "reason": ' + b"[" * 100_000,
        b'{"type": "presence", "credit": true, "running": 0}',
        b'{"type": "presence", "credit": "1", "running": 0}',
        b'{"type": "presence", "credit": 1.5, "running": 0}',
        b'{"type": "presence", "credit": 9999999999999999999999999, "running": 0}',
    ],
)
def test_nonsense_is_refused_by_name(data):
    with pytest.raises(MessageInvalid):
        frames.from_worker(data)


@pytest.mark.parametrize("name", ["a\n", "\u202eevil", "tab\there", "x" * 65, "\x7f", "\u2066"])
def test_a_name_cannot_disturb_the_text_around_it(name):
    fields = {**json.loads(encode(example(NodeCard))), "name": name}
    with pytest.raises(MessageInvalid):
        decode(json.dumps(fields).encode(), NodeCard)


@pytest.mark.parametrize("name", ["لپ‌تاپ سارا", "Sara’s laptop", "日本", "👩‍💻"])
def test_a_name_may_be_in_any_language(name):
    fields = {**json.loads(encode(example(NodeCard))), "name": name}
    assert decode(json.dumps(fields).encode(), NodeCard).name == name


@pytest.mark.parametrize("tag", ["fa\n", "FA", "f", "farsi", ""])
def test_a_pattern_covers_the_whole_value(tag):
    fields = {**json.loads(encode(example(NodeCard))), "languages": [tag]}
    with pytest.raises(MessageInvalid):
        decode(json.dumps(fields).encode(), NodeCard)


def test_damaged_messages_are_read_or_refused_but_never_crash():
    chance = random.Random(9180)
    originals = [encode(example(kind)) for kind in messages()]
    for original in originals:
        for _ in range(150):
            data = bytearray(original)
            for _ in range(chance.randint(1, 4)):
                match chance.randrange(4):
                    case 0:
                        data[chance.randrange(len(data))] = chance.randrange(256)
                    case 1:
                        del data[chance.randrange(len(data)) :]
                    case 2:
                        at = chance.randrange(len(data))
                        data[at:at] = chance.choice([b"{", b"[", b'"', b"\\u0000", b"-", b"1e9", b"\xf0\x9f"])
                    case _:
                        data = data + chance.choice(originals)[: chance.randrange(60)]
                data = data or bytearray(b"0")
            for read in LINKS:
                assert _outcome(read, bytes(data)) in ("message", "refused")


def _outcome(read, data):
    try:
        message = read(data)
    except MessageError as error:
        return "refused" if len(error.details) <= 200 else "quotes too much"
    return "message" if isinstance(message, Message) else "something else"


def test_an_answer_part_is_one_of_the_known_ones():
    with pytest.raises(MessageInvalid):
        decode(encode(Bye(reason="quit")), AnswerPart)


def test_kinds_of_problems_have_different_names_and_honest_statuses():
    assert len({kind.type for kind in KINDS}) == len(KINDS)
    assert all(400 <= kind.status <= 599 for kind in KINDS)
    problem = QUEUE_FULL.problem(retry_seconds=7, position=40)
    assert decode(encode(problem), Problem) == problem


def test_a_problem_of_a_later_version_is_understood():
    later = b'{"type": "urn:dai:problem:quota", "status": 429, "title": "Slowly", "trace": "abc"}'
    assert decode(later, Problem).status == 429
