"""XML as a stream of events: nothing is kept, nothing is fetched, no entity is ever unfolded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import NamedTuple
from xml.parsers import expat

from rag.errors import DocumentDamaged, UnsafeDocument

_DEEPEST = 2_000
"""Elements inside each other; Word nests some thirty."""


class Kind(Enum):
    """What an event tells."""

    START = 1
    END = 2
    TEXT = 3


class Event(NamedTuple):
    """The start or the end of an element, or text between them."""

    kind: Kind
    tag: str
    """Local name of the element; of a text, of the element around it."""
    text: str
    attributes: Mapping[str, str]
    """By local name, but `r:id` and its like as "r:id": they would hide an own "id". Only at a start."""


_NO_ATTRIBUTES: Mapping[str, str] = {}
_RELATIONSHIPS = re.compile(r".*/officeDocument/(?:2006/)?relationships")


def xml_events(blocks: Iterable[bytes], name: str) -> Iterator[Event]:
    """Parse blocks of bytes as they come. A text may come in several events.

    Namespaces are not told: the transitional and the strict form of Office files differ in nothing else.

    Raises:
        DocumentDamaged: It is no well-formed XML; what came before is given first.
        UnsafeDocument: It declares entities, or nests without end.
    """
    events: list[Event] = []
    open_tags: list[str] = []
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True

    def start(tag: str, attributes: dict[str, str]) -> None:
        local = tag.rpartition(" ")[2]
        open_tags.append(local)
        if len(open_tags) > _DEEPEST:
            raise UnsafeDocument(name, "elements nested without end")
        events.append(Event(Kind.START, local, "", _local(attributes) if attributes else _NO_ATTRIBUTES))

    def end(tag: str) -> None:
        events.append(Event(Kind.END, open_tags.pop(), "", _NO_ATTRIBUTES))

    def text(characters: str) -> None:
        events.append(Event(Kind.TEXT, open_tags[-1], characters, _NO_ATTRIBUTES))

    def entity(*_: object) -> None:
        raise UnsafeDocument(name, "an entity is declared")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.EntityDeclHandler = entity
    parser.UnparsedEntityDeclHandler = entity
    try:
        for block in blocks:
            parser.Parse(block, False)  # noqa: FBT003 - expat's own signature
            yield from events
            events.clear()
        parser.Parse(b"", True)  # noqa: FBT003
        yield from events
    except expat.ExpatError as error:
        yield from events
        raise DocumentDamaged(name, expat.ErrorString(error.code)) from error


def _local(attributes: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in attributes.items():
        space, _, local = key.rpartition(" ")
        found[f"r:{local}" if _RELATIONSHIPS.fullmatch(space) else local] = value
    return found
