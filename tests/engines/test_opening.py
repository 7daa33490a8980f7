from __future__ import annotations

import os
import random
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import gguf
import pytest

from engines.errors import (
    EngineError,
    ModelFileDamaged,
    ModelFileError,
    ModelFileMissing,
    NotAChatModel,
    NotAModel,
    OptionRejected,
    TemplateFailed,
    UnsupportedModel,
)
from engines.gguf import read_header
from engines.llama_cpp import loading, native
from engines.opening import Host, open_engine
from engines.protocol import LoadOptions
from tests.engines.asking import ask
from tests.engines.tiny_gguf import make_tiny_gguf

ROOT = Path(__file__).parents[2]

HOSTS = [pytest.param("process", marks=pytest.mark.desktop("a child process")), "thread"]

Spoil = Callable[[Path], None]


def sound(path: Path) -> bytes:
    return make_tiny_gguf(path).read_bytes()


def cut(at: Callable[[bytes], int]) -> Spoil:
    def spoil(path: Path) -> None:
        content = sound(path)
        path.write_bytes(content[: at(content)])

    return spoil


def renamed(old: bytes, new: bytes) -> Spoil:
    def spoil(path: Path) -> None:
        path.write_bytes(sound(path).replace(old, new))

    return spoil


def number(key: str, value: int) -> Spoil:
    """Another value for a number of the metadata, which stands behind its key and its type."""

    def spoil(path: Path) -> None:
        content = sound(path)
        place = content.index(key.encode()) + len(key) + 4
        path.write_bytes(content[:place] + value.to_bytes(4, "little") + content[place + 4 :])

    return spoil


def adapter(path: Path) -> None:
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


BROKEN: dict[str, tuple[Spoil, type[EngineError]]] = {
    "missing": (lambda path: None, ModelFileMissing),
    "a folder": (Path.mkdir, NotAModel),
    "empty": (Path.touch, NotAModel),
    "a text": (lambda path: path.write_text("hello world " * 1000) and None, NotAModel),
    "random bytes": (
        lambda path: path.write_bytes(b"\x9e" + random.Random(1).randbytes(100_000)) and None,
        NotAModel,
    ),
    "magic and rubbish": (
        lambda path: path.write_bytes(b"GGUF\x03\0\0\0" + b"\xfe" * 100_000) and None,
        ModelFileDamaged,
    ),
    "huge counts": (
        lambda path: path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 2**40, 2**40) + bytes(1000)) and None,
        ModelFileDamaged,
    ),
    "cut in the header": (cut(lambda content: 200), ModelFileDamaged),
    "cut in the vocabulary": (
        cut(lambda content: content.index(b"tokenizer.ggml.tokens") + 300),
        ModelFileDamaged,
    ),
    "cut in the tensors": (cut(lambda content: len(content) // 2), ModelFileDamaged),
    "cut by one byte": (cut(lambda content: len(content) - 1), ModelFileDamaged),
    "unknown architecture": (renamed(b"qwen3", b"qwenX"), UnsupportedModel),
    "wrong architecture": (renamed(b"qwen3", b"gemma"), ModelFileDamaged),
    "a token twice": (renamed(b"\x05\0\0\0\0\0\0\0 tiny", b"\x05\0\0\0\0\0\0\0 from"), ModelFileDamaged),
    "no blocks": (number("qwen3.block_count", 0), ModelFileDamaged),
    "more blocks than llama.cpp bears": (number("qwen3.block_count", 600), ModelFileDamaged),
    "missing tensor": (
        lambda path: make_tiny_gguf(path, without_tensor="blk.1.ffn_up.weight") and None,
        ModelFileDamaged,
    ),
    "an adapter": (adapter, NotAChatModel),
    "a broken template": (
        lambda path: make_tiny_gguf(path, chat_template="{% for m in messages %}{{ m.") and None,
        TemplateFailed,
    ),
    "a template with an unknown tag": (
        lambda path: make_tiny_gguf(path, chat_template="{% import_everything %}") and None,
        TemplateFailed,
    ),
}


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("case", BROKEN)
async def test_a_broken_file_is_an_error_with_a_name(tmp_path: Path, case: str, host: Host) -> None:
    spoil, error = BROKEN[case]
    path = tmp_path / "broken.gguf"
    spoil(path)

    with pytest.raises(EngineError) as caught:
        await open_engine(path, host=host)

    assert type(caught.value) is error
    if isinstance(caught.value, ModelFileError):
        assert caught.value.path == path


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda path: os.truncate(path, path.stat().st_size // 2), "file bounds"),
        (lambda path: path.unlink(), "failed to open"),
        (lambda path: path.write_bytes(b"x" * 1000), "magic"),
    ],
    ids=["cut", "removed", "overwritten"],
)
def test_a_file_that_breaks_after_its_header_was_read_is_told_by_llama_cpps_log(
    tmp_path: Path, damage, words
) -> None:
    path = make_tiny_gguf(tmp_path / "model.gguf")
    header = read_header(path)
    damage(path)

    with pytest.raises(ModelFileDamaged, match=words):
        loading.load_model(native.load_library(), header, LoadOptions(), lambda: None)


async def test_the_reason_in_the_log_comes_along(tmp_path: Path) -> None:
    path = make_tiny_gguf(tmp_path / "model.gguf", without_tensor="blk.1.ffn_up.weight")

    with pytest.raises(ModelFileDamaged, match=r"tensor 'blk\.1\.ffn_up\.weight'"):
        await open_engine(path)


async def test_a_failed_opening_says_nothing_on_the_terminal(tmp_path: Path, capfd) -> None:
    path = make_tiny_gguf(tmp_path / "model.gguf", without_tensor="blk.1.ffn_up.weight")

    for host in ("thread", "auto"):
        with pytest.raises(ModelFileDamaged):
            await open_engine(path, host=host)

    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("context_tokens", 0),
        ("context_tokens", 2**31),
        ("threads", 0),
        ("threads", -3),
        ("prompt_threads", 10**6),
    ],
)
async def test_a_senseless_option_is_named(tmp_path: Path, option: str, value: int) -> None:
    path = make_tiny_gguf(tmp_path / "model.gguf")

    with pytest.raises(OptionRejected) as caught:
        await open_engine(path, LoadOptions(**{option: value}))

    assert caught.value.option == option


@pytest.mark.parametrize("options", [{"flash_attention": False}, {"use_mmap": False}, {"threads": 1}])
async def test_options_do_not_change_what_is_said(opened, tmp_path: Path, options) -> None:
    path = make_tiny_gguf(tmp_path / "model.gguf", reply="The same.")

    assert (await ask(await opened(path, **options))).text == "The same."


async def test_any_name_of_a_file_will_do(opened, tmp_path: Path) -> None:
    path = make_tiny_gguf(tmp_path / "مدل 😀 of mine.gguf", reply="Hello.")

    assert (await ask(await opened(path))).text == "Hello."


async def test_the_environment_chooses_the_host(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DAI_ENGINE_HOST", "thread")
    monkeypatch.setattr(
        "engines.opening.ProcessChannel", lambda deliver: pytest.fail("a process was started")
    )
    path = make_tiny_gguf(tmp_path / "model.gguf", reply="Hello.")

    engine = await open_engine(path)

    assert (await ask(engine)).text == "Hello."
    await engine.close()


@pytest.mark.desktop("a child process")
def test_a_program_stays_without_what_only_an_engine_in_a_thread_needs() -> None:
    code = "import sys, engines.opening; print('jinja2' in sys.modules, 'llama_cpp' in sys.modules)"

    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    assert said.split() == ["False", "False"]
