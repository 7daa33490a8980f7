"""Moving the models to another folder, with the whole app around it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.core.errors import (
    AlreadyCompressing,
    FolderInvalid,
    FolderMissing,
    FolderTaken,
    FolderUnwritable,
    ModelsMoving,
    OtherProcess,
)
from app.core.models_folder import SUBFOLDER
from app.core.paths import Paths
from app.core.settings import SettingsStore
from app.services import Services, open_services
from engines.errors import NotEnoughDiskSpace
from engines.library import moving, starter
from tests.engines.asking import ask
from tests.engines.tiny_gguf import make_tiny_gguf

ROOT = Path(__file__).parents[3]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    monkeypatch.setenv("DAI_ENGINE_HOST", "thread")
    monkeypatch.setattr(starter, "STARTER_PACKAGE", "no_starter_package")
    paths = Paths(tmp_path / "home").create()
    make_tiny_gguf(paths.models / "mine.gguf", reply="I have moved.", name="Mine")
    return paths


@pytest.fixture
async def services(home: Paths) -> AsyncIterator[Services]:
    opened = open_services(home)
    yield opened
    await opened.close()


async def test_models_answer_from_their_new_folder_now_and_after_a_restart(
    services: Services, home: Paths, tmp_path: Path
) -> None:
    [before] = services.models.installed()
    await services.models.load(before.id)

    target = await services.models_folder.move(tmp_path / "new")

    [after] = services.models.installed()
    assert (after.id, after.path) == (before.id, target / "mine.gguf")
    assert services.models.loaded is None
    assert services.models.chosen() == after
    assert (await ask(await services.models.engine())).text == "I have moved."
    assert not home.models.exists()
    await services.close()
    restarted = open_services(home)
    try:
        assert restarted.models.installed() == [after]
        assert restarted.paths.models == target
        make_tiny_gguf(tmp_path / "more.gguf", reply="More.")
        added = await restarted.models.add(tmp_path / "more.gguf")
        assert added.path.parent == target
    finally:
        await restarted.close()


async def test_they_move_back_into_the_apps_own_folder(
    services: Services, home: Paths, tmp_path: Path
) -> None:
    await services.models_folder.move(tmp_path / "new")
    assert not services.models_folder.where().usual

    await services.models_folder.move(None)

    assert services.models_folder.where().usual
    assert SettingsStore(home.settings).current.models_folder is None
    assert [model.path.parent for model in services.models.installed()] == [home.models]
    assert not (tmp_path / "new").exists()


async def test_a_folder_with_other_things_gets_a_folder_for_the_models(
    services: Services, tmp_path: Path
) -> None:
    (tmp_path / "Documents").mkdir()
    (tmp_path / "Documents" / "letter.txt").write_text("Dear friend")

    target = await services.models_folder.move(tmp_path / "Documents")

    assert target == tmp_path / "Documents" / SUBFOLDER
    assert (target / "mine.gguf").exists()
    with pytest.raises(FolderTaken):
        services.models_folder.destination(tmp_path / "Documents")


async def test_nonsense_is_refused(services: Services, home: Paths, tmp_path: Path) -> None:
    destination = services.models_folder.destination
    (tmp_path / "file").touch()
    for wanted in ("", "relative/folder", str(tmp_path / "file"), "with\0zero"):
        with pytest.raises(FolderInvalid):
            destination(wanted)
    for taken in (home.models, home.models / "inside"):
        with pytest.raises(FolderTaken):
            destination(taken)
    assert destination(home.data) == home.data / SUBFOLDER
    assert destination("~/models of mine") == Path.home() / "models of mine"


@pytest.mark.desktop("permissions")
async def test_a_folder_that_cannot_be_written_is_refused(services: Services, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    (tmp_path / "locked").mkdir(mode=0o500)

    with pytest.raises(FolderUnwritable):
        services.models_folder.destination(tmp_path / "locked" / "new")


async def test_a_full_disk_leaves_everything_as_it_was(
    services: Services, home: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise NotEnoughDiskSpace(10, 5)

    monkeypatch.setattr("app.core.models_folder.bring", full)

    with pytest.raises(NotEnoughDiskSpace):
        await services.models_folder.move(tmp_path / "new")

    assert services.models_folder.folder == home.models
    assert (await ask(await services.models.engine())).text == "I have moved."
    assert not (home.data / "models-move.json").exists()


async def test_a_cancelled_move_is_taken_back(
    services: Services, home: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "_link", lambda source, target: False)
    loop, begun = asyncio.get_running_loop(), asyncio.Event()

    def progress(done: int, total: int) -> None:
        loop.call_soon_threadsafe(begun.set)
        asyncio.run_coroutine_threadsafe(cancelled.wait(), loop).result(20)

    cancelled = asyncio.Event()
    task = asyncio.create_task(services.models_folder.move(tmp_path / "new", progress))
    await begun.wait()
    with pytest.raises(ModelsMoving):
        await services.models.engine()
    with pytest.raises(ModelsMoving):
        await services.models.remove("sideloaded:mine")
    task.cancel()
    await asyncio.sleep(0)  # the cancellation arrives
    cancelled.set()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert services.models_folder.folder == home.models
    assert not (tmp_path / "new").exists()
    assert (await ask(await services.models.engine())).text == "I have moved."


async def test_another_process_that_uses_the_models_keeps_them_where_they_are(
    services: Services, home: Paths, tmp_path: Path
) -> None:
    other = open_services(home)
    try:
        with pytest.raises(OtherProcess):
            await services.models_folder.move(tmp_path / "new")
        with pytest.raises(OtherProcess):
            await other.models_folder.move(tmp_path / "new")
    finally:
        await other.close()
    await services.models_folder.move(tmp_path / "new")
    assert services.models_folder.folder == tmp_path / "new"


async def test_a_long_job_is_not_disturbed(services: Services, tmp_path: Path, monkeypatch) -> None:
    def busy() -> None:
        raise AlreadyCompressing

    monkeypatch.setattr(services.jobs, "check_idle", busy)

    with pytest.raises(AlreadyCompressing):
        await services.models_folder.move(tmp_path / "new")


async def test_a_folder_whose_disk_is_away_is_told_and_not_made_anew(home: Paths, tmp_path: Path) -> None:
    away = tmp_path / "disk" / "models"
    SettingsStore(home.settings).change(models_folder=str(away))

    opened = open_services(home)
    try:
        place = opened.models_folder.where()
        assert (place.folder, place.there, place.bytes) == (away, False, 0)
        assert opened.models.installed() == []
        with pytest.raises(FolderMissing):
            await opened.models_folder.move(tmp_path / "new")
        with pytest.raises(FolderMissing):
            await opened.models.add(make_tiny_gguf(tmp_path / "more.gguf"))
        away.mkdir(parents=True)
        assert (await opened.models.add(tmp_path / "more.gguf")).path.parent == away
    finally:
        await opened.close()


async def test_a_folder_that_will_not_come_back_is_given_up(home: Paths, tmp_path: Path) -> None:
    away = tmp_path / "disk" / "models"
    SettingsStore(home.settings).change(models_folder=str(away))
    opened = open_services(home)
    try:
        assert await opened.models_folder.give_up() == home.models
        assert [model.path.parent for model in opened.models.installed()] == [home.models]
        assert opened.models_folder.where().usual
        with pytest.raises(FolderTaken):
            await opened.models_folder.give_up()
    finally:
        await opened.close()
    assert not away.exists()


async def test_where_tells_how_much_is_there(services: Services, home: Paths) -> None:
    place = services.models_folder.where()

    assert place.folder == home.models
    assert place.usual
    assert place.bytes == (home.models / "mine.gguf").stat().st_size
    assert place.free_bytes > 0


@pytest.mark.desktop("child processes")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize("how", ["linking", "copying"])
def test_a_kill_at_any_step_loses_nothing_and_leaves_nothing_behind(tmp_path: Path, how: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.app.core.killed_moves", str(tmp_path / "kills"), how],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 10
