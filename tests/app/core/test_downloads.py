"""Downloads survive whatever happens to the app, the network and the disk."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.core.download import DownloadState, Order
from app.core.network.ledger import Ledger, Purpose
from app.core.network.offline import OfflineSwitch
from app.core.network.outgoing import Outgoing
from app.core.settings import SettingsStore
from app.core.strings import Strings
from engines.library import Origin
from tests.app.core.downloading import Device, Process, order
from tests.engines.store.hub_server import HubServer, hub_server
from tests.engines.tiny_gguf import make_tiny_gguf

ROOT = Path(__file__).parents[3]
PATH = "owner/name/tiny-Q8_0.gguf"
HALF = 300_000


@pytest.fixture
def server() -> Iterator[HubServer]:
    with hub_server() as running:
        yield running


@pytest.fixture(scope="session")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make_tiny_gguf(tmp_path_factory.mktemp("tiny") / "tiny.gguf", name="Tiny").read_bytes()


@pytest.fixture
def device(tmp_path: Path, server: HubServer, content: bytes) -> Device:
    server.files[PATH] = content
    return Device(tmp_path, server.hub)


@pytest.fixture
def start(device: Device) -> Iterator[Callable[[], Process]]:
    """Starts one process more; all are closed at the end."""
    processes: list[Process] = []

    def begin() -> Process:
        processes.append(device.process())
        return processes[-1]

    yield begin
    for process in processes:
        process.close()


@pytest.fixture
def wanted(content: bytes) -> Order:
    return order(content, hashlib.sha256(content).hexdigest())


def stalled(server: HubServer, process: Process, wanted: Order, at: int = HALF) -> int:
    """A download that has come so far and gets nothing more."""
    server.faults.stall_after = at
    download = process.downloads.add(wanted)
    process.wait(download.id, DownloadState.RUNNING, lambda shown: shown.done_bytes >= at)
    server.faults.stall_after = None
    return download.id


def files(device: Device) -> list[str]:
    return sorted(path.name for path in device.arriving.iterdir()) if device.arriving.is_dir() else []


def ranges(server: HubServer) -> list[str | None]:
    return [seen.headers.get("range") for seen in server.bodies]


def test_a_chosen_file_becomes_an_installed_model(start, wanted, device, content):
    process = start()
    process.downloads.start()
    download = process.wait(process.downloads.add(wanted).id, DownloadState.DONE)
    [model] = process.installed()
    assert (model.id, model.origin) == (download.model_id, Origin.DOWNLOADED)
    assert model.path.read_bytes() == content
    assert (model.source.repository, model.source.file) == ("owner/name", "tiny-Q8_0.gguf")
    assert (model.source.revision, model.source.sha256) == (wanted.commit, wanted.sha256)
    assert files(device) == []
    assert download.problem is None
    assert download.fraction == 1.0


def test_listeners_are_told_how_far_it_is(start, wanted, server, content):
    process = start()
    process.downloads.start()
    number = stalled(server, process, wanted)
    running = process.downloads.get(number)
    assert (running.done_bytes, running.total_bytes) == (HALF, len(content))
    assert running.fraction == pytest.approx(HALF / len(content))
    process.downloads.pause(number)
    process.downloads.resume(number)
    process.wait(number, DownloadState.DONE)
    told = process.states(number)
    assert told[0] is DownloadState.QUEUED
    assert DownloadState.RUNNING in told
    assert told[-1] is DownloadState.DONE


def test_a_paused_download_keeps_what_arrived_and_goes_on_behind_it(start, wanted, server, device):
    process = start()
    process.downloads.start()
    number = stalled(server, process, wanted)
    process.downloads.pause(number)
    paused = process.wait(number, DownloadState.PAUSED, lambda shown: shown.done_bytes == HALF)
    assert paused.problem is None
    assert f"{wanted.key}.gguf.part" in files(device)
    process.downloads.resume(number)
    process.wait(number, DownloadState.DONE)
    assert ranges(server) == [None, f"bytes={HALF}-"]


def test_a_held_download_lets_go_of_its_files_and_goes_on_where_it_stood(start, wanted, server, device):
    process = start()
    process.downloads.start()
    number = stalled(server, process, wanted)
    process.downloads.hold()
    assert f"{wanted.key}.gguf.part" in files(device)
    assert not [name for name in files(device) if name.endswith(".lock")]
    assert process.downloads.get(number).state.active
    process.downloads.go_on()
    process.wait(number, DownloadState.DONE)
    assert ranges(server) == [None, f"bytes={HALF}-"]


def test_a_cancelled_download_leaves_nothing(start, wanted, server, device):
    process = start()
    process.downloads.start()
    number = stalled(server, process, wanted)
    process.downloads.cancel(number)
    process.close()
    assert process.installed() == []
    assert files(device) == []


def test_a_paused_download_can_be_cancelled_without_anybody_working(start, wanted, server, device):
    process = start()
    process.downloads.start()
    number = stalled(server, process, wanted)
    process.downloads.pause(number)
    process.close()
    other = start()
    other.downloads.cancel(number)
    assert other.downloads.list() == ()
    assert files(device) == []


def test_another_process_pauses_resumes_and_cancels(start, wanted, server, device):
    window, terminal = start(), start()
    window.downloads.start()
    number = stalled(server, window, wanted)
    terminal.downloads.pause(number)
    window.wait(number, DownloadState.PAUSED, lambda shown: shown.done_bytes == HALF)
    assert terminal.downloads.get(number).done_bytes == HALF
    server.faults.stall_after = 1000
    terminal.downloads.resume(number)
    window.wait(number, DownloadState.RUNNING, lambda shown: shown.done_bytes == HALF + 1000)
    terminal.downloads.cancel(number)
    window.close()
    assert files(device) == []


def test_one_file_wanted_by_two_processes_is_fetched_once(start, wanted, server):
    window, terminal = start(), start()
    window.downloads.start()
    number = stalled(server, window, wanted)
    assert terminal.downloads.add(wanted).id == number
    terminal.downloads.run_here(number)
    assert terminal.downloads.get(number).state is DownloadState.RUNNING
    window.downloads.pause(number)
    window.wait(number, DownloadState.PAUSED)
    window.downloads.resume(number)
    terminal.wait(number, DownloadState.DONE)
    assert len(window.installed()) == 1
    assert len(server.bodies) == 2


def test_a_process_works_on_nothing_but_what_it_was_told(start, wanted, server, content):
    server.files["owner/name/other.gguf"] = content[:-1]
    terminal = start()
    other = terminal.downloads.add(order(content[:-1], None, file="other.gguf"))
    mine = terminal.downloads.add(wanted)
    terminal.downloads.run_here(mine.id)
    terminal.wait(mine.id, DownloadState.DONE)
    assert terminal.downloads.get(other.id).state is DownloadState.QUEUED
    assert [seen.path for seen in server.bodies] == [f"/{PATH}"]


def test_two_are_fetched_at_once_and_the_third_waits_its_turn(start, server, content):
    process = start()
    server.faults.stall_after = 1000
    names = ["a.gguf", "b.gguf", "c.gguf"]
    for name in names:
        server.files[f"owner/name/{name}"] = content
    ids = [process.downloads.add(order(content, None, file=name)).id for name in names]
    process.downloads.start()
    for number in ids[:2]:
        process.wait(number, DownloadState.RUNNING, lambda shown: shown.done_bytes == 1000)
    assert process.downloads.get(ids[2]).state is DownloadState.QUEUED
    server.faults.stall_after = None
    process.downloads.cancel(ids[0])
    process.wait(ids[2], DownloadState.DONE)


def test_what_the_app_left_when_it_was_closed_goes_on_at_the_next_start(start, wanted, server):
    process = start()
    process.downloads.start()
    number = stalled(server, process, wanted)
    process.close()
    again = start()
    assert again.downloads.get(number).done_bytes == HALF
    again.downloads.start()
    again.wait(number, DownloadState.DONE)
    assert ranges(server) == [None, f"bytes={HALF}-"]


@pytest.mark.desktop("child processes")
@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")
@pytest.mark.slow
def test_what_a_kill_has_left_goes_on_at_the_next_start(start, wanted, server, device):
    server.faults.stall_after = HALF
    process = start()
    number = process.downloads.add(wanted).id
    program = [
        sys.executable,
        str(Path(__file__).with_name("endless_download.py")),
        str(device.folder),
        server.hub,
    ]
    with subprocess.Popen(
        program, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout.readline() == f"{HALF}\n".encode()
        child.send_signal(signal.SIGKILL)
    server.faults.stall_after = None
    process.downloads.start()
    process.wait(number, DownloadState.DONE)
    assert ranges(server) == [None, f"bytes={HALF}-"]


def test_a_whole_file_that_a_kill_left_uninstalled_is_not_fetched_again(
    start, wanted, server, device, content
):
    process = start()
    download = process.downloads.add(wanted)
    process.table.report(download.id, DownloadState.RUNNING, len(content))
    device.arriving.mkdir()
    (device.arriving / f"{wanted.key}.gguf").write_bytes(content)
    process.downloads.start()
    process.wait(download.id, DownloadState.DONE)
    assert len(process.installed()) == 1
    assert server.bodies == []


def test_a_whole_file_that_was_spoilt_meanwhile_is_fetched_again(start, wanted, server, device, content):
    process = start()
    download = process.downloads.add(wanted)
    device.arriving.mkdir()
    (device.arriving / f"{wanted.key}.gguf").write_bytes(bytes(len(content)))
    process.downloads.start()
    process.wait(download.id, DownloadState.DONE)
    assert process.installed()[0].path.read_bytes() == content
    assert len(server.bodies) == 1


def test_a_model_that_a_kill_left_installed_but_unnoted_is_not_fetched_again(
    start, wanted, server, device, content
):
    process = start()
    download = process.downloads.add(wanted)
    arrived = device.folder / "arrived"
    arrived.write_bytes(content)
    model = process.library.adopt(arrived, "tiny", wanted.arrived(len(content), wanted.sha256))
    process.downloads.start()
    assert process.wait(download.id, DownloadState.DONE).model_id == model.id
    assert process.installed() == [model]
    assert server.seen == []


def test_a_model_that_is_here_under_another_name_is_not_downloaded(start, wanted, server, device, content):
    process = start()
    copy = device.folder / "از قبل.gguf"
    copy.write_bytes(content)
    model = process.library.add(copy)
    process.downloads.start()
    assert process.wait(process.downloads.add(wanted).id, DownloadState.DONE).model_id == model.id
    assert server.seen == []


def test_without_a_network_it_waits_and_goes_on_by_itself(start, wanted, server, device):
    process = start()
    server.faults.status = [(503, {})] * 2
    process.downloads.start()
    number = process.downloads.add(wanted).id
    waiting = process.wait(number, DownloadState.WAITING)
    assert waiting.problem.name == "HubBusy"
    assert "127.0.0.1" in Strings("en").error_named(waiting.problem.name, **waiting.problem.values)
    device.clock.now += 60
    process.wait(number, DownloadState.DONE)


def test_offline_by_choice_it_waits_and_goes_on_when_the_switch_is_turned_back(
    start, wanted, server, device, tmp_path, monkeypatch
):
    settings = SettingsStore(tmp_path / "settings.json")
    ledger, switch = Ledger(tmp_path / "ledger.db"), OfflineSwitch(settings)
    device.open_client = Outgoing(ledger, switch).opener(Purpose.HUB)
    monkeypatch.setattr("app.core.network.offline.is_this_device", lambda host: False)
    process = start()
    switch.subscribe(lambda on: None if on else process.downloads.try_again())
    switch.turn(on=True)
    process.downloads.start()
    number = process.downloads.add(wanted).id
    assert process.wait(number, DownloadState.WAITING).problem.name == "OfflineChosen"
    assert server.seen == []
    switch.turn(on=False)
    process.wait(number, DownloadState.DONE)
    process.close()
    assert sum(total.received_bytes for total in ledger.totals()) >= wanted.bytes
    ledger.close()


def test_a_captive_portal_is_waited_for_and_takes_nothing_away(start, wanted, server, device):
    process = start()
    process.downloads.start()
    number = stalled(server, process, wanted)
    process.downloads.pause(number)
    process.wait(number, DownloadState.PAUSED, lambda shown: shown.done_bytes == HALF)
    server.faults.page = True
    process.downloads.resume(number)
    assert process.wait(number, DownloadState.WAITING).problem.name == "HubAnswerBroken"
    server.faults.page = False
    device.clock.now += 60
    process.wait(number, DownloadState.DONE)
    assert ranges(server)[-1] == f"bytes={HALF}-"


def test_who_does_not_want_to_wait_goes_on_at_once(start, wanted, server):
    process = start()
    server.faults.status = [(503, {})] * 2
    process.downloads.start()
    number = process.downloads.add(wanted).id
    process.wait(number, DownloadState.WAITING)
    process.downloads.resume(number)
    process.wait(number, DownloadState.DONE)


def test_waits_get_longer_while_nothing_arrives(start, wanted, server, device):
    process = start()
    server.faults.status = [(503, {})] * 100
    process.downloads.start()
    number = process.downloads.add(wanted).id
    for times, seconds in enumerate((20, 40, 80), 1):
        process.wait(number, DownloadState.WAITING, lambda _, asked=2 * times: len(server.seen) == asked)
        process.look_twice(number)
        device.clock.now += seconds - 1
        process.look_twice(number)
        assert len(server.seen) == 2 * times
        device.clock.now += 2


def test_a_full_disk_pauses_keeps_the_part_and_tells_what_is_missing(start, wanted, server, device, content):
    process = start()
    process.downloads.start()
    number = stalled(server, process, wanted)
    process.downloads.pause(number)
    process.wait(number, DownloadState.PAUSED, lambda shown: shown.done_bytes == HALF)
    device.free_bytes = 1_000
    process.downloads.resume(number)
    full = process.wait(number, DownloadState.PAUSED, lambda shown: shown.problem is not None)
    assert full.problem.name == "DownloadNeedsSpace"
    assert full.problem.values["missing_bytes"] == len(content) - HALF + (64 << 20) - 1_000
    assert "MB" in Strings("en").error_named(full.problem.name, **full.problem.values)
    device.free_bytes = 1 << 40
    process.downloads.resume(number)
    process.wait(number, DownloadState.DONE)
    assert ranges(server)[-1] == f"bytes={HALF}-"


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda whole: b"GGUF" + bytes(1000), "ModelFileDamaged"),
        (lambda whole: whole[:-100], "ModelFileDamaged"),
    ],
)
def test_what_arrives_sound_but_is_no_model_is_not_kept(start, server, device, content, make, problem):
    wrong = make(content)
    server.files[PATH] = wrong
    process = start()
    process.downloads.start()
    number = process.downloads.add(order(wrong, hashlib.sha256(wrong).hexdigest())).id
    failed = process.wait(number, DownloadState.FAILED)
    assert (failed.problem.name, failed.problem.values["name"]) == (problem, "tiny-Q8_0.gguf")
    assert files(device) == []
    assert process.installed() == []


def test_a_file_that_changed_on_the_hub_is_not_taken_until_the_user_wants_it(
    start, wanted, server, content, device
):
    process = start()
    process.downloads.start()
    number = stalled(server, process, wanted)
    process.downloads.pause(number)
    process.wait(number, DownloadState.PAUSED, lambda shown: shown.done_bytes == HALF)
    changed = content + bytes(32)
    server.files[PATH] = changed
    process.downloads.resume(number)
    assert process.wait(number, DownloadState.FAILED).problem.name == "HubFileChanged"
    server.commit = "beef" * 10
    process.downloads.retry(number)
    done = process.wait(number, DownloadState.DONE)
    assert (done.order.commit, done.total_bytes) == (server.commit, len(changed))
    assert process.installed()[0].path.read_bytes() == changed
    assert ranges(server)[-1] is None
    assert files(device) == []


def test_a_file_that_is_gone_is_told_also_after_a_retry(start, wanted, server):
    process = start()
    del server.files[PATH]
    server.models["owner/name"] = {}
    process.downloads.start()
    number = process.downloads.add(wanted).id
    assert process.wait(number, DownloadState.FAILED).problem.name == "HubFileMissing"
    process.seen.clear()
    process.downloads.retry(number)
    failed = process.wait(
        number, DownloadState.FAILED, lambda _: DownloadState.QUEUED in process.states(number)
    )
    assert failed.problem.values["name"] == "tiny-Q8_0.gguf"


def test_a_mirror_that_tells_neither_size_nor_hash_is_believed_and_its_file_is_known_afterwards(
    start, server, content
):
    server.faults.linked_headers = False
    process = start()
    process.downloads.start()
    number = process.downloads.add(order(content, None, bytes=None)).id
    done = process.wait(number, DownloadState.DONE)
    assert (done.total_bytes, done.order.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert process.installed()[0].source.sha256 == done.order.sha256


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("sub/folder/tiny.gguf", "tiny.gguf"),
        ("مدل 🌙.gguf", "مدل 🌙.gguf"),
        ("con.gguf", "_con.gguf"),
        ("a" * 300 + ".gguf", "a" * 200 + ".gguf"),
    ],
)
def test_a_name_from_the_hub_cannot_leave_the_folder_of_models(start, server, device, content, file, name):
    server.files[f"owner/name/{file}"] = content
    process = start()
    wanted = order(content, hashlib.sha256(content).hexdigest(), file=file)
    process.downloads.start()
    process.wait(process.downloads.add(wanted).id, DownloadState.DONE)
    assert [model.path.name for model in process.installed()] == [name]


def test_a_path_that_leaves_the_repository_brings_nothing(start, device, content):
    process = start()
    process.downloads.start()
    number = process.downloads.add(order(content, None, file="x/../../../../evil.gguf")).id
    process.wait(number, DownloadState.FAILED)
    assert process.installed() == []
    assert files(device) == []
    assert not list(device.folder.parent.rglob("*evil*"))


def test_a_gated_model_is_told_and_goes_on_with_a_token(start, wanted, server, device):
    server.token = "hf_secret"
    process = start()
    process.downloads.start()
    number = process.downloads.add(wanted).id
    assert process.wait(number, DownloadState.FAILED).problem.name == "HubGated"
    device.token = "hf_secret"
    process.downloads.retry(number)
    process.wait(number, DownloadState.DONE)
    assert all("authorization" not in seen.headers for seen in server.bodies)
    assert b"hf_secret" not in (device.folder / "downloads.db").read_bytes()


def test_what_is_done_is_off_the_list_at_the_next_start(start, wanted):
    process = start()
    process.downloads.start()
    process.wait(process.downloads.add(wanted).id, DownloadState.DONE)
    process.close()
    again = start()
    again.downloads.start()
    assert again.downloads.list() == ()
    assert len(again.installed()) == 1


def test_what_is_done_can_be_dismissed_and_what_is_not_stays(start, wanted, server):
    process = start()
    process.downloads.start()
    number = stalled(server, process, wanted)
    process.downloads.dismiss(number)
    process.downloads.pause(number)
    process.downloads.resume(number)
    process.wait(number, DownloadState.DONE)
    process.downloads.dismiss(number)
    assert process.downloads.list() == ()


def test_a_removed_model_can_be_downloaded_again(start, wanted, server):
    process = start()
    process.downloads.start()
    number = process.downloads.add(wanted).id
    process.library.remove(process.wait(number, DownloadState.DONE).model_id)
    process.seen.clear()
    assert process.downloads.add(wanted).id == number
    process.wait(number, DownloadState.DONE)
    assert len(process.installed()) == 1
    assert len(server.bodies) == 2


def test_a_damaged_list_is_put_aside_and_the_app_starts(start, wanted, device):
    (device.folder / "downloads.db").write_bytes(b"no database" * 1000)
    process = start()
    assert process.downloads.list() == ()
    process.downloads.start()
    process.wait(process.downloads.add(wanted).id, DownloadState.DONE)
    assert next(device.folder.glob("downloads.db.damaged-*")).read_bytes().startswith(b"no database")


def test_parts_that_belong_to_nothing_are_swept_away_at_the_start(start, device):
    process = start()
    device.arriving.mkdir()
    (device.arriving / "0123.gguf.part").write_bytes(b"GGUF")
    (device.arriving / "0123.gguf.part.json").write_bytes(b"{}")
    process.downloads.start()
    assert files(device) == []
