"""An app that cannot open its data says so, changes nothing by itself, and goes on after a tap."""

from __future__ import annotations

from pathlib import Path

import flet as ft
import pytest

from app.core.set_aside import all_set_aside, take_untold
from app.core.settings import SettingsStore

RUBBISH = b"no database" * 1000


@pytest.mark.parametrize("name", ["conversations.db", "knowledge.db"])
async def test_a_damaged_database_is_told_and_kept_when_the_user_begins_anew(home, open_app, name):
    (home.data / name).write_bytes(RUBBISH)
    async with open_app() as app:
        assert "is damaged" in app.text("start-failed")
        assert name in app.text("start-failed")
        await app.tap("start-retry")
        await app.until(lambda: app.shows("start-failed"))
        assert (home.data / name).read_bytes() == RUBBISH
        await app.tap("start-set-aside")
        await app.until(lambda: app.shows("set-aside"))
        [aside] = all_set_aside(home.data)
        assert aside.read_bytes() == RUBBISH
        assert aside.name in app.text("set-aside")
        await app.dismiss()
        await app.until(lambda: app.shows("composer"))


async def test_a_file_that_was_restored_opens_at_the_next_try(home, open_app):
    (home.data / "conversations.db").write_bytes(RUBBISH)
    SettingsStore(home.settings).change(language="fa", theme="dark")
    async with open_app() as app:
        assert "خراب است" in app.text("start-failed")
        assert app.page.theme_mode is ft.ThemeMode.DARK
        (home.data / "conversations.db").unlink()
        await app.tap("start-retry")
        await app.until(lambda: app.shows("composer"))
    assert take_untold(home.data) == ()


async def test_a_data_folder_that_is_a_file_is_told(home, open_app, monkeypatch, tmp_path: Path):
    (tmp_path / "file").write_bytes(b"mine")
    monkeypatch.setenv("DAI_HOME", str(tmp_path / "file"))
    async with open_app() as app:
        assert str(tmp_path / "file") in app.text("start-failed")
        assert not app.shows("start-set-aside")
    assert (tmp_path / "file").read_bytes() == b"mine"
