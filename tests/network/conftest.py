"""A fixed time, and devices with keys of their own."""

from __future__ import annotations

import pytest

from network.keys import DeviceKeys

NOW = 1_800_000_000


@pytest.fixture
def now() -> int:
    return NOW


@pytest.fixture
def keys(now) -> DeviceKeys:
    return DeviceKeys.generate(now)


@pytest.fixture
def other_keys(now) -> DeviceKeys:
    return DeviceKeys.generate(now)
