"""Random damage to model files: a name for the error or a working model, never a dead or hanging app."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from engines.errors import EngineError
from engines.gguf import read_header
from engines.opening import Host, open_engine
from engines.protocol import LoadOptions
from tests.engines.asking import ask, question
from tests.engines.tiny_gguf import ARCHITECTURES, Architecture, make_tiny_gguf

pytestmark = pytest.mark.slow

SECONDS = 20
CASES = 30
Damage = Callable[[random.Random, bytearray, int], None]


def cut(dice: random.Random, content: bytearray, data_start: int) -> None:
    del content[dice.randrange(len(content)) :]


def flip_header_bits(dice: random.Random, content: bytearray, data_start: int) -> None:
    for _ in range(dice.choice([1, 1, 2, 5])):
        content[dice.randrange(data_start)] ^= 1 << dice.randrange(8)


def overwrite_metadata(dice: random.Random, content: bytearray, data_start: int) -> None:
    for _ in range(dice.choice([1, 2, 4])):
        content[dice.randrange(min(data_start, 1_200))] = dice.randrange(256)


def put_an_extreme_number(dice: random.Random, content: bytearray, data_start: int) -> None:
    place = dice.randrange(min(data_start, 2_000))
    content[place : place + 4] = dice.choice(
        [b"\xff\xff\xff\xff", bytes(4), b"\xff\xff\xff\x7f", b"\1\0\0\0"]
    )


def flip_weight_bits(dice: random.Random, content: bytearray, data_start: int) -> None:
    for _ in range(100):
        content[dice.randrange(data_start, len(content))] ^= 1 << dice.randrange(8)


DAMAGES: list[Damage] = [
    cut,
    flip_header_bits,
    overwrite_metadata,
    put_an_extreme_number,
    flip_weight_bits,
]


@pytest.fixture(params=[pytest.param("process", marks=pytest.mark.desktop("a child process")), "thread"])
def host(request: pytest.FixtureRequest) -> Host:
    kind: Host = request.param
    return kind


def copied(model: Path, folder: Path) -> Path:
    path = folder / "model.gguf"
    shutil.copyfile(model, path)
    return path


def beginning(path: Path, length: int) -> bytes:
    with path.open("rb") as file:
        return file.read(length)


def overwrite(path: Path, content: bytes) -> None:
    """Replace the beginning of a file."""
    with path.open("r+b") as file:
        file.write(content)


async def try_to_use(path: Path, host: Host) -> str:
    """The name of the error, or "" for a model that loads and answers. Anything else fails the test."""
    try:
        async with asyncio.timeout(SECONDS):
            engine = await open_engine(path, LoadOptions(context_tokens=512), host=host)
            try:
                await ask(engine, question(max_tokens=8))
            finally:
                await engine.close()
    except EngineError as error:
        return type(error).__name__
    return ""


@pytest.mark.parametrize("architecture", ARCHITECTURES)
async def test_random_damage_is_an_error_with_a_name_or_does_no_harm(
    tmp_path: Path, architecture: Architecture, host: Host
) -> None:
    path = make_tiny_gguf(tmp_path / "model.gguf", architecture)
    sound, data_start = path.read_bytes(), read_header(path).data_start
    dice = random.Random(f"{architecture} {host}")
    results = []
    for case in range(CASES):
        content = bytearray(sound)
        DAMAGES[case % len(DAMAGES)](dice, content, data_start)
        path.write_bytes(content)
        results.append(await try_to_use(path, host))

    assert "" in results
    assert "ModelFileDamaged" in results
    path.write_bytes(sound)
    assert await try_to_use(path, host) == ""


async def test_a_real_model_with_damaged_metadata_is_an_error_with_a_name_or_does_no_harm(
    tmp_path: Path, smollm2: Path, host: Host
) -> None:
    path = copied(smollm2, tmp_path)
    data_start = read_header(path).data_start
    sound = beginning(path, data_start)
    dice = random.Random(f"smollm2 {host}")
    for damage in (flip_header_bits, overwrite_metadata, put_an_extreme_number) * 4:
        content = bytearray(sound)
        damage(dice, content, data_start)
        overwrite(path, content)
        await try_to_use(path, host)

    overwrite(path, sound)
    assert await try_to_use(path, host) == ""
