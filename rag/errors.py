"""Everything that can go wrong in the knowledge base.

KnowledgeError
├── DocumentError              one file cannot be indexed; carries `name`, the others go on
│   ├── DocumentMissing        moved or deleted before it was read
│   ├── UnsupportedFormat      a kind of file no reader exists for
│   ├── EmptyDocument          0 bytes, or nothing but white space
│   ├── EncryptedDocument      asks for a password
│   ├── ScannedDocument        pictures without text, and nothing here that reads pictures
│   ├── RecognitionGaveUp      no page of it can be read by text recognition
│   ├── DocumentDamaged        not readable as what its name says
│   ├── OldOfficeFormat        a .doc, .xls or .ppt, as Office wrote until 2003
│   ├── UnsafeDocument         built to fill up or mislead the device that reads it
│   ├── DocumentTooLarge       carries `bytes`, `limit_bytes`
│   ├── DocumentUnreadable     the system refuses to open it (permissions, a folder)
│   └── WebPageError           a page of the web cannot be had; `name` is its host
│       ├── WebAddressInvalid  what was typed is no address of a page
│       ├── WebPageUnreachable nothing answers there, or not in time, or not now
│       ├── WebPageUntrusted   its certificate is not valid, or the way there is open
│       ├── WebPageRefused     the host does not give it to this device
│       ├── WebPageMissing     there is no such page (any more)
│       ├── WebPageMoved       it is on another host, which nobody was asked about; carries `address`
│       └── WebPagePrivate     it leads into a private network
├── DocumentDeleted            there is no such document in the knowledge base any more
├── DocumentThereAlready       the other collection has the same document; carries `name`, `collection`
├── CollectionMissing
├── CollectionExists           carries `name`
├── CollectionNameEmpty
├── CollectionFileError        a file with a collection cannot be imported; carries `path`
│   ├── CollectionFileDamaged  no such file at all, or cut off, or changed
│   ├── CollectionFileUnsafe   built to fill up or mislead the device that reads it
│   └── CollectionFileTooNew   a newer version of the app has written it
├── WatchedFolderError         a folder cannot be followed now; its documents stay; carries `path`
│   ├── WatchedFolderMissing   it is not there, or cannot be looked into
│   ├── WatchedFolderEmpty     all its files are gone at once, as when a disk is not connected
│   └── WatchedFolderTooLarge  it has more files than are followed
├── PassageMissing             deleted since it was cited
├── QuestionSetInvalid         questions for an evaluation that cannot be read; carries `path`
├── VectorSearchUnavailable    a vector index was asked for that this device cannot load
├── DatabaseDamaged            the file is corrupt; carries `path`
└── DatabaseTooNew             a newer version of the app has written it; carries `path`
"""

from __future__ import annotations

from pathlib import Path


class KnowledgeError(Exception):
    """Base of all knowledge base errors. `details` is for diagnostics, never for users."""

    def __init__(self, details: str = "") -> None:
        super().__init__(details)
        self.details = details


class DocumentError(KnowledgeError):
    """One file cannot be indexed."""

    def __init__(self, name: str, details: str = "") -> None:
        super().__init__(details)
        self.name = name


class DocumentMissing(DocumentError):
    """The file was moved or deleted before it was read."""


class UnsupportedFormat(DocumentError):
    """No reader exists for this kind of file."""


class EmptyDocument(DocumentError):
    """The file holds no text at all."""


class EncryptedDocument(DocumentError):
    """The file asks for a password."""


class ScannedDocument(DocumentError):
    """It is a picture, or its pages are, and this device has nothing that reads pictures."""


class RecognitionGaveUp(DocumentError):
    """Text recognition cannot read a single page: broken pictures, or they take too long."""


class DocumentDamaged(DocumentError):
    """The file is not readable as what its name says."""


class OldOfficeFormat(DocumentError):
    """Written in the format that Office used until 2003; Word, Excel or PowerPoint can save it anew."""


