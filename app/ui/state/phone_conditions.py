"""Power and connection of a phone: there only the user interface can ask the system for them."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import flet as ft

from app.core.network.device_conditions import DeviceConditions

log = logging.getLogger(__name__)

_PHONES = (ft.PagePlatform.ANDROID, ft.PagePlatform.ANDROID_TV, ft.PagePlatform.IOS)
_PLUGGED_IN = (ft.BatteryState.CHARGING, ft.BatteryState.FULL, ft.BatteryState.CONNECTED_NOT_CHARGING)
_FREE = (ft.ConnectivityType.WIFI, ft.ConnectivityType.ETHERNET)


class PhoneConditions:
    """Tells `DeviceConditions` what a phone tells. Make it in the context of the page."""

    def __init__(self, page: ft.Page, conditions: DeviceConditions) -> None:
        self._page = page
        self._conditions = conditions
        self._started = False
        self._battery: ft.Battery | None = None
        self._connectivity: ft.Connectivity | None = None

    async def start(self) -> None:
        """Ask now, and hear of every change from then on. Does nothing on desktops."""
        if self._started or self._page.web or self._page.platform not in _PHONES:
            return
        self._started = True
        self._battery = ft.Battery(on_state_change=lambda event: self._powered(event.state))
        self._connectivity = ft.Connectivity(on_change=lambda event: self._connected(event.connectivity))
        try:
            self._powered(await self._battery.get_battery_state())
            self._connected(await self._connectivity.get_connectivity())
        except Exception as error:  # noqa: BLE001 - a phone that does not tell is one that does not work for others
            log.info("this phone does not tell its power or connection: %s", type(error).__name__)

    def _powered(self, state: ft.BatteryState) -> None:
        if state is not ft.BatteryState.UNKNOWN:
            self._conditions.report(charging=state in _PLUGGED_IN)

    def _connected(self, found: Sequence[ft.ConnectivityType]) -> None:
        if any(each in _FREE for each in found):
            self._conditions.report(metered=False)
        elif ft.ConnectivityType.MOBILE in found:
            self._conditions.report(metered=True)
