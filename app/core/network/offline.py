"""The one switch that keeps everything on this device."""

from __future__ import annotations

from collections.abc import Callable

from app.core.errors import OfflineChosen
from app.core.network.router_address import is_this_device
from app.core.settings import SettingsStore


class OfflineSwitch:
    """A setting that every HTTP client of the app obeys. Servers on this very device stay allowed."""

    def __init__(self, settings: SettingsStore) -> None:
        self._settings = settings

    @property
    def on(self) -> bool:
        """Whether nothing may leave this device; also where another window or terminal has said so."""
        return self._settings.refresh().offline

    def turn(self, *, on: bool) -> None:
        """Change it. What is under way ends with its next byte. Raises OSError."""
        self._settings.change(offline=on)

    def allows(self, host: str) -> bool:
        """Whether this host may be spoken to."""
        return not self.on or is_this_device(host)

    def check(self, host: str) -> None:
        """Raises OfflineChosen where `allows` says no."""
        if not self.allows(host):
            raise OfflineChosen(host)

    def subscribe(self, listener: Callable[[bool], None]) -> Callable[[], None]:
        """Call `listener` whenever the switch was turned; returns what ends that."""
        last = self.on

        def heard(_settings: object) -> None:
            nonlocal last
            if self.on is not last:
                last = self.on
                listener(last)

        return self._settings.subscribe(heard)
