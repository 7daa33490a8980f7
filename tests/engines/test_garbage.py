"""Files, pipes and answers full of garbage: an error with a name, or as if there were nothing."""

from __future__ import annotations

import asyncio
import hashlib
import io
import random
import struct
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import msgspec
import pytest

from engines.errors import CatalogueInvalid, DownloadError, EngineCrashed, EngineStuck
from engines.library import ModelLibrary, ModelSource, model_library
from engines.llama_cpp.engine import LlamaCppEngine
from engines.llama_cpp.inbox import Patience
from engines.llama_cpp.messages import Answer, Text, encode, read_events, read_requests
from engines.llama_cpp.process_channel import ProcessChannel
from engines.protocol import LoadOptions
from engines.remote.event_stream import MOST_BYTES, EventStream, TooLong
from engines.store import catalogue
from engines.store.catalogue import Catalogue
from engines.store.connection import HubAccess
from engines.store.hub import Hub
from engines.store.part import Identity, Part, note_path, part_path
from tests.engines.asking import question
from tests.engines.child_processes import children
from tests.engines.tiny_gguf import make_tiny_gguf
from tests.garbage import garbage

GARBLING_CHILD = "tests.engines.garbling_child"


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelLibrary:
    monkeypatch.setattr(model_library, "find_starter", lambda: None)
    library = ModelLibrary(tmp_path / "models")
    library.add(make_tiny_gguf(tmp_path / "mine.gguf", name="Mine"))
    library.add(make_tiny_gguf(tmp_path / "linked.gguf", name="Linked"), link=True)
    arrived = make_tiny_gguf(tmp_path / "arrived", name="Arrived")
    content = arrived.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    library.adopt(arrived, "arrived", ModelSource("owner/name", "c0ffee", "m.gguf", len(content), sha256))
    return library


@pytest.mark.parametrize("name", ["linked.json", "downloaded.json", "checked.json"])
def test_a_list_of_the_library_full_of_garbage_loses_no_file(library: ModelLibrary, name: str) -> None:
    path = library.folder / name
    for content in garbage(path.read_bytes(), seed=1, count=150):
        path.write_bytes(content)

        models = library.installed()

        assert {"Mine", "Arrived"} <= {model.name for model in models}
        for model in models:
            library.needs_check(model)
        library.broken()


def frames(dice: random.Random, sound: bytes) -> bytes:
    content = bytearray(struct.pack("<I", len(sound)) + sound)
    for _ in range(dice.choice((1, 1, 3))):
        content[dice.randrange(len(content))] = dice.randrange(256)
    return bytes(content) + dice.randbytes(dice.randrange(20))


def test_frames_full_of_garbage_end_the_reading_and_take_no_memory() -> None:
    sound = (encode(Answer(7, question("hello"))), encode(Text(7, "hello")))
    dice = random.Random(1)
    tracemalloc.start()
    try:
        for number in range(2_000):
            content = frames(dice, sound[number % 2]) if number % 3 else dice.randbytes(dice.randrange(60))
            for read in (read_requests, read_events):
                tracemalloc.reset_peak()
                with suppress(ValueError, RecursionError):
                    list(read(io.BytesIO(content)))
                assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("length", [0, 1, 1 << 20, (1 << 20) + 1, 3 << 20])
def test_a_frame_of_any_length_arrives_whole(length: int) -> None:
    content = encode(Text(1, "x" * length))
    pipe = io.BytesIO((struct.pack("<I", len(content)) + content) * 2)

    assert [event.text for event in read_events(pipe) if isinstance(event, Text)] == ["x" * length] * 2


@pytest.mark.desktop("a child process")
@pytest.mark.parametrize("what", ["noise", "a huge frame", "half a frame", "foreign messages", "nothing"])
async def test_a_child_that_talks_garbage_has_crashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setenv("DAI_TEST_GARBAGE", what)
    path = make_tiny_gguf(tmp_path / "model.gguf")
    engine = LlamaCppEngine(path, LoadOptions(), partial(ProcessChannel, program=GARBLING_CHILD))

    async with asyncio.timeout(60):
        with pytest.raises(EngineCrashed):
            await engine.open()
    await engine.close()

    assert children(GARBLING_CHILD) == []


