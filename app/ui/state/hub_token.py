"""The access token of the hub, as far as the screen may know it: never the token itself."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import flet as ft

from app.core.secrets import TokenSource, may_be_sent
from app.services import Services


@ft.observable
@dataclass
class HubTokenState:
    """Where the token comes from."""

    known: bool = False
    """Whether anybody has looked; a keyring may ask the user to unlock it, so nobody does unasked."""
    source: TokenSource | None = None
    lasting: bool = False
    """Whether a new one would be kept beyond the end of the app."""
    host: str = ""
    usable: bool = True
    """Whether tokens may be sent to this hub: not where others could read them."""

    @property
    def removable(self) -> bool:
        """Whether it was entered here."""
        return self.source in (TokenSource.KEYRING, TokenSource.SESSION)


class HubTokenOnScreen:
    """What can be done with the token."""

    def __init__(self, services: Services) -> None:
        self.state = HubTokenState()
        self._services = services

    @property
    def page(self) -> str:
        """Where the hub makes tokens."""
        return f"{self._endpoint.rstrip('/')}/settings/tokens"

    async def refresh(self) -> None:
        """Look again whether there is one; a keyring may ask the user to unlock it."""
        secrets, endpoint = self._services.secrets, self._endpoint
        self.state.source = await asyncio.to_thread(secrets.source, endpoint)
        self.state.lasting = await asyncio.to_thread(secrets.lasting)
        self.state.host, self.state.usable = self._services.store.host, may_be_sent(endpoint)
        self.state.known = True

    async def test(self, token: str | None) -> str:
        """Ask the hub whose it is; None asks with the one that is kept.

        Raises:
            DownloadError: see `Store.account`.
        """
        return await self._services.store.account(token)

    async def keep(self, token: str) -> None:
        """Take a token.

        Raises:
            ValueError: this cannot be one.
        """
        await asyncio.to_thread(self._services.secrets.keep, token, self._endpoint)
        await self.refresh()

    async def forget(self) -> None:
        """Forget the one that was entered."""
        await asyncio.to_thread(self._services.secrets.forget, self._endpoint)
        await self.refresh()

    @property
    def _endpoint(self) -> str:
        return self._services.settings.current.hub_endpoint
