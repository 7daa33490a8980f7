"""The Network screen in the browser: a group is begun, its code is shown, and offline stays on."""

from __future__ import annotations

import pytest

pytest.importorskip("playwright", exc_type=ImportError)

pytestmark = [pytest.mark.browser, pytest.mark.desktop("a browser and the web client")]


def test_a_group_is_begun_and_everything_stays_here_when_offline(screen, home):
    phone = screen(size=(390, 1500))
    phone.go("Network")
    phone.until(lambda: phone.shows("begin-mine"))
    phone.tap("begin-mine")
    phone.tap("dialog-confirm")
    phone.until(lambda: "DAIG1:" in phone.text("group-code"))
    phone.tap("dialog-close")
    phone.until(lambda: not phone.shows("group-code"))
    assert "My devices" in phone.text()
    phone.tap("offline")
    phone.until(lambda: "Only programs on this very device" in phone.text())
    phone.go("Models")
    phone.tap("find-models")
    phone.write("find-text", "qwen")
    phone.tap("find-search")
    phone.until(lambda: phone.shows("find-failed"))
    assert "offline switch is on" in phone.text("find-failed")
