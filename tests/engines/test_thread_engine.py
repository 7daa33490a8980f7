from __future__ import annotations

import pytest

from tests.engines.conformance import EngineConformance


class TestThreadEngine(EngineConformance):
    @pytest.fixture
    def host(self) -> str:
        return "thread"
