"""Every setting of the app, and the file they are kept in."""

from __future__ import annotations

import locale
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from app.core.asking_wishes import Joining
from app.core.json_file import decoded_object, encoded, usable_fields
from app.core.state_file import Stamp, StateFile

log = logging.getLogger(__name__)

Language = Literal["en", "fa"]

_WEB_ADDRESS = r"^https?://[^\s/?#@\\]+(/[^\s?#@\\]*)?$"
"""Without a user's name and password: settings hold no secrets."""


def system_language() -> Language:
    """Persian where the system speaks it, else English."""
    spoken = os.environ.get("LC_ALL") or os.environ.get("LANG") or locale.getlocale()[0] or ""
    return "fa" if spoken.lower().startswith(("fa", "persian")) else "en"


class ServerSetting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model on a server."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    url: Annotated[str, msgspec.Meta(pattern=_WEB_ADDRESS)]
    model: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the user can choose. Each setting's meaning stands beneath it."""

    language: Language = msgspec.field(default_factory=system_language)
    """Language of the app: English or Persian. At first, the system's."""
    theme: Literal["system", "light", "dark"] = "system"
    """Light, dark, or as the system has it."""
    text_scale: Annotated[float, msgspec.Meta(ge=0.85, le=1.6)] = 1.0
    """Size of the text; 1.0 is the normal size."""
    persian_digits: bool = True
    """Show numbers with Persian digits where the language is Persian."""
    model_id: str | None = None
    """The model that answers; none yet means the first installed one."""
    context_tokens: Annotated[int, msgspec.Meta(ge=512, le=131072)] = 4096
    """Context window: how many tokens of conversation and sources the model sees. Costs memory."""
    unload_after_minutes: Annotated[int, msgspec.Meta(ge=0, le=1440)] = 10
    """An idle model is unloaded after so many minutes; the next question loads it again. 0: never."""
    max_answer_tokens: Annotated[int, msgspec.Meta(ge=16, le=32768)] = 1024
    """An answer is cut off after this many tokens; Continue goes on."""
    thinking: bool = False
    """Let models that can think do so before they answer. Better answers, later."""
    system_prompt: Annotated[str, msgspec.Meta(max_length=8000)] = ""
    """Instructions put before every conversation."""
    embedder: str = "auto"
    """What turns documents into vectors: "auto" or the name of an installed embedder."""
    reranker: str | None = None
    """Folder of a cross-encoder (sentence-transformers) that puts the passages found into a better order.
    Slower; none means the order of the search."""
    passages: Annotated[int, msgspec.Meta(ge=1, le=20)] = 6
    """How many passages of your documents go into a question, at most."""
    servers: tuple[ServerSetting, ...] = ()
    """Models of servers that you have added. Nothing is sent to one unless you choose it to answer."""
    models_folder: str | None = None
    """Where the models lie; none means the app's own data folder. `dai models move` changes it."""
    hidden_models: tuple[str, ...] = ()
    """Files of other programs on this device that you do not want to be offered as models."""
    hub_endpoint: Annotated[str, msgspec.Meta(pattern=_WEB_ADDRESS)] = "https://huggingface.co"
    """Where models are searched and downloaded: the Hugging Face hub, or a mirror of it."""
    proxy: Annotated[str, msgspec.Meta(pattern=_WEB_ADDRESS)] | None = None
    """Address of a proxy for downloads and for servers outside of this network; none takes what the system's
    environment says (HTTPS_PROXY)."""
    offline: bool = False
    """Nothing leaves this device: no downloads, no pages, no other devices. Servers on this very device stay
    allowed."""
    network_answers: Annotated[int, msgspec.Meta(ge=1, le=5)] = 3
    """How many devices of your circle or of the public answer a question, to be compared. More are slower and
    surer; of your own devices one answers."""
    network_joining: Joining = "compare"
    """What becomes of several answers: the one that most agree with is shown (compare); or the first that is
    whole, which spares batteries (first); or this device's own model puts them together (fuse)."""
    network_patience_seconds: Annotated[int, msgspec.Meta(ge=5, le=600)] = 45
    """How long other devices may take for their first words, before this one answers itself."""
    licences_accepted: tuple[str, ...] = ()
    """Addresses of the licences that you have accepted."""


FIELDS: dict[str, Any] = {field.name: field for field in msgspec.structs.fields(Settings)}


class SettingsStore:
    """The settings of this device, kept in one JSON file; of a damaged one all that can be used is used."""

    def __init__(self, path: Path) -> None:
        self._file = StateFile(path, _decoded, mend=_mended, encode=encoded)
        self._lock = threading.Lock()
        self._listeners: list[Callable[[Settings], None]] = []
        self._seen: Stamp | None = None
        self._current = self._read() or Settings()
        self._seen = self._state()

    @property
    def current(self) -> Settings:
        """The settings as this process knows them."""
        return self._current

    def refresh(self) -> Settings:
        """Take over what another process has changed; costs a look at the file's date."""
        if self._state() == self._seen:
            return self._current
        before = self._current
        with self._lock:
            self._take_over()
        if self._current != before:
            self._tell()
        return self._current

    def change(self, **values: object) -> Settings:
        """Set some settings and keep them.

        Raises:
            msgspec.ValidationError: a value is out of range or of the wrong type.
            TypeError: there is no such setting.
        """
        unknown = values.keys() - FIELDS.keys()
        if unknown:
            raise TypeError(f"no such setting: {', '.join(sorted(unknown))}")
        with self._lock:
            self._take_over()
            merged = msgspec.structs.asdict(self._current) | values
            changed = msgspec.convert(msgspec.to_builtins(merged), Settings)
            self._file.write(encoded(changed))
            self._current, self._seen = changed, self._state()
        self._tell()
        return self._current

    def subscribe(self, listener: Callable[[Settings], None]) -> Callable[[], None]:
        """Call `listener` after every change; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _take_over(self) -> None:
        """Read the file if it has changed; one that is gone leaves all as it is."""
        state = self._state()
        if state is not None and state != self._seen:
            self._current = self._read() or self._current
            state = self._state()
        self._seen = state

    def _read(self) -> Settings | None:
        try:
            return self._file.read()
        except OSError as error:  # a command that only asks for a language must not end
            log.warning("the settings cannot be read: %s", type(error).__name__)
            return None

    def _state(self) -> Stamp | None:
        try:
            return self._file.stamp()
        except OSError:
            return None

    def _tell(self) -> None:
        for listener in list(self._listeners):
            listener(self._current)


def _decoded(data: bytes) -> Settings:
    return msgspec.json.decode(data, type=Settings)


def _mended(damaged: bytes, good: Settings | None) -> Settings:
    """What can be used of a damaged file, else of its copy.

    Where neither says whether anything may leave this device, nothing may until the user says so again.
    """
    kept = usable_fields(decoded_object(damaged), Settings)
    before = msgspec.structs.asdict(good) if good is not None else {"offline": True}
    return Settings(**before | kept)
