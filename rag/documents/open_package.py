"""What OpenDocument files have in common: the archive, the title, and what nobody is to see."""

from __future__ import annotations

from collections.abc import Iterator

from rag.documents.archive import Archive
from rag.documents.xml_events import Event, Kind, xml_events
from rag.errors import DocumentDamaged, EncryptedDocument, UnsafeDocument

_CONTENT, _META, _MANIFEST = "content.xml", "meta.xml", "META-INF/manifest.xml"
_TITLE_CHARACTERS = 300
_MOST_STYLES = 200_000
_SKIPPED = frozenset(
    {
        "annotation",  # comments of readers
        "tracked-changes",  # what was deleted under review
        "forms",
        "scripts",
        "note-citation",
        "ruby-text",
        "title",  # what is said of pictures
        "desc",
        "shapes",  # drawings over a sheet
        "named-expressions",
    }
)
_HIDING = {"text-properties": "none", "table-properties": "false"}
"""What a style says of text, or of a sheet, that is not shown: the value of "display"."""


def count(text: str) -> int:
    """A number that an attribute holds; 1 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 1


class OpenPackage(Archive):
    """An OpenDocument file that is open. Its errors are those of `Archive` and `xml_events`."""

    def title(self) -> str:
        """What the author wrote into the file's properties; "" if nothing."""
        if _META not in self:
            return ""
        texts = (it.text for it in self._events(_META) if it[:2] == (Kind.TEXT, "title"))
        return "".join(texts)[:_TITLE_CHARACTERS].strip()

    def require_open(self) -> None:
        """Refuse what cannot be read.

        Raises:
            EncryptedDocument: it asks for a password.
            DocumentDamaged: it has no content.
        """
        if _MANIFEST in self:
            for event in self._events(_MANIFEST):
                if event.kind is Kind.START and event.tag == "encryption-data":
                    raise EncryptedDocument(self.name, "an encrypted part")
        if _CONTENT not in self:
            raise DocumentDamaged(self.name, "no content")

    def content_events(self) -> Iterator[Event]:
        """What stands in the document: without comments, deleted text, hidden text and hidden sheets."""
        hidden: set[str] = set()
        style = ""
        skipping = 0
        for event in self._events(_CONTENT):
            if event.kind is Kind.TEXT:
                if not skipping:
                    yield event
                continue
            starts = event.kind is Kind.START
            if skipping:
                skipping += 1 if starts else -1
                continue
            if starts:
                if event.tag == "style":
                    style = event.attributes.get("name", "")
                elif event.attributes.get("display") == _HIDING.get(event.tag, ""):
                    hidden.add(style)
                    if len(hidden) > _MOST_STYLES:
                        raise UnsafeDocument(self.name, "styles without end")
                if event.tag in _SKIPPED or event.attributes.get("style-name", "") in hidden:
                    skipping = 1
                    continue
            yield event

    def _events(self, part: str) -> Iterator[Event]:
        return xml_events(self.blocks(part), self.name)
