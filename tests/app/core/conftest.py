"""The answering use case on real parts: scripted tiny models, real stores, the real knowledge base."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from app.core.answering import Answering
from app.core.conversations import Conversations
from app.core.events import Event, Failed, Finished, Started, Stopped, Token
from app.core.instance import WritersLock
from app.core.messages import ChatMessage
from app.core.models import Models
from app.core.settings import SettingsStore
from engines.library import ModelLibrary, starter
from engines.opening import open_engine
from engines.protocol import Delta, Engine, LoadOptions, Prompt
from rag.embedder import Embedder
from rag.knowledge import KnowledgeBase
from tests.app.ui.word_embedder import WordEmbedder
from tests.engines.tiny_gguf import make_tiny_gguf


@dataclass
class Answered:
    """All events of one answer."""

    events: list[Event] = field(default_factory=list)

    @property
    def started(self) -> Started:
        first = self.events[0]
        assert isinstance(first, Started)
        return first

    @property
    def answer(self) -> ChatMessage:
        last = self.events[-1]
        assert isinstance(last, Finished | Stopped | Failed)
        return last.answer

    @property
    def error(self) -> Exception:
        last = self.events[-1]
        assert isinstance(last, Failed)
        return last.error

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, Token))

    @property
    def kinds(self) -> list[type[Event]]:
        """The kinds of events, runs of the same kind as one."""
        kinds = [type(event) for event in self.events]
        return [kind for number, kind in enumerate(kinds) if number == 0 or kinds[number - 1] is not kind]


class Overheard:
    """A real engine whose prompts are written down, and which can be made to break."""

    def __init__(self, engine: Engine, prompts: list[Prompt], breaks_with: Exception | None) -> None:
        self.real = engine
        self.asked = asyncio.Event()
        """Set when a prompt is on its way into the engine."""
        self._prompts = prompts
        self._breaks_with = breaks_with

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        self._prompts.append(prompt)
        self.asked.set()
        async with aclosing(self.real.stream(prompt)) as deltas:
            async for delta in deltas:
                yield delta
                if self._breaks_with is not None:
                    raise self._breaks_with


class Desk:
    """One process that answers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.embedder: Embedder = WordEmbedder()
        self.engine: Overheard | None = None
        """The last engine that was opened."""
        self.prompts: list[Prompt] = []
        """All prompts that reached an engine."""
        self.breaks_with: Exception | None = None
        """What engines raise after their first words, from the next loading on."""
        self.times_loaded = 0
        self.may_load = asyncio.Event()
        """Models are loaded only while it is set."""
        self.may_load.set()
        self.settings = SettingsStore(folder / "settings.json")
        self.conversations = Conversations(folder / "conversations.db")
        self.knowledge = KnowledgeBase(folder / "knowledge.db", lambda: self.embedder)
        self.models = Models(ModelLibrary(folder / "models"), self.settings, self._open)
        self.writers = WritersLock(folder / "writers.lock")
        self.answering = Answering(
            self.conversations,
            self.knowledge,
            self.models,
            self.settings,
            self.writers,
        )

    async def _open(self, path: Path, options: LoadOptions) -> Overheard:
        await self.may_load.wait()
        self.times_loaded += 1
        self.engine = Overheard(
            await open_engine(path, replace(options, prompt_threads=1)), self.prompts, self.breaks_with
        )
        return self.engine

    async def close(self) -> None:
        await self.models.unload()
        self.knowledge.close()
        self.conversations.close()

    def install(self, reply: str = "The sky is blue.", name: str = "scripted", **properties: Any) -> None:
        """Install a model that says this, and let it answer."""
        path = self.folder / "models" / f"{name}.gguf"
        make_tiny_gguf(path, reply=reply, name=name, **properties)
        installed = {model.path.stem: model.id for model in self.models.installed()}
        self.settings.change(model_id=installed[name])

    def add_document(self, text: str, name: str = "guide.txt") -> tuple[int, int]:
        """Index a document; returns the ids of its collection and its own."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        collection = self.knowledge.create_collection(name)
        self.knowledge.start()
        document = self.knowledge.add(collection.id, path)
        assert self.knowledge.wait_until_idle(60)
        return collection.id, document.id

    def new(self, collection_ids: Sequence[int] = ()) -> int:
        """A new conversation."""
        return self.conversations.create(collection_ids).id

    def last(self, conversation_id: int) -> ChatMessage:
        """The last message as stored."""
        return self.conversations.messages(conversation_id)[-1]


async def collect(
    events: Any, *, after: Callable[[Event], object] = lambda _: None, into: Answered | None = None
) -> Answered:
    """All events of an answer; `after` is called after each."""
    answered = into or Answered()
    async with aclosing(events):
        async for event in events:
            answered.events.append(event)
            after(event)
    return answered


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder; engines run in a thread, which is what phones have and starts at once."""
    monkeypatch.setattr(starter, "STARTER_PACKAGE", "no_starter_package")
    monkeypatch.setenv("DAI_ENGINE_HOST", "thread")
    (tmp_path / "models").mkdir()
    return tmp_path


@pytest.fixture
async def desk(folder: Path) -> AsyncIterator[Desk]:
    opened = Desk(folder)
    yield opened
    await opened.close()
