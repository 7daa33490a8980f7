"""A hub on this machine that speaks the protocol of the real one, and can be made to fail in every way.

The hub itself listens on one port, its content network on another one: as in reality, large files come by a
redirect. The servers are of the standard library, so that the tests run in the environment of a phone, too.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from engines.store import catalogue


@dataclass(frozen=True)
class Seen:
    """One request."""

    host: str
    """"hub" or "content"."""
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]


@dataclass
class Faults:
    """What goes wrong with files, until it is changed."""

    cut_after: int | None = None
    """The connection breaks after so many bytes of every body."""
    cuts: list[int] = field(default_factory=list)
    """The same, one after the other, for as many bodies."""
    status: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """Statuses with headers, given in place of the next responses of the hub."""
    content_status: list[int] = field(default_factory=list)
    """The same for the content network."""
    ignore_range: bool = False
    page: bool = False
    """A captive portal: every answer is its sign-in page."""
    portal_type: str = "text/html; charset=utf-8"
    claimed_length: int | None = None
    """The length that the headers tell, whatever comes."""
    linked_headers: bool = True
    """Whether the hub itself tells content and size; mirrors often do not."""
    stall_after: int | None = None
    """Silence after so many bytes, until the server ends."""
    corrupt_at: int | None = None
    """This byte of the file arrives wrong."""
    chunked: bool = False
    """No length at all."""
    location: str | None = None
    """Where a redirect leads instead."""
    wrong_range: bool = False


@dataclass
class HubServer:
    """What the hub has, what fails, and what it was asked."""

    files: dict[str, bytes] = field(default_factory=dict)
    """By "owner/name/file"."""
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    """More of the JSON of a repository."""
    faults: Faults = field(default_factory=Faults)
    seen: list[Seen] = field(default_factory=list)
    commit: str = "c0ffee" * 6 + "c0ff"
    hub: str = ""
    content: str = ""
    token: str | None = None
    """Without it files are gated."""
    account: str = "somebody"
    """Whose token it is."""
    searches: bool = False
    """Whether a search looks at the words, or brings everything."""
    stopped: threading.Event = field(default_factory=threading.Event)
    stalled: threading.Event = field(default_factory=threading.Event)
    """Set when the server has sent what `stall_after` says."""
    before_body: Callable[[], None] = lambda: None

    @property
    def bodies(self) -> list[Seen]:
        """Requests that reached the content network."""
        return [seen for seen in self.seen if seen.host == "content"]

    def url(self, path: str) -> str:
        owner, name, file = path.split("/", 2)
        return f"{self.hub}/{owner}/{name}/resolve/{self.commit}/{urllib.parse.quote(file)}"


@contextmanager
def hub_server() -> Iterator[HubServer]:
    """Both servers, for the length of the block.

    Meanwhile no file of the recommended models is pinned: what it has under their names is something else.
    """
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAI_CATALOGUE", str(_write_unpinned_catalogue(Path(folder) / "catalogue.toml")))
        with _serving(HubServer()) as state:
            yield state


def _write_unpinned_catalogue(path: Path) -> Path:
    text = Path(catalogue.__file__).with_suffix(".toml").read_text(encoding="utf-8")
    text = re.sub(r'^revision = .*\n|, sha256 = "[0-9a-f]{64}"', "", text, flags=re.MULTILINE)
    path.write_text(text, encoding="utf-8")
    return path


@contextmanager
def _serving(state: HubServer) -> Iterator[HubServer]:
    servers = [_listen(state, kind) for kind in ("hub", "content")]
    state.hub, state.content = (f"http://127.0.0.1:{server.server_address[1]}" for server in servers)
    threads = [threading.Thread(target=server.serve_forever, args=(0.02,)) for server in servers]
    for thread in threads:
        thread.start()
    try:
        yield state
    finally:
        state.stopped.set()
        for server in servers:
            server.shutdown()
            server.server_close()
        for thread in threads:
            thread.join()


def _listen(state: HubServer, kind: str) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urllib.parse.urlsplit(self.path)
            path, query = urllib.parse.unquote(parts.path), urllib.parse.parse_qs(parts.query)
            headers = {name.lower(): value for name, value in self.headers.items()}
            state.seen.append(Seen(kind, path, query, headers))
            self.close_connection = True
            try:
                if state.faults.page:
                    self.page()
                elif kind == "content":
                    self.body(path.removeprefix("/"), headers)
                else:
                    self.answer(path, query, headers)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the client has gone: a pause

        def answer(self, path: str, query: dict[str, list[str]], headers: dict[str, str]) -> None:
            if state.faults.status:
                status, more = state.faults.status.pop(0)
                self.whole(status, b"no", **more)
            elif path == "/api/models":
                words = query.get("search", [""])[0].casefold().split()
                wanted = set(query.get("filter", [])) - {"gguf"}
                self.json(
                    [
                        {"id": name} | model
                        for name, model in state.models.items()
                        if not state.searches
                        or (
                            all(word in name.casefold() for word in words)
                            and wanted <= set(model.get("tags", []))
                        )
                    ]
                )
            elif path == "/api/whoami-v2":
                if state.token is None or headers.get("authorization") != f"Bearer {state.token}":
                    self.whole(401, b"no")
                else:
                    self.json({"name": state.account, "type": "user"})
            elif found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/revision/(.+)", path):
                self.repository(found[1], found[2])
            elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
                self.resolve(f"{found[1]}/{found[3]}", headers)
            else:
                self.whole(404, b"no")

        def repository(self, name: str, revision: str) -> None:
            files = {
                path.removeprefix(name + "/"): content
                for path, content in state.files.items()
                if path.startswith(name + "/")
            }
            if name not in state.models and not files:
                self.whole(401, b"no", **{"X-Error-Code": "RepoNotFound"})
                return
            if revision not in ("main", state.commit):
                self.whole(404, b"no", **{"X-Error-Code": "RevisionNotFound"})
                return
            siblings = [
                {
                    "rfilename": file,
                    "size": len(content),
                    "blobId": "0" * 40,
                    "lfs": {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)},
                }
                for file, content in files.items()
            ]
            self.json({"id": name, "sha": state.commit, "siblings": siblings} | state.models.get(name, {}))

        def resolve(self, path: str, headers: dict[str, str]) -> None:
            if state.token is not None and headers.get("authorization") != f"Bearer {state.token}":
                self.whole(401, b"no", **{"X-Error-Code": "GatedRepo"})
                return
            if path not in state.files:
                self.whole(404, b"no", **{"X-Error-Code": "EntryNotFound"})
                return
            linked = {}
            if state.faults.linked_headers:
                content = state.files[path]
                linked = {
                    "X-Linked-Etag": f'"{hashlib.sha256(content).hexdigest()}"',
                    "X-Linked-Size": str(len(content)),
                    "X-Repo-Commit": state.commit,
                }
            location = state.faults.location or f"{state.content}/{urllib.parse.quote(path)}"
            self.whole(302, b"", Location=location, **linked)

        def body(self, path: str, headers: dict[str, str]) -> None:
            if state.faults.content_status:
                self.whole(state.faults.content_status.pop(0), b"no")
                return
            state.before_body()
            content, faults = state.files[path], state.faults
            etag = f'"{hashlib.md5(content).hexdigest()}"'
            start, status = 0, 200
            asked = re.fullmatch(r"bytes=(\d+)-", headers.get("range", ""))
            if asked and not faults.ignore_range and headers.get("if-range", etag) == etag:
                start, status = int(asked[1]), 206
                if start >= len(content):
                    self.whole(416, b"", **{"Content-Range": f"bytes */{len(content)}"})
                    return
            sent = bytearray(content)
            if faults.corrupt_at is not None:
                sent[faults.corrupt_at] ^= 0xFF
            self.send_response(status)
            self.send_header("ETag", etag)
            if not faults.chunked:
                length = len(content) - start if faults.claimed_length is None else faults.claimed_length
                self.send_header("Content-Length", str(length))
            if status == 206:
                first = start + 7 if faults.wrong_range else start
                self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
            self.send_header("Connection", "close")
            self.end_headers()
            rest = bytes(sent[start:])
            cut = faults.cuts.pop(0) if faults.cuts else faults.cut_after
            if faults.stall_after is None:
                self.wfile.write(rest[:cut])
            else:
                self.wfile.write(rest[: faults.stall_after])
                self.wfile.flush()
                state.stalled.set()
                state.stopped.wait()

        def page(self) -> None:
            text = b"<html>Welcome to the hotel. Please sign in.</html>"
            self.whole(200, text, **{"Content-Type": state.faults.portal_type})

        def json(self, value: object) -> None:
            self.whole(200, json.dumps(value).encode(), **{"Content-Type": "application/json"})

        def whole(self, status: int, content: bytes, **headers: str) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)
