"""A model in several parts is one download: each part is resumed and checked, all are installed together."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.core.download import DownloadState, Order, OrderPart
from engines.library import Origin
from engines.split_files import content_hash, parts_beside
from tests.app.core.downloading import Device, Process
from tests.engines.store.hub_server import HubServer, hub_server
from tests.engines.tiny_gguf import make_tiny_gguf

REPOSITORY = "owner/name"


@pytest.fixture(scope="session")
def contents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a model in three parts."""
    folder = tmp_path_factory.mktemp("parts")
    first = make_tiny_gguf(folder / "tiny-F16.gguf", reply="I am in parts.", tensors_per_part=9)
    return {path.name: path.read_bytes() for path in parts_beside(first)}


@pytest.fixture
def server(contents) -> Iterator[HubServer]:
    with hub_server() as running:
        running.files |= {f"{REPOSITORY}/F16/{name}": content for name, content in contents.items()}
        yield running


@pytest.fixture
def device(tmp_path: Path, server: HubServer) -> Device:
    return Device(tmp_path, server.hub)


@pytest.fixture
def start(device: Device) -> Iterator[Callable[[], Process]]:
    processes: list[Process] = []

    def begin() -> Process:
        processes.append(device.process())
        processes[-1].downloads.start()
        return processes[-1]

    yield begin
    for process in processes:
        process.close()


@pytest.fixture
def wanted(contents, server) -> Order:
    hashes = [hashlib.sha256(content).hexdigest() for content in contents.values()]
    return Order(
        repository=REPOSITORY,
        commit=server.commit,
        file="F16/tiny-F16.gguf",
        bytes=sum(map(len, contents.values())),
        sha256=content_hash(hashes),
        name="tiny",
        parts=tuple(
            OrderPart(f"F16/{name}", len(content), sha256)
            for (name, content), sha256 in zip(contents.items(), hashes, strict=True)
        ),
    )


def stalled(server: HubServer, process: Process, wanted: Order, part: int, at: int = 1000) -> int:
    """A download of which so many parts are whole, and the next one gets nothing more."""
    before = sum(file.bytes for file in wanted.parts[:part])
    bodies = iter(range(part))

    def next_body() -> None:
        if next(bodies, None) is None:
            server.faults.stall_after = at

    server.before_body = next_body
    download = process.downloads.add(wanted)
    process.wait(download.id, DownloadState.RUNNING, lambda shown: shown.done_bytes >= before + at)
    server.before_body = lambda: None
    server.faults.stall_after = None
    return download.id


def asked(server: HubServer) -> list[tuple[str, str | None]]:
    return [(seen.path[-19:-5], seen.headers.get("range")) for seen in server.bodies]


def test_all_parts_become_one_installed_model(start, wanted, contents, device):
    process = start()
    download = process.wait(process.downloads.add(wanted).id, DownloadState.DONE)
    [model] = process.installed()
    assert (model.id, model.origin, model.parts) == (download.model_id, Origin.DOWNLOADED, 3)
    assert [path.read_bytes() for path in model.paths] == list(contents.values())
    assert (model.bytes, model.source.file) == (wanted.bytes, "F16/tiny-F16.gguf")
    assert model.source.sha256 == wanted.sha256
    assert not list(device.arriving.iterdir())
    shown = [one.done_bytes for told in process.seen for one in told if one.state is DownloadState.RUNNING]
    assert shown == sorted(shown), "one progress over all parts"
    assert max(shown) <= wanted.bytes


def test_a_killed_download_goes_on_in_the_part_where_it_stood(start, wanted, server, device):
    first = start()
    stalled(server, first, wanted, part=1)
    first.close()
    before = len(server.bodies)
    again = start()
    [download] = again.downloads.list()
    again.wait(download.id, DownloadState.DONE)
    assert asked(server)[before:] == [
        ("00002-of-00003", "bytes=1000-"),
        ("00003-of-00003", None),
    ]
    assert len(again.installed()) == 1


def test_a_pause_keeps_whole_parts_and_a_cancel_deletes_all(start, wanted, server, device):
    process = start()
    number = stalled(server, process, wanted, part=2)
    arrived = sum(part.bytes for part in wanted.parts[:2]) + 1000
    process.downloads.pause(number)
    process.wait(number, DownloadState.PAUSED, lambda shown: shown.done_bytes == arrived)
    assert len([path for path in device.arriving.iterdir() if path.suffix == ".gguf"]) == 2
    process.downloads.cancel(number)
    process.close()
    assert not [path for path in device.arriving.iterdir() if path.suffix != ".lock"]


def test_a_damaged_part_is_refused_and_the_others_are_kept(start, wanted, server, device):
    bodies: list[int] = []

    def damage_second() -> None:
        bodies.append(len(bodies))
        server.faults.corrupt_at = 500 if len(bodies) == 2 else None

    server.before_body = damage_second
    process = start()
    number = process.downloads.add(wanted).id
    failed = process.wait(number, DownloadState.FAILED)
    assert failed.problem.name == "TransferDamaged"
    assert failed.problem.values["name"] == "tiny-F16-00002-of-00003.gguf"
    assert process.installed() == []
    process.downloads.retry(number)
    process.wait(number, DownloadState.DONE)
    assert [path for path, _ in asked(server)].count("00001-of-00003") == 1, "it was whole"


def test_a_part_that_is_gone_from_the_hub_is_told_by_its_name(start, wanted, server):
    del server.files[f"{REPOSITORY}/F16/tiny-F16-00003-of-00003.gguf"]
    process = start()
    failed = process.wait(process.downloads.add(wanted).id, DownloadState.FAILED)
    assert failed.problem.name == "HubFileMissing"
    assert process.installed() == []


def test_room_is_asked_for_all_parts_before_the_first_arrives(start, wanted, server, device):
    device.free_bytes = wanted.bytes + (64 << 20) - 1
    process = start()
    number = process.downloads.add(wanted).id
    paused = process.wait(number, DownloadState.PAUSED)
    assert paused.problem.name == "DownloadNeedsSpace"
    assert paused.done_bytes == 0
    device.free_bytes += 1
    process.downloads.resume(number)
    process.wait(number, DownloadState.DONE)


def test_what_is_here_already_is_not_downloaded_again(start, wanted, server, tmp_path, contents):
    process = start()
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    mine = process.library.add(tmp_path / next(iter(contents)))
    done = process.wait(process.downloads.add(wanted).id, DownloadState.DONE)
    assert done.model_id == mine.id
    assert server.bodies == []


def test_what_belongs_to_no_download_is_swept_away(start, wanted, server, device):
    process = start()
    number = stalled(server, process, wanted, part=1)
    process.close()
    process = device.process()
    process.table.remove(number)
    process.downloads.start()
    assert not [path for path in device.arriving.iterdir() if path.suffix == ".gguf"]
    process.close()


def test_cut_anywhere_again_and_again_it_arrives_intact(start, wanted, contents, server):
    dice = random.Random(7)
    server.faults.cuts = [dice.randrange(1, 150_000) for _ in range(40)]
    process = start()
    process.wait(process.downloads.add(wanted).id, DownloadState.DONE)
    [model] = process.installed()
    assert [path.read_bytes() for path in model.paths] == list(contents.values())
