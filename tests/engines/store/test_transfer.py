"""The download of one file: whatever happens, it arrives intact or is not there at all."""

import asyncio
import errno
import hashlib
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engines.errors import (
    DownloadInProgress,
    DownloadNeedsSpace,
    HubAnswerBroken,
    HubBusy,
    HubFileChanged,
    HubFileMissing,
    HubGated,
    HubRefused,
    HubTokenRejected,
    HubUnreachable,
    TransferDamaged,
)
from engines.store.connection import HubAccess, HubConnection
from engines.store.part import Part, discard_part, note_path, part_path
from engines.store.transfer import RESERVE_BYTES, Patience, Source, Transfer
from tests.engines.store.hub_server import HubServer

PATH = "owner/name/model.gguf"
ROOT = Path(__file__).parents[3]


def content_of(size: int, seed: int = 1) -> bytes:
    return b"GGUF" + random.Random(seed).randbytes(size - 4)


@pytest.fixture
def content(server: HubServer) -> bytes:
    """A file on the hub."""
    server.files[PATH] = content_of(600_000)
    return server.files[PATH]


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "model.gguf"


@pytest.fixture
def waits() -> list[float]:
    """How long the transfer would have waited."""
    return []


@pytest.fixture
def transfer(
    server: HubServer, connection: HubConnection, content: bytes, target: Path, waits: list[float]
) -> Callable[..., Transfer]:
    """Makes a transfer that waits for nothing."""

    async def wait(seconds: float) -> None:
        waits.append(seconds)

    def make(known: bool = True, **options: Any) -> Transfer:
        data = server.files[PATH]
        source = Source(server.url(PATH), "owner/name", "model.gguf", beginning=b"GGUF")
        if known:
            size, sha256 = options.pop("size", len(data)), hashlib.sha256(data).hexdigest()
            source = Source(source.url, source.repository, source.name, size, sha256, source.beginning)
        return Transfer(connection, source, target, **({"wait": wait} | options))

    return make


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_a_file_arrives_whole_and_nothing_else_stays(transfer, content, target):
    told: list[tuple[int, int]] = []
    arrived = await transfer(progress=lambda done, total: told.append((done, total))).run()
    assert (arrived.path, arrived.size) == (target, len(content))
    assert arrived.sha256 == hashlib.sha256(content).hexdigest()
    assert target.read_bytes() == content
    assert left_in(target.parent) == {"model.gguf"}
    assert told[0] == (0, len(content))
    assert told[-1] == (len(content), len(content))
    assert sorted(told) == told


async def test_the_token_goes_to_the_hub_and_to_nobody_else(transfer, server):
    await transfer().run()
    assert [seen.headers.get("authorization") for seen in server.seen] == ["Bearer hf_secret", None]


async def test_the_app_introduces_itself_and_asks_for_no_compression(transfer, server):
    await transfer().run()
    for seen in server.seen:
        assert seen.headers["user-agent"].startswith("dai-chat/")
        assert seen.headers["accept-encoding"] == "identity"


async def test_what_was_cut_off_goes_on_behind_what_arrived(transfer, server, content, target):
    server.faults.cuts = [1000, 200_000]
    await transfer().run()
    assert target.read_bytes() == content
    assert [seen.headers.get("range") for seen in server.bodies] == [None, "bytes=1000-", "bytes=201000-"]


async def test_a_download_cut_off_at_a_hundred_places_arrives_intact(transfer, server, content, target):
    places = random.Random(20)
    server.faults.cuts = [places.randrange(0, 12_000) for _ in range(100)]
    await transfer().run()
    assert target.read_bytes() == content
    assert len(server.bodies) > 40


async def test_an_attempt_that_brings_something_starts_the_count_of_failures_again(transfer, server):
    server.faults.cuts = [1, 0, 0] * 5
    await transfer(patience=Patience(attempts=3)).run()


async def test_a_paused_download_goes_on_later(transfer, server, content, target):
    server.faults.stall_after = 100_000
    reached = asyncio.Event()
    running = asyncio.create_task(
        transfer(progress=lambda done, _: reached.set() if done == 100_000 else None).run()
    )
    await reached.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert left_in(target.parent) == {"model.gguf.part", "model.gguf.part.json"}
    server.faults.stall_after = None
    await transfer().run()
    assert target.read_bytes() == content
    assert server.bodies[-1].headers["range"] == "bytes=100000-"


