"""A router is a server: its tests are left out where there is no FastAPI (tests/phone.py)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.phone import is_phone

collect_ignore_glob = ["test_*.py"] if is_phone() else []


@pytest.fixture
async def router() -> AsyncIterator[object]:
    """A router that admits everybody."""
    from tests.network.http_router import whole_router

    async with whole_router() as router:
        yield router


@pytest.fixture
async def http(router) -> AsyncIterator[httpx.AsyncClient]:
    """A client of it."""
    async with httpx.AsyncClient(base_url=router.address) as http:
        yield http
