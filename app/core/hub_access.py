"""The model hub as the settings have it: its address or a mirror's, the proxy, and the token for it."""

from __future__ import annotations

from app.core.secrets import Secrets
from app.core.settings import Settings
from engines.store.connection import HubAccess
from engines.store.hub import Hub


def open_hub(settings: Settings, secrets: Secrets) -> Hub:
    """A hub for one event loop; close it.

    Raises:
        HubAddressInvalid: the settings' address of the hub or of the proxy is none.
    """
    endpoint = settings.hub_endpoint
    return Hub(HubAccess(endpoint, token=lambda: secrets.hub_token(endpoint), proxy=settings.proxy))
