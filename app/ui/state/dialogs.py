"""Which dialog is open: at most one, described as a value."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import flet as ft

from app.core.messages import Citation
from app.core.network.departure import Departure
from app.core.network.groups import Group, GroupKind
from app.core.set_aside import SetAside
from rag.model import Document


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Asks before something is done that cannot be undone."""

    title: str
    text: str
    action: str
    on_confirm: Callable[[], Awaitable[None]]
    destructive: bool = True
    address: str = ""
    """Of a page to read before."""


@dataclass(frozen=True, slots=True)
class NamePrompt:
    """Asks for a name; `on_save` returns what is wrong with it, or None."""

    title: str
    label: str
    action: str
    on_save: Callable[[str], Awaitable[str | None]]
    value: str = ""


@dataclass(frozen=True, slots=True)
class PagePrompt:
    """Asks for the address of a page of the web."""


@dataclass(frozen=True, slots=True)
class PassageView:
    """Shows the passage an answer rests on."""

    citation: Citation
    givers: str = ""
    """Names of the devices whose document it is from; empty: this one's."""


@dataclass(frozen=True, slots=True)
class SourceChoice:
    """Lets choose the collections that the open conversation asks."""


@dataclass(frozen=True, slots=True)
class LevelChoice:
    """Lets choose how far the open conversation's questions may travel."""


@dataclass(frozen=True, slots=True)
class Consent:
    """The user agrees."""

    departure: Departure
    """Exactly this may leave."""
    remember: bool = False
    """Do not ask again in this conversation."""


@dataclass(frozen=True, slots=True)
class DeparturePreview:
    """Shows what is about to leave this device."""

    departure: Departure
    decide: Callable[[Consent | None], None]
    """Takes the user's word; None: no."""


@dataclass(frozen=True, slots=True)
class MoveDocument:
    """Lets choose the collection that a document goes to."""

    document: Document


@dataclass(frozen=True, slots=True)
class CollectionSharing:
    """Lets choose whose questions a collection answers."""

    collection_id: int


@dataclass(frozen=True, slots=True)
class CollectionLook:
    """Lets choose the colour of a collection."""

    collection_id: int


@dataclass(frozen=True, slots=True)
class TokenEntry:
    """Takes, tests and removes the hub's access token."""

    on_saved: Callable[[], Awaitable[None]] | None = None
    """Goes on with what a token was missing for."""


@dataclass(frozen=True, slots=True)
class ConversationOptions:
    """Lets set how the answers of the open conversation are written."""


@dataclass(frozen=True, slots=True)
class RouterEntry:
    """Connects to a router."""

    address: str = ""
    """What stands in the field at first."""


@dataclass(frozen=True, slots=True)
class GroupStart:
    """Makes a group, or joins one with a code."""

    kind: GroupKind


@dataclass(frozen=True, slots=True)
class GroupCode:
    """Shows what another device needs to join."""

    group: Group


@dataclass(frozen=True, slots=True)
class OwnCode:
    """Shows what others need to verify this device."""


@dataclass(frozen=True, slots=True)
class DeviceView:
    """Shows a device, and lets verify and block it."""

    node: str


@dataclass(frozen=True, slots=True)
class CodeEntry:
    """Takes the code of another device, to verify it."""


@dataclass(frozen=True, slots=True)
class SetAsideNotice:
    """Tells which files of the app were damaged."""

    found: tuple[SetAside, ...]


Dialog = (
    Confirmation
    | NamePrompt
    | PagePrompt
    | PassageView
    | SourceChoice
    | LevelChoice
    | DeparturePreview
    | MoveDocument
    | CollectionSharing
    | CollectionLook
    | TokenEntry
    | ConversationOptions
    | RouterEntry
    | GroupStart
    | GroupCode
    | OwnCode
    | DeviceView
    | CodeEntry
    | SetAsideNotice
)


@ft.observable
@dataclass
class DialogState:
    """The open dialog."""

    current: Dialog | None = None

    def show(self, dialog: Dialog) -> None:
        """Open a dialog in the place of the one before."""
        self.current = dialog

    def close(self) -> None:
        """Close the open dialog."""
        self.current = None
