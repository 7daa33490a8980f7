"""What files of Word, PowerPoint and Excel have in common: an archive of parts that refer to each other."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

from rag.documents.archive import Archive
from rag.documents.xml_events import Event, Kind, xml_events
from rag.errors import DocumentDamaged, UnsafeDocument

_MOST_RELATIONS = 50_000
_CORE_PROPERTIES = "core-properties"
_TITLE_CHARACTERS = 300


class Relation(NamedTuple):
    """A part's reference to another part."""

    id: str
    kind: str
    """Last word of the relation's type, such as "slide" or "footnotes"."""
    part: str


class OfficePackage(Archive):
    """An Office file that is open. Its errors are those of `Archive` and `xml_events`."""

    def main_part(self) -> str:
        """The part that holds the document itself, or tells where it is.

        Raises:
            DocumentDamaged: The file names none.
        """
        for relation in self.relations(""):
            if relation.kind == "officeDocument" and relation.part in self:
                return relation.part
        raise DocumentDamaged(self.name, "no main part")

    def relations(self, part: str) -> list[Relation]:
        """What a part refers to inside the file; the file itself is the part ""."""
        folder, base = posixpath.split(part)
        listing = posixpath.join(folder, "_rels", f"{base}.rels")
        found: list[Relation] = []
        if listing not in self:
            return found
        for event in self.events(listing):
            if event.kind is not Kind.START or event.tag != "Relationship":
                continue
            if event.attributes.get("TargetMode") == "External":
                continue  # an address on the web, a picture elsewhere: never followed
            kind = event.attributes.get("Type", "").rpartition("/")[2]
            target = unquote(event.attributes.get("Target", "")).partition("#")[0]
            inside = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            found.append(Relation(event.attributes.get("Id", ""), kind, inside))
            if len(found) > _MOST_RELATIONS:
                raise UnsafeDocument(self.name, "relations without end")
        return found

    def events(self, part: str) -> Iterator[Event]:
        """The XML of a part."""
        return xml_events(self.blocks(part), self.name)

    def title(self) -> str:
        """What the author wrote into the file's properties; "" if nothing."""
        for relation in self.relations(""):
            if relation.kind == _CORE_PROPERTIES and relation.part in self:
                texts = (
                    event.text for event in self.events(relation.part) if event[:2] == (Kind.TEXT, "title")
                )
                return "".join(texts)[:_TITLE_CHARACTERS].strip()
        return ""
