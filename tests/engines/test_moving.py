"""Moving the models' folder: everything or nothing, on one disk and between two."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from engines.errors import ModelFileDamaged, NotEnoughDiskSpace
from engines.library import moving
from engines.library.moving import bring, delete_old, folder_bytes, plan_move, undo


class Cancelled(Exception):
    """What a progress callback raises to end the moving."""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    folder = tmp_path / "old"
    for name, content in {
        "one.gguf": b"1" * 5000,
        "two.gguf": b"2" * 7000,
        "linked.json": b"{}",
        ".downloads/key.gguf.part": b"part",
        "adapters/fine.gguf": b"a",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return tmp_path / "elsewhere" / "new"


@pytest.fixture(params=["same disk", "another disk"])
def disk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "another disk":
        monkeypatch.setattr(moving, "_link", lambda source, target: False)
    return request.param


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_everything_is_in_the_new_folder_and_nothing_in_the_old(old: Path, new: Path, disk: str) -> None:
    before = content(old)
    move = plan_move(old, new)
    told: list[tuple[int, int]] = []

    bring(move, lambda done, total: told.append((done, total)))
    assert content(old) == before, "the old folder counts until the app says otherwise"
    freed = delete_old(move)

    assert content(new) == before
    assert not old.exists()
    assert freed == sum(len(data) for data in before.values())
    assert told[-1][0] == told[-1][1]
    assert [done for done, _ in told] == sorted(done for done, _ in told)


@pytest.mark.desktop("hard links")
def test_on_one_disk_nothing_is_copied(old: Path, new: Path) -> None:
    before = (old / "one.gguf").stat().st_ino

    bring(plan_move(old, new))

    assert (new / "one.gguf").stat().st_ino == before


def test_a_cancelled_move_leaves_everything_as_it_was(old: Path, new: Path, disk: str) -> None:
    before = content(old)
    move = plan_move(old, new)

    def cancel(done: int, total: int) -> None:
        if done > total // 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        bring(move, cancel)
    undo(move)

    assert content(old) == before
    assert not new.exists()


def test_what_else_lies_in_the_new_folder_stays(old: Path, new: Path) -> None:
    new.mkdir(parents=True)
    (new / "notes.txt").write_text("mine")
    move = plan_move(old, new)
    bring(move)

    undo(move)

    assert content(new) == {"notes.txt": b"mine"}


def test_what_has_come_into_the_old_folder_meanwhile_stays_there(old: Path, new: Path) -> None:
    move = plan_move(old, new)
    bring(move)
    (old / "late.gguf").write_bytes(b"late")
    (new / "two.gguf").unlink()

    delete_old(move)

    assert content(old) == {"late.gguf": b"late", "two.gguf": b"2" * 7000}


def test_taking_back_never_deletes_the_only_copy(old: Path, new: Path) -> None:
    move = plan_move(old, new)
    bring(move)
    (old / "one.gguf").unlink()

    undo(move)

    assert content(new) == {"one.gguf": b"1" * 5000}


def test_a_full_disk_is_said_before_anything_is_copied(old: Path, new: Path, monkeypatch) -> None:
    monkeypatch.setattr(moving, "free_bytes", lambda folder: 1000)
    real = Path.stat

    def on_another_disk(self: Path, **options: bool) -> os.stat_result:
        status = real(self, **options)
        if not self.is_relative_to(new.parent):
            return status
        return os.stat_result((*status[:2], status.st_dev + 1, *status[3:10]))

    monkeypatch.setattr(Path, "stat", on_another_disk)

    with pytest.raises(NotEnoughDiskSpace) as caught:
        bring(plan_move(old, new))

    monkeypatch.undo()
    assert (caught.value.needed_bytes, caught.value.available_bytes) == (12007, 1000)
    assert content(new) == {}


def test_a_disk_that_fills_up_meanwhile_is_told_as_such(old: Path, new: Path, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(moving, "_link", lambda source, target: False)
    monkeypatch.setattr(moving, "publish", full)
    move = plan_move(old, new)

    with pytest.raises(NotEnoughDiskSpace):
        bring(move)
    undo(move)

    assert not new.exists()


def test_a_copy_that_is_not_what_was_read_is_noticed(old: Path, new: Path, monkeypatch) -> None:
    real = moving.publish

    def spoil(path, file, target):
        done = real(path, file, target)
        target.write_bytes(b"?" * target.stat().st_size)
        return done

    monkeypatch.setattr(moving, "_link", lambda source, target: False)
    monkeypatch.setattr(moving, "publish", spoil)

    with pytest.raises(ModelFileDamaged):
        bring(plan_move(old, new))


@pytest.mark.desktop("links")
def test_a_link_is_moved_as_a_link(old: Path, new: Path, tmp_path: Path, disk: str) -> None:
    (tmp_path / "model.gguf").write_bytes(b"far away")
    (old / "link.gguf").symlink_to(tmp_path / "model.gguf")
    move = plan_move(old, new)

    bring(move)
    delete_old(move)

    assert (new / "link.gguf").is_symlink()
    assert (new / "link.gguf").read_bytes() == b"far away"
    assert (tmp_path / "model.gguf").exists()


def test_what_is_only_there_for_a_moment_is_not_moved(old: Path, new: Path) -> None:
    (old / ".0123.part").write_bytes(b"half")
    (old / ".downloads" / "key.gguf.part.lock").touch()

    files = plan_move(old, new).files

    assert not [name for name in files if "0123" in name or name.endswith(".lock")]
    assert folder_bytes(old) == 12007
