"""Moves the models again and again, and kills itself at one step after the other: `killed_moves.py FOLDER`.

Each move runs in a fork of this process, whose Nth change of a file is its last. What it leaves is then
opened as the next start would, and must be whole. Prints how many kills were survived.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from app.core.paths import Paths
from app.services import open_services
from engines.library import moving
from tests.engines.tiny_gguf import make_tiny_gguf

CHANGES = ("os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.mkdir", "open")
COPYING = "copying"


def main() -> None:
    home, how = Path(sys.argv[1]), sys.argv[2]
    if how == COPYING:
        moving._link = lambda source, target: False  # as between two disks
    whole = home / "whole"
    whole.mkdir(parents=True)
    for number in range(2):
        make_tiny_gguf(whole / f"model-{number}.gguf", reply=f"I am number {number}.")
    (whole / ".downloads").mkdir()
    (whole / ".downloads" / "key.gguf.part").write_bytes(b"half of a model")
    expected = content(whole)
    survived = 0
    while _killed_at(survived + 1, home, whole):
        survived += 1
        _check(home, expected)
    sys.stdout.write(f"{survived}\n")


def _killed_at(step: int, home: Path, whole: Path) -> bool:
    """Begin anew, move, and be killed at this step; False if the move came to its end before."""
    for name in ("data", "new"):
        shutil.rmtree(home / name, ignore_errors=True)
    paths = Paths(home / "data").create()
    shutil.copytree(whole, paths.models, dirs_exist_ok=True)
    child = os.fork()
    if child == 0:
        services = open_services(paths)
        left = [step]

        def watch(event: str, arguments: tuple[Any, ...]) -> None:
            if event not in CHANGES or not str(arguments[0]).startswith(str(home)):
                return
            if event == "open" and "w" not in str(arguments[1]) and "x" not in str(arguments[1]):
                return
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(watch)
        asyncio.run(services.models_folder.move(home / "new"))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the move failed"
    return os.WIFSIGNALED(status)


def _check(home: Path, expected: dict[str, bytes]) -> None:
    child = os.fork()
    if child == 0:  # as the next start does
        services = open_services(Paths(home / "data"))
        folder = services.models_folder.folder
        others = {home / "new", home / "data" / "models"} - {folder}
        assert content(folder) == expected, folder
        assert all(content(other) == {} for other in others), "a copy was left behind"
        assert len(services.models.installed()) >= 2
        assert not (home / "data" / "models-move.json").exists()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status == 0, "what a kill left is not whole"


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


if __name__ == "__main__":
    main()
