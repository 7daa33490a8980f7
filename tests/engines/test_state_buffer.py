from __future__ import annotations

import ctypes
import mmap

import pytest

from engines.llama_cpp.state_buffer import state_buffer


@pytest.fixture(params=["as it is", "without large pages"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "without large pages":
        monkeypatch.delattr(mmap, "MADV_HUGEPAGE", raising=False)


@pytest.mark.usefixtures("system")
@pytest.mark.parametrize("size", [1, 4097, (2 << 20) + 1])
def test_all_bytes_of_a_buffer_are_zero_and_can_be_written(size: int) -> None:
    buffer = state_buffer(size)
    assert bytes(buffer) == bytes(size)

    ctypes.memset(buffer, 7, size)

    assert bytes(buffer) == bytes([7]) * size


@pytest.mark.usefixtures("system")
def test_nothing_takes_nothing() -> None:
    assert len(state_buffer(0)) == 0


def test_more_than_there_is_raises_memory_error() -> None:
    with pytest.raises(MemoryError):
        state_buffer(1 << 60)
