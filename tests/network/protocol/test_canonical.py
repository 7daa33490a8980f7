"""What is signed has one spelling: that of RFC 8785."""

from __future__ import annotations

import json

import msgspec
import pytest

from network.errors import MessageInvalid
from network.protocol.cards import NodeCard
from network.protocol.content import Turn
from network.protocol.fields import MAX_SAFE_INTEGER
from network.protocol.message import canonical, decode_canonical
from network.protocol.schema import STATEMENTS
from tests.network.protocol.examples import example

KINDS = pytest.mark.parametrize("kind", STATEMENTS, ids=lambda kind: kind.__name__)


def jcs(value) -> bytes:
    """RFC 8785 for what our statements hold, written independently: sorted keys, its own escapes."""
    match value:
        case dict():
            pairs = sorted(value.items(), key=lambda pair: pair[0].encode("utf-16-be"))
            return b"{" + b",".join(jcs(key) + b":" + jcs(item) for key, item in pairs) + b"}"
        case list():
            return b"[" + b",".join(map(jcs, value)) + b"]"
        case str():
            short = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
            escaped = (short.get(ord(c)) or (f"\\u{ord(c):04x}" if ord(c) < 0x20 else c) for c in value)
            return ('"' + "".join(escaped) + '"').encode()
        case True | False | None:
            return {True: b"true", False: b"false", None: b"null"}[value]
        case int():
            return str(value).encode()
    raise AssertionError(type(value))


@KINDS
def test_the_canonical_form_is_the_one_of_the_rfc(kind):
    data = canonical(example(kind))
    assert data == jcs(json.loads(data))


@KINDS
def test_another_spelling_of_a_statement_is_refused(kind):
    data = canonical(example(kind))
    fields = json.loads(data)
    spellings = [
        json.dumps(fields).encode(),
        json.dumps(dict(reversed(fields.items())), separators=(",", ":")).encode(),
        data + b" ",
        data.replace(b'"version":1', b'"version":1,"version":1'),
        data.replace(b'"version":1', b'"version":1.0'),
        data.replace(b',"version":1', b"").replace(b'"version":1,', b""),
        data.replace(b"version", b"\\u0076ersion"),
    ]
    for spelling in spellings:
        assert spelling != data
        with pytest.raises(MessageInvalid):
            decode_canonical(spelling, kind)
    assert decode_canonical(data, kind) == example(kind)


def test_base64_has_one_spelling_too():
    data = canonical(example(NodeCard))
    loose = data.replace(b'AAAA="', b'AAAB="', 1)  # the last bits of the group carry nothing
    assert loose != data
    with pytest.raises(MessageInvalid):
        decode_canonical(loose, NodeCard)


def test_texts_are_escaped_as_the_rfc_says():
    text = "".join(map(chr, range(0x80))) + "\u00f6\u0646\u200c\u2028\U0001f600\ufb33"
    data = canonical(Turn(role="user", text=text))
    assert data == jcs(json.loads(data))


def test_numbers_stay_where_all_languages_agree():
    fields = {name: field for kind in STATEMENTS for name, field in _fields(kind)}
    assert float not in {field.type for field in fields.values()}
    card = msgspec.structs.replace(example(NodeCard), sequence=MAX_SAFE_INTEGER)
    data = canonical(card)
    assert decode_canonical(data, NodeCard) == card
    with pytest.raises(MessageInvalid):
        decode_canonical(data.replace(b"9007199254740991", b"9007199254740992"), NodeCard)


def _fields(kind):
    return [(f"{kind.__name__}.{field.name}", field) for field in msgspec.structs.fields(kind)]
