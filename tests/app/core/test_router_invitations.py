"""Invitations of a router: named words in a file that may change at any time."""

from __future__ import annotations

import os

import pytest

from app.core.router_invitations import InvitationFile, new_invite
from network.router.invitations import Invitation, Invitations


@pytest.fixture
def file(tmp_path) -> InvitationFile:
    return InvitationFile(tmp_path / "invites.txt")


def test_they_are_one_a_line_with_whose_they_are(file):
    text = "# for the family\nopen sesame \n\n  دعوت # Sara's phone\n"
    file.path.write_text(text, encoding="utf-8")
    assert file.read() == (Invitation("line 2", "open sesame"), Invitation("Sara's phone", "دعوت"))


def test_one_that_is_made_or_taken_back_leaves_the_others_and_the_remarks(file):
    file.path.write_text("# ours\nopen sesame # Ali\n", encoding="utf-8")
    word = file.add("Sara")
    assert {one.name: one.word for one in file.read()} == {"Ali": "open sesame", "Sara": word}
    assert file.revoke("Ali")
    assert not file.revoke("Ali")
    assert file.path.read_text(encoding="utf-8") == f"# ours\n{word} # Sara\n"


def test_a_router_that_runs_sees_every_change(file):
    running = InvitationFile(file.path)
    invitations = Invitations(running.watched)
    word = file.add("Sara")
    assert invitations.find(word) == Invitation("Sara", word)
    other = file.add("Ali")
    assert [invitations.find(one).name for one in (word, other)] == ["Sara", "Ali"]
    file.revoke("Sara")
    assert invitations.find(word) is None
    assert invitations.find(other) is not None


def test_a_file_that_is_away_for_a_moment_locks_nobody_out(file, caplog):
    word = file.add("Sara")
    running = InvitationFile(file.path)
    invitations = Invitations(running.watched)
    assert invitations.find(word)
    file.path.unlink()
    assert invitations.find(word)
    assert word not in caplog.text


def test_devices_are_counted_once_each_and_the_word_is_in_no_representation():
    invitations = Invitations.of({"open sesame"})
    [one] = invitations.now()
    for node in ("a", "b", "a"):
        invitations.came("open sesame", node)
    invitations.came("please", "c")
    assert (invitations.devices(one.name), invitations.devices("another")) == (2, 0)
    assert "sesame" not in repr(one) + repr(invitations)


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_nobody_else_can_read_them(file):
    file.add("Sara")
    assert file.path.stat().st_mode & 0o077 == 0


def test_one_can_be_read_out():
    word = new_invite()
    assert len(word) == 19
    assert not set(word) & set("01iloILO ")
    assert new_invite() != word
