"""Small files are written as a whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.json_file import decoded_object, write_whole


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_whole(tmp_path / "new" / "file.json", {"a": 1})
    assert decoded_object((tmp_path / "new" / "file.json").read_bytes()) == {"a": 1}
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["file.json"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file.json"
    write_whole(path, {"a": 1})

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, {"a": 2})
    assert decoded_object((path).read_bytes()) == {"a": 1}
    assert [found.name for found in tmp_path.iterdir()] == ["file.json"]