async def test_silence_is_given_up(server, content, target):
    begin(target, content[:5], note_of(content))
    server.faults.stall_after = 0
    impatient = HubConnection(HubAccess(server.hub, silence_seconds=0.2))
    source = Source(server.url(PATH), "owner/name", "model.gguf")
    with pytest.raises(HubUnreachable):
        await Transfer(impatient, source, target, patience=Patience(attempts=1, first_wait=0)).run()
    await impatient.close()
    assert part_path(target).read_bytes() == content[:5]


def kill_a_download(server: HubServer, target: Path, arrived: int) -> None:
    """Start one in a process of its own, and kill that when the part has so many bytes."""
    server.faults.stall_after = arrived
    command = [sys.executable, str(Path(__file__).with_name("endless_download.py"))]
    process = subprocess.Popen(
        [*command, server.hub, server.url(PATH), str(target)], env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    try:
        assert server.stalled.wait(60)
        while part_path(target).stat().st_size < arrived:  # on its way through the sockets
            assert process.poll() is None
    finally:
        process.kill()
        process.wait()
    server.faults.stall_after = None


@pytest.mark.slow
@pytest.mark.desktop("child processes")
@pytest.mark.parametrize("arrived", [1, 300_000, 599_999])
async def test_a_killed_download_goes_on_where_it_stood(transfer, server, content, target, arrived):
    await asyncio.to_thread(kill_a_download, server, target, arrived)
    await transfer().run()
    assert target.read_bytes() == content
    assert server.bodies[-1].headers["range"] == f"bytes={arrived}-"
    assert left_in(target.parent) == {"model.gguf"}


@pytest.mark.slow
@pytest.mark.desktop("child processes")
def test_whenever_a_download_is_killed_it_ends_with_the_right_file(server, target, monkeypatch):
    """Twenty kills and more, over and over until the file is there; then from its beginning."""
    server.files[PATH] = content = content_of(2_000_000)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    program = [sys.executable, str(Path(__file__).with_name("killed_download.py"))]
    dice, kills, arrivals = random.Random(7), 0, 0

    def run(step: int) -> bool:
        """Whether it came to its end before this step."""
        ended = subprocess.run([*program, server.hub, server.url(PATH), str(target), str(step)], timeout=300)
        assert ended.returncode in (0, -signal.SIGKILL)
        assert ended.returncode != 0 or target.is_file()
        return ended.returncode == 0

    while kills < 20 or arrivals == 0:  # so that one was near the end
        if run(dice.randrange(1, 30)):
            arrivals += 1
        else:
            kills += 1
        if target.exists():
            assert target.read_bytes() == content
            target.unlink()
    while not run(1_000_000):
        pass

    assert hashlib.sha256(target.read_bytes()).digest() == hashlib.sha256(content).digest()
    assert left_in(target.parent) == {"model.gguf"}
    assert sum("range" in body.headers for body in server.bodies) >= 5, "it mostly began anew"


async def test_two_transfers_do_not_write_one_file(transfer, server, content, target):
    server.faults.stall_after = 10
    reached = asyncio.Event()
    first = asyncio.create_task(
        transfer(progress=lambda done, _: reached.set() if done == 10 else None).run()
    )
    await reached.wait()
    with pytest.raises(DownloadInProgress):
        await transfer().run()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    server.faults.stall_after = None
    await transfer().run()
    assert target.read_bytes() == content


def begin(target: Path, arrived: bytes, note: str | None) -> None:
    """What an earlier process left."""
    part_path(target).write_bytes(arrived)
    if note is not None:
        note_path(target).write_text(note)


def note_of(content: bytes, **more: Any) -> str:
    linked = {"content": hashlib.sha256(content).hexdigest()}
    values = {"total": len(content)} | (more or linked)
    return str(values).replace("'", '"')


@pytest.mark.parametrize("linked", [True, False])
async def test_another_file_of_the_same_name_and_length_is_fetched_from_its_beginning(
    transfer, server, content, target, linked
):
    server.faults.linked_headers = linked
    server.faults.cuts = [250_000]
    changed = content_of(600_000, seed=2)

    def change_before_the_second() -> None:
        if len(server.bodies) == 2:
            server.files[PATH] = changed

    server.before_body = change_before_the_second
    await transfer(known=False).run()
    assert target.read_bytes() == changed


async def test_a_file_that_changed_between_pause_and_going_on_is_not_mixed(transfer, server, target):
    old = content_of(600_000, seed=3)
    begin(target, old[:400_000], note_of(old))
    await transfer(known=False).run()
    assert target.read_bytes() == server.files[PATH]


async def test_a_file_that_is_not_the_chosen_one_any_more_is_not_fetched(transfer, server, target):
    chosen = transfer()
    server.files[PATH] = content_of(600_000, seed=2)
    with pytest.raises(HubFileChanged):
        await chosen.run()
    assert len(server.bodies) == 1
    assert not target.exists()


async def test_a_file_that_became_shorter_than_its_part_starts_again(transfer, server, content, target):
    old = content_of(700_000, seed=4)
    begin(target, old[:650_000], note_of(old, etag="old"))
    server.faults.linked_headers = False
    await transfer(known=False).run()
    assert target.read_bytes() == content


@pytest.mark.parametrize("note", [None, "{", '{"total": 5}', '{"total": 600000, "more": 1}'])
async def test_a_part_of_which_nobody_knows_what_it_is_is_not_used(transfer, content, target, note):
    begin(target, b"GGUF" + bytes(1000), note)
    await transfer().run()
    assert target.read_bytes() == content


async def test_a_host_that_ignores_ranges_costs_traffic_and_nothing_else(transfer, server, content, target):
    server.faults.ignore_range = True
    server.faults.cuts = [100_000, 50_000, 300_000]
    told: list[int] = []
    await transfer(progress=lambda done, _: told.append(done)).run()
    assert target.read_bytes() == content
    assert sorted(told) == told


async def test_a_range_that_was_not_asked_for_is_refused(transfer, server, target):
    server.faults.cuts = [1000]
    server.faults.wrong_range = True
    with pytest.raises(HubAnswerBroken):
        await transfer().run()
    assert not target.exists()


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/octet-stream"])
@pytest.mark.parametrize("known", [True, False])
async def test_the_page_of_a_captive_portal_is_no_model(transfer, server, target, kind, known):
    server.faults.page, server.faults.portal_type = True, kind
    with pytest.raises(HubAnswerBroken):
        await transfer(known=known).run()
    assert left_in(target.parent) == set()


@pytest.mark.parametrize("kind", ["text/html", "application/octet-stream"])
async def test_a_captive_portal_takes_nothing_away_from_what_arrived(transfer, server, content, target, kind):
    begin(target, content[:300_000], note_of(content))
    server.faults.page, server.faults.portal_type = True, kind
    with pytest.raises(HubAnswerBroken):
        await transfer().run()
    server.faults.page = False
    await transfer().run()
    assert target.read_bytes() == content
    assert server.bodies[-1].headers["range"] == "bytes=300000-"


@pytest.mark.parametrize("claimed", [600_001, 599_999, 10])
@pytest.mark.parametrize("linked", [True, False])
async def test_a_length_that_is_a_lie_is_refused_and_takes_nothing_away(
    transfer, server, content, target, claimed, linked
):
    server.faults.linked_headers = linked
    server.faults.claimed_length = claimed
    with pytest.raises(HubAnswerBroken):
        await transfer().run()
    assert left_in(target.parent) == set()
    begin(target, content[:1000], note_of(content))
    server.faults.ignore_range = True
    with pytest.raises(HubAnswerBroken):
        await transfer().run()
    assert part_path(target).read_bytes() == content[:1000]


async def test_a_size_that_is_not_the_chosen_one_any_more_is_told(transfer, target):
    with pytest.raises(HubFileChanged):
        await transfer(size=599_999).run()
    assert left_in(target.parent) == set()


async def test_more_bytes_than_announced_leave_nothing(transfer, server, target):
    server.faults.chunked, server.faults.linked_headers = True, False
    with pytest.raises(TransferDamaged):
        await transfer(size=599_999).run()
    assert left_in(target.parent) == set()


async def test_a_file_without_any_length_is_refused(transfer, server, target):
    server.faults.chunked, server.faults.linked_headers = True, False
    with pytest.raises(HubAnswerBroken):
        await transfer(known=False).run()
    assert left_in(target.parent) == set()


async def test_a_body_without_a_length_of_its_own_is_fine_where_the_hub_tells_it(
    transfer, server, content, target
):
    server.faults.chunked = True
    await transfer().run()
    assert target.read_bytes() == content


async def test_a_wrong_hash_leaves_nothing(transfer, server, target):
    server.faults.corrupt_at = 500_000
    with pytest.raises(TransferDamaged):
        await transfer().run()
    assert left_in(target.parent) == set()


async def test_a_part_that_a_power_cut_has_spoilt_is_fetched_once_more(transfer, server, content, target):
    begin(target, content[:200_000] + bytes(100_000), note_of(content))
    await transfer().run()
    assert target.read_bytes() == content


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        (401, {}, HubTokenRejected),
        (401, {"X-Error-Code": "GatedRepo"}, HubGated),
        (403, {"X-Error-Code": "GatedRepo"}, HubGated),
        (403, {}, HubRefused),
        (404, {}, HubFileMissing),
        (410, {}, HubFileMissing),
        (418, {}, HubAnswerBroken),
    ],
)
async def test_a_refusal_is_named_at_once_and_keeps_the_part(
    transfer, server, content, target, status, headers, error, waits
):
    begin(target, content[:1000], note_of(content))
    server.faults.status = [(status, headers)]
    with pytest.raises(error):
        await transfer().run()
    assert waits == []
    assert part_path(target).read_bytes() == content[:1000]


