"""Damaged data and unusable folders, on the terminal: one clear line in the user's language, nothing lost."""

from __future__ import annotations

import pytest

from app.core.conversations import Conversations
from app.core.set_aside import all_set_aside
from app.core.settings import SettingsStore

RUBBISH = b"no database" * 1000


@pytest.mark.parametrize(
    ("language", "sentence"), [("en", "Nothing in it was changed."), ("fa", "چیزی در آن تغییر نکرد.")]
)
@pytest.mark.parametrize("name", ["conversations.db", "knowledge.db"])
def test_a_damaged_database_is_one_line_and_stays_as_it_is(dai, home, name, language, sentence):
    SettingsStore(home.settings).change(language=language)
    (home.data / name).write_bytes(RUBBISH)
    result = dai("conversations", "list")
    assert result.status == 1
    [line] = result.err.splitlines()
    assert name in line
    assert sentence in line
    assert (home.data / name).read_bytes() == RUBBISH


def test_doctor_finds_damage_deep_in_a_database_and_keeps_it_when_it_is_told_to(dai, home):
    conversations = Conversations(home.conversations)
    for number in range(40):
        new = conversations.create()
        conversations.add(new.id, "user", f"Question {number}: " + "word " * 400)
    conversations.close()
    assert "✓ Your data" in dai("doctor").out
    content = bytearray(home.conversations.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\xff" * 4096
    home.conversations.write_bytes(content)

    assert "✗ Your data: damaged" in dai("doctor").out
    assert home.conversations.read_bytes() == content

    assert "✓ Your data" in dai("doctor", "--set-aside").out
    [aside] = all_set_aside(home.data)
    assert aside.read_bytes() == content
    assert dai("conversations", "list").status == 0


@pytest.mark.parametrize("language", ["en", "fa"])
def test_a_data_folder_that_cannot_be_one_is_named(dai, tmp_path, monkeypatch, language):
    monkeypatch.setenv("LC_ALL", "fa_IR.UTF-8" if language == "fa" else "C.UTF-8")
    (tmp_path / "file").write_bytes(b"mine")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        monkeypatch.setenv("DAI_HOME", str(folder))
        result = dai("kb", "list")
        assert result.status == 1
        [line] = result.err.splitlines()
        assert str(folder) in line
        assert "DAI_HOME" in line
        assert str(folder) in dai("doctor").out
    assert (tmp_path / "file").read_bytes() == b"mine"


def test_a_data_folder_in_which_nothing_may_be_written_is_named(dai, home, monkeypatch):
    monkeypatch.setattr("app.core.paths.os.access", lambda path, mode: path != home.data)
    result = dai("conversations", "list")
    assert (result.status, result.out) == (1, "")
    assert str(home.data) in result.err


def test_a_damaged_settings_file_is_told_once_on_the_terminal(dai, home):
    home.settings.write_bytes(b"{")
    result = dai("conversations", "list")
    assert result.status == 0
    assert result.err.count("settings.json.damaged-") == 1
    assert "settings.json.damaged-" not in dai("conversations", "list").err
    assert "! Damaged files set aside: settings.json.damaged-" in dai("doctor").out