class UnsafeDocument(DocumentError):
    """It unfolds, nests or refers without end: nobody wrote it to be read."""


class DocumentTooLarge(DocumentError):
    """The file is larger than this device should index."""

    def __init__(self, name: str, bytes: int, limit_bytes: int) -> None:
        super().__init__(name, f"{bytes} bytes, the limit is {limit_bytes}")
        self.bytes = bytes
        self.limit_bytes = limit_bytes


class DocumentUnreadable(DocumentError):
    """The system refuses to open the file."""


class WebPageError(DocumentError):
    """A page of the web cannot be had. `name` is the host that was asked."""


class WebAddressInvalid(WebPageError):
    """What was typed is no address of a page. `name` is what was typed."""


class WebPageUnreachable(WebPageError):
    """Nothing answers there, or not in time, or not now."""


class WebPageUntrusted(WebPageError):
    """The host's certificate is not valid, or it leads from an encrypted connection to an open one."""


class WebPageRefused(WebPageError):
    """The host does not give the page to this device: it wants an account, or people who look at pictures."""


class WebPageMissing(WebPageError):
    """The host has no such page (any more)."""


class WebPageMoved(WebPageError):
    """The page is on another host, and nobody has agreed to ask that one."""

    def __init__(self, name: str, address: str) -> None:
        super().__init__(name, "a redirect to another host")
        self.address = address


class WebPagePrivate(WebPageError):
    """A public name leads into a private network, or a page of the internet does."""


class DocumentDeleted(KnowledgeError):
    """The document was deleted from the knowledge base."""


class DocumentThereAlready(KnowledgeError):
    """The collection that a document should go to has one with the same content."""

    def __init__(self, name: str, collection: str) -> None:
        super().__init__()
        self.name = name
        self.collection = collection


class CollectionMissing(KnowledgeError):
    """There is no such collection any more."""


class CollectionExists(KnowledgeError):
    """The name is taken."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


class CollectionNameEmpty(KnowledgeError):
    """A collection needs a name."""


class CollectionFileError(KnowledgeError):
    """A file with a collection cannot be imported; nothing was taken from it."""

    def __init__(self, path: Path, details: str = "") -> None:
        super().__init__(details)
        self.path = path


class CollectionFileDamaged(CollectionFileError):
    """It is no collection file, or was cut off or changed."""


class CollectionFileUnsafe(CollectionFileError):
    """It unfolds without end, or holds what does not belong there: nobody exported it to be read."""


class CollectionFileTooNew(CollectionFileError):
    """A newer version of the app has written it."""


class WatchedFolderError(KnowledgeError):
    """A watched folder cannot be followed now; its documents stay as they are."""

    def __init__(self, path: Path, details: str = "") -> None:
        super().__init__(details)
        self.path = path


class WatchedFolderMissing(WatchedFolderError):
    """It is not there, or cannot be looked into."""


class WatchedFolderEmpty(WatchedFolderError):
    """All its files are gone at once, as when a disk is not connected."""


class WatchedFolderTooLarge(WatchedFolderError):
    """It has more files than are followed."""


class PassageMissing(KnowledgeError):
    """The passage was deleted since it was cited."""


class QuestionSetInvalid(KnowledgeError):
    """Questions and documents for an evaluation are missing, or not in the form of BEIR."""

    def __init__(self, path: Path, details: str) -> None:
        super().__init__(details)
        self.path = path


class VectorSearchUnavailable(KnowledgeError):
    """The vector index that was asked for cannot be loaded on this device."""


class DatabaseDamaged(KnowledgeError):
    """The file is corrupt, or not a database at all."""

    def __init__(self, path: Path, details: str = "") -> None:
        super().__init__(details)
        self.path = path


class DatabaseTooNew(KnowledgeError):
    """A newer version of the app has written the file; this one would damage it."""

    def __init__(self, path: Path, version: int, supported: int) -> None:
        super().__init__(f"schema {version}, this version knows {supported}")
        self.path = path