async def test_a_gated_model_tells_where_its_terms_stand(transfer, server):
    server.token = "hf_other"
    with pytest.raises(HubGated) as refused:
        await transfer().run()
    assert refused.value.url == f"{server.hub}/owner/name"
    assert "hf_" not in f"{refused.value!r}{vars(refused.value)}"


async def test_a_busy_hub_is_asked_again_when_it_wants_to_be(transfer, server, content, target, waits):
    server.faults.status = [(429, {"Retry-After": "7"}), (503, {}), (500, {})]
    await transfer().run()
    assert target.read_bytes() == content
    assert 7 <= waits[0] <= 8
    assert all(0 < seconds <= 4 for seconds in waits[1:])


async def test_no_hub_may_send_us_away_for_a_day(transfer, server, waits):
    server.faults.status = [
        (429, {"Retry-After": "86400"}),
        (429, {"Retry-After": "Fri, 31 Dec 2100 23:59:59 GMT"}),
    ]
    await transfer().run()
    assert max(waits) <= 15 * 60 + 1


async def test_waits_get_longer_up_to_a_minute(transfer, server, waits):
    server.faults.status = [(503, {})] * 12
    with pytest.raises(HubBusy):
        await transfer(patience=Patience(attempts=12)).run()
    assert len(waits) == 11
    assert max(waits) <= 60
    assert waits[-1] >= 30


