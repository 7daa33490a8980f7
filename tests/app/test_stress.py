"""Hundreds of random operations on the whole app: no acknowledged word is lost, nothing is left behind."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

import pytest

import app.services as composition
from app.core import phrases
from app.core.attachments import AttachmentDraft
from app.core.errors import (
    AlreadyAnswering,
    AttachmentsTooLong,
    ConversationMissing,
    ModelMissing,
    NoModelInstalled,
    NothingToAnswer,
)
from app.core.events import Event, Failed, Finished, Started, Stopped, Token
from app.core.messages import ChatMessage, MessageState
from app.core.paths import Paths
from app.core.settings import SettingsStore
from app.services import open_services
from engines.embedders.identity import EmbedderIdentity
from engines.errors import (
    EngineCrashed,
    EngineError,
    EngineKeepsCrashing,
    EngineNotLoaded,
    ModelFileError,
    ModelFileMissing,
    PromptTooLong,
)
from engines.library import starter
from tests.app.ui.word_embedder import WordEmbedder
from tests.engines.child_processes import children
from tests.engines.leftovers import leftovers, own_temporary_folder, settled
from tests.engines.tiny_gguf import make_tiny_gguf

SECONDS = 120.0
"""Nothing takes longer, however busy the machine is."""
SAYS = {"short": "The sky is blue.", "long": "We count on and on:", "other": "Grass grows green again"}
"""What each model answers; the long one then counts."""
COUNTED = "".join(f" {number}" for number in range(1, 151))
TOPICS = ("harbours and their boats", "mountains under snow", "bicycles without brakes")
ENDLESS = 1_000_000
HOSTS = [pytest.param("process", marks=pytest.mark.desktop("a child process")), "thread"]
UNDERSTOOD = (
    AttachmentsTooLong,
    EngineCrashed,
    EngineKeepsCrashing,
    EngineNotLoaded,
    ModelFileError,
    NoModelInstalled,
    PromptTooLong,
)
"""What an answer may fail with, as models are removed, unloaded and killed, and the window gets smaller."""


class OtherEmbedder(WordEmbedder):
    """Vectors that do not go with those of the first."""

    identity = EmbedderIdentity("other words", 128, "none")


class User:
    """Several windows' worth of random operations on one data folder."""

    def __init__(self, paths: Paths, models: Path, host: str, seed: int) -> None:
        self.ends: Counter[str] = Counter()
        """How answers ended."""
        self._paths = paths
        self._models = models
        self._host = host
        self._dice = random.Random(f"{host} {seed}")
        self._files = 0
        self._readers: dict[asyncio.Task[None], int] = {}
        """Who waits for an answer, and of which conversation."""
        self._tasks: set[asyncio.Task[Any]] = set()
        self._known: dict[int, dict[int, ChatMessage]] = {}
        """The messages of each conversation that the app has said are stored, as they were last told."""
        self._mixed: set[int] = set()
        """Answers that more than one model has written."""
        self._services = open_services(paths)
        self._collection = self._services.knowledge.create_collection("All").id
        for _ in range(3):
            self._begin()

    async def live(self, operations: int) -> None:
        try:
            for _ in range(operations):
                await self._step()
                self._check_acknowledged()
                if len(self._tasks) + len(self._readers) > 5:
                    await self._settle()
            await self._settle()
            await self._reopen()
            async with asyncio.timeout(SECONDS):
                await self._end_well()
        finally:
            async with asyncio.timeout(SECONDS):
                await self._services.close()

    async def _step(self) -> None:
        services, conversation = self._services, self._dice.choice(list(self._known))
        match self._dice.randrange(24):
            case 0 | 1 | 2 | 3:
                self._read(conversation, services.answering.ask(conversation, self._question()))
            case 4 | 5:
                services.answering.stop(conversation)
            case 6 | 7:
                self._read(conversation, services.answering.regenerate(conversation))
            case 8 | 9:
                self._read(conversation, services.answering.continue_answer(conversation))
            case 10:
                for reader, of in self._readers.items():
                    if of == conversation:
                        reader.cancel()  # the window is closed
            case 11:
                self._branch(conversation)
            case 12 if len(self._known) > 6:
                await self._delete(conversation)
            case 12 | 13:
                self._begin()
            case 14:
                self._start(self._load())
            case 15:
                self._start(services.models.unload())
            case 16:
                self._start(self._remove_or_add())
            case 17:
                self._change_options(conversation)
            case 18:
                self._start(self._ask_about_file(conversation))
            case 19:
                services.knowledge.add(self._collection, self._file(self._dice.choice((1, 30))))
            case 20:
                if documents := services.knowledge.documents(self._collection):
                    services.knowledge.delete_document(self._dice.choice(documents).id)
            case 21 if self._dice.random() < 0.3:
                services.settings.change(embedder=self._dice.choice(("auto", "other")))
            case 22 if self._host == "process":
                for child in children():
                    child.kill()
            case 23 if self._dice.random() < 0.3:
                await self._reopen()
            case _:
                pass
        for _ in range(self._dice.choice((0, 0, 1, 5, 40))):
            await asyncio.sleep(0)
        if self._readers and self._dice.random() < 0.3:
            await asyncio.wait(list(self._readers), timeout=SECONDS)

    def _begin(self) -> None:
        asks = self._dice.choice(((), (), (self._collection,)))
        self._known[self._services.conversations.create(asks).id] = {}

    def _branch(self, conversation: int) -> None:
        messages = self._services.conversations.messages(conversation)
        before = self._dice.choice([message.id for message in messages] or [0]) + self._dice.randrange(2)
        branch = self._services.conversations.branch(conversation, before)
        copies = self._services.conversations.messages(branch.id)
        copied = [message for message in messages if message.id < before]
        assert [copy.text for copy in copies] == [message.text for message in copied]
        self._known[branch.id] = {copy.id: copy for copy in copies}
        mixed = {message.id for message in copied} & self._mixed
        self._mixed |= {copy.id for copy, message in zip(copies, copied, strict=True) if message.id in mixed}

    async def _delete(self, conversation: int) -> None:
        """As the list of conversations does it."""
        del self._known[conversation]
        self._services.answering.stop(conversation)
        await asyncio.to_thread(self._services.attachments.forget, conversation)
        await asyncio.to_thread(self._services.conversations.delete, conversation)

    async def _load(self) -> None:
        models = self._services.models
        if installed := await asyncio.to_thread(models.installed):
            with suppress(ModelMissing, EngineError):  # removed or killed meanwhile
                await models.load(self._dice.choice(installed).id, anyway=True)

    async def _remove_or_add(self) -> None:
        models = self._services.models
        installed = {model.name: model for model in await asyncio.to_thread(models.installed)}
        name = self._dice.choice(list(SAYS))
        if name not in installed:
            await models.add(self._models / f"{name}.gguf")
        elif len(installed) > 1:
            with suppress(ModelFileMissing):  # removed meanwhile
                await models.remove(installed[name].id)

    def _change_options(self, conversation: int) -> None:
        settings, conversations = self._services.settings, self._services.conversations
        match self._dice.randrange(4):
            case 0:
                settings.change(context_tokens=self._dice.choice((512, 1024)))
            case 1:
                settings.change(max_answer_tokens=self._dice.choice((16, 60)))
            case 2:
                settings.change(system_prompt=self._dice.choice(("", "Be kind.")))
            case _:
                conversations.set_collections(conversation, self._dice.choice(((), (self._collection,))))

    async def _ask_about_file(self, conversation: int) -> None:
        services, draft = self._services, AttachmentDraft()
        path = self._file(self._dice.choice((1, 60)))
        await services.attachments.add(draft, path, path.name)
        if self._dice.random() < 0.2 or conversation not in self._known or services is not self._services:
            await services.attachments.discard(draft)
        else:
            self._read(conversation, services.answering.ask(conversation, self._question(), draft))

    def _question(self) -> str:
        return f"Tell me of {self._dice.choice(TOPICS)}, {self._dice.randrange(1_000_000)}"

    def _file(self, paragraphs: int) -> Path:
        self._files += 1
        path = self._models / f"{self._files}.txt"
        lines = [f"Line {n} is about {self._dice.choice(TOPICS)}." for n in range(paragraphs * 3)]
        path.write_text("\n\n".join(lines), encoding="utf-8")
        return path

    def _start(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        """What has failed stays, to be found."""
        if not task.cancelled() and task.exception() is None:
            self._tasks.discard(task)

    def _read(self, conversation: int, events: AsyncGenerator[Event, None]) -> None:
        words = self._dice.choice((1, 2, 5, ENDLESS, ENDLESS))
        reader = asyncio.create_task(self._follow(conversation, events, words))
        self._readers[reader] = conversation
        reader.add_done_callback(self._read_to_the_end)

    def _read_to_the_end(self, reader: asyncio.Task[None]) -> None:
        del self._readers[reader]
        if not reader.cancelled() and reader.exception() is not None:
            self._tasks.add(reader)  # to be found

    async def _follow(
        self, conversation: int, events: AsyncGenerator[Event, None], words: int = ENDLESS
    ) -> None:
        """Read an answer to its end; Stop is pressed after so many words."""
        last: Event | None = None
        continued: ChatMessage | None = None
        try:
            async with aclosing(events):
                async for last in events:
                    if isinstance(last, Started):
                        continued = self._begun(conversation, last)
                    elif isinstance(last, Token):
                        words -= 1
                        if words == 0:
                            self._services.answering.stop(conversation)
        except AlreadyAnswering:
            refused = list(self._readers.values()).count(conversation) > 1
        except (NothingToAnswer, ConversationMissing):
            refused = True
        else:
            refused = False
            assert last is not None
        if last is None:
            assert refused
            self.ends["refused"] += 1
            return
        assert isinstance(last, Finished | Stopped | Failed)
        if isinstance(last, Failed):
            deleted = conversation not in self._known
            assert deleted or isinstance(last.error, UNDERSTOOD), repr(last.error)
        self.ends[last.answer.error or last.answer.state] += 1
        if continued is not None and continued.model == last.answer.model:
            self._mixed.discard(continued.id)
            self.ends["continued"] += 1
        if conversation in self._known:
            self._known[conversation][last.answer.id] = last.answer

    def _begun(self, conversation: int, started: Started) -> ChatMessage | None:
        """Returns an answer that goes on, if its beginning is known to be of one model."""
        if conversation in self._known:
            self._known[conversation][started.question.id] = started.question
            self._known[conversation].pop(started.answer.id, None)  # it is going to change
        if not started.answer.text or started.answer.id in self._mixed:
            return None
        self._mixed.add(started.answer.id)  # another model may go on
        return started.answer

    def _check_acknowledged(self) -> None:
        """What the app has said is stored is."""
        for conversation, known in self._known.items():
            stored = {message.id: message for message in self._services.conversations.messages(conversation)}
            for number, message in known.items():
                assert stored[number] == message

    def _check_ended(self) -> None:
        """Nothing is being written: every answer has ended, and says what its model says."""
        assert not self._services.answering.busy
        for conversation in self._known:
            question = ""
            for message in self._services.conversations.messages(conversation):
                assert message.state is not MessageState.STREAMING
                if message.role == "user":
                    question = message.text
                elif message.id not in self._mixed:
                    assert_says_what_it_should(message, question)

    async def _settle(self) -> None:
        async with asyncio.timeout(SECONDS):
            while pending := [*self._readers, *(task for task in self._tasks if not task.done())]:
                await self._services.answering.stop_all()
                await asyncio.wait(pending, timeout=0.05)
        for task in self._tasks:
            if not task.cancelled():
                task.result()
        self._tasks.clear()
        self._check_acknowledged()
        self._check_ended()

    async def _reopen(self) -> None:
        """End the app, whatever is being written, and start it again."""
        async with asyncio.timeout(SECONDS):
            pending = [task for task in self._tasks if not task.done()]
            if pending:  # the window waits for what it has begun
                await asyncio.wait(pending)
            await asyncio.sleep(0)  # what was asked has been heard
            readers = list(self._readers)
            await self._services.close()
            if readers:
                await asyncio.wait(readers)
        for task in readers:
            if not task.cancelled():
                task.result()
        self._services = await asyncio.to_thread(open_services, self._paths)
        self._check_acknowledged()
        self._check_ended()

    async def _end_well(self) -> None:
        """After all that, a question is answered, and a document is found."""
        services, name = self._services, "short"
        installed = {model.name: model for model in services.models.installed()}
        model = installed.get(name) or await services.models.add(self._models / f"{name}.gguf")
        services.settings.change(max_answer_tokens=60)
        await services.models.load(model.id, anyway=True)
        conversation = services.conversations.create().id
        self._known[conversation] = {}
        await self._follow(conversation, services.answering.ask(conversation, "Hello"))
        answer = services.conversations.messages(conversation)[-1]
        assert (answer.text, answer.state) == (SAYS[name], MessageState.COMPLETE)

        path = self._models / "last.txt"
        path.write_text("The password of the lighthouse is swordfish.", encoding="utf-8")
        services.knowledge.add(self._collection, path)
        assert await asyncio.to_thread(services.knowledge.wait_until_idle, SECONDS)
        result = await asyncio.to_thread(
            services.knowledge.search, "lighthouse password swordfish", [self._collection]
        )
        assert "swordfish" in result.passages[0].passage.text


def assert_says_what_it_should(answer: ChatMessage, question: str) -> None:
    """The whole script of its model where it ended well, else the beginning of it."""
    if answer.model is None:  # stopped before a model had begun, or nothing was found
        assert answer.text in ("", phrases.nothing_found(question, answer.searched or 0))
        return
    says = SAYS[answer.model]
    if answer.model == "long":
        assert ((says + COUNTED) * 3).startswith(answer.text)
    elif answer.state is MessageState.COMPLETE:
        assert answer.text == says or (answer.searched and answer.text.startswith(f"{says}\n\n"))
    else:
        assert says.startswith(answer.text)


async def live_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, operations: int, seed: int
) -> Counter[str]:
    """A life on a new data folder. Returns how its answers ended."""
    folder = own_temporary_folder(tmp_path, monkeypatch)
    monkeypatch.setenv("DAI_ENGINE_HOST", host)
    monkeypatch.setattr(starter, "STARTER_PACKAGE", "no_starter_package")
    monkeypatch.setattr(
        composition,
        "open_embedder",
        lambda name, **_: OtherEmbedder() if name == "other" else WordEmbedder(),
    )
    models = tmp_path / "models"
    models.mkdir()
    paths = Paths(tmp_path / "home").create()
    for name, says in SAYS.items():
        path = make_tiny_gguf(models / f"{name}.gguf", reply=says, loop=name == "long", name=name)
        (paths.models / path.name).write_bytes(path.read_bytes())
    SettingsStore(paths.settings).change(language="en", context_tokens=1024, max_answer_tokens=60)
    before = leftovers(folder)

    user = User(paths, models, host, seed)
    await user.live(operations)

    after = await settled(folder, before)
    assert (after.processes, after.files) == (before.processes, 0)
    assert after.threads <= before.threads, "those of tests before this one do not count"
    return user.ends


@pytest.mark.slow
@pytest.mark.parametrize("host", HOSTS)
async def test_random_use_loses_no_word_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    ends = await live_through(tmp_path, monkeypatch, host, operations=150, seed=1)
    assert ends[MessageState.COMPLETE]
    assert len(ends) > 1
