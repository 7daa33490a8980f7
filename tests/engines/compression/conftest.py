from __future__ import annotations

from pathlib import Path

import pytest

from tests.engines.tiny_gguf import make_tiny_gguf


@pytest.fixture
def original(tmp_path: Path) -> Path:
    """An uncompressed model that answers as every tiny model does."""
    return make_tiny_gguf(tmp_path / "original.gguf", name="Tiny: one/two")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where copies go; it does not exist yet."""
    return tmp_path / "models"