async def test_a_link_that_has_expired_is_asked_for_anew(transfer, server, content, target):
    server.faults.content_status = [403]
    await transfer().run()
    assert target.read_bytes() == content


async def test_a_hub_that_is_gone_is_named(target, connection, server):
    nobody = HubConnection(HubAccess("http://127.0.0.1:9"))
    with pytest.raises(HubUnreachable) as refused:
        await Transfer(
            nobody, Source("http://127.0.0.1:9/x", "a/b", "x"), target, patience=Patience(1, 0)
        ).run()
    await nobody.close()
    assert refused.value.host == "127.0.0.1"


@pytest.mark.parametrize("location", ["ftp://127.0.0.1/x", "file:///etc/passwd"])
async def test_a_redirect_to_something_else_than_the_web_is_not_followed(transfer, server, location):
    server.faults.location = location
    with pytest.raises(HubAnswerBroken):
        await transfer().run()


async def test_redirects_in_a_circle_end(transfer, server):
    server.faults.location = server.url(PATH)
    with pytest.raises(HubAnswerBroken):
        await transfer().run()
    assert len(server.seen) == 6


async def test_a_disk_without_room_is_told_before_and_keeps_the_part(transfer, server, content, target):
    begin(target, content[:100_000], note_of(content))
    with pytest.raises(DownloadNeedsSpace) as full:
        await transfer(free_bytes=lambda _: RESERVE_BYTES + 499_000).run()
    assert full.value.missing_bytes == 1000
    assert part_path(target).read_bytes() == content[:100_000]
    await transfer(free_bytes=lambda _: RESERVE_BYTES + 500_000).run()
    assert target.read_bytes() == content


async def test_a_disk_that_gets_full_meanwhile_keeps_the_part(transfer, server, content, target, monkeypatch):
    write = Part.write

    def fill(self: Part, chunk: bytes) -> None:
        room = 300_000 - self.size
        write(self, chunk[:room])
        if len(chunk) > room:
            raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(Part, "write", fill)
    with pytest.raises(DownloadNeedsSpace):
        await transfer().run()
    assert part_path(target).read_bytes() == content[:300_000]
    monkeypatch.undo()
    await transfer().run()
    assert target.read_bytes() == content


async def test_a_discarded_part_frees_its_bytes(target, content):
    begin(target, content[:1234], note_of(content))
    assert discard_part(target) == 1234
    assert left_in(target.parent) == set()
    assert discard_part(target) == 0