@pytest.mark.desktop("a child process")
async def test_a_child_that_promises_a_frame_and_falls_silent_is_stuck(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAI_TEST_GARBAGE", "a promise")
    path = make_tiny_gguf(tmp_path / "model.gguf")
    start = partial(ProcessChannel, program=GARBLING_CHILD)
    engine = LlamaCppEngine(path, LoadOptions(), start, Patience(life=0.2))

    with pytest.raises(EngineStuck):
        await engine.open()
    await engine.close()

    assert children(GARBLING_CHILD) == []


def test_an_event_stream_of_garbage_is_read_or_too_long() -> None:
    dice = random.Random(2)
    words = (b"data: ", b"data:", b"\n", b"\r", b"\r\n", b"\n\n", b": ", b"event: x", b"\0", b"\xff", b"{}")
    for _ in range(500):
        stream, events = EventStream(), []
        for _ in range(dice.randrange(30)):
            events += stream.feed(b"".join(dice.choices(words, k=dice.randrange(12))))
        stream.rest()
        assert all(isinstance(event, bytes) for event in events)
    with pytest.raises(TooLong):
        list(EventStream().feed(b"data: " + b"x" * MOST_BYTES))


def test_a_catalogue_full_of_garbage_is_invalid(tmp_path: Path) -> None:
    sound = Path(catalogue.__file__).with_suffix(".toml").read_bytes()
    sound = sound[: sound.index(b"[[models]]", sound.index(b"[[models]]") + 10)]
    path = tmp_path / "catalogue.toml"
    path.write_bytes(sound)
    assert Catalogue.load(path).models
    for content in garbage(sound, seed=3, count=200):
        path.write_bytes(content)
        with suppress(CatalogueInvalid):
            Catalogue.load(path)


class TestHub:
    @pytest.fixture
    def answer(self) -> dict[str, bytes]:
        return {"body": b""}

    @pytest.fixture
    async def hub(self, answer: dict[str, bytes]) -> AsyncIterator[Hub]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n"
            writer.write(f"{head}content-length: {len(answer['body'])}\r\n\r\n".encode() + answer["body"])
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        hub = Hub(HubAccess(f"http://127.0.0.1:{port}"))
        yield hub
        await hub.close()
        server.close()
        await server.wait_closed()

    async def test_answers_full_of_garbage_are_errors_of_the_hub(
        self, hub: Hub, answer: dict[str, bytes]
    ) -> None:
        sibling = {"rfilename": "model-Q4_K_M.gguf", "size": 1000, "lfs": {"sha256": "ab" * 32, "size": 1000}}
        model = {
            "id": "owner/name",
            "sha": "c0ffee" * 6 + "c0ff",
            "gated": False,
            "tags": ["en"],
            "downloads": 1,
            "siblings": [sibling],
            "gguf": {"total": 7},
        }
        for kind, sound in (("search", [model]), ("repository", model)):
            for content in garbage(msgspec.json.encode(sound), seed=4, count=60):
                answer["body"] = content
                with suppress(DownloadError):
                    await (hub.search("name") if kind == "search" else hub.model("owner/name"))


def test_the_note_of_a_part_full_of_garbage_begins_anew(tmp_path: Path) -> None:
    target = tmp_path / "model.gguf"
    sound = msgspec.json.encode(Identity(10, "ab" * 32, "etag"))
    for content in garbage(sound, seed=5, count=100):
        part_path(target).write_bytes(b"0123456789")
        note_path(target).write_bytes(content)
        part = Part(target)
        try:
            assert part.size in (0, 10)
            assert (part.identity is None) == (part.size == 0)
        finally:
            part.close()
