"""What a router keeps: made at the first start, secret, and the same ever after."""

from __future__ import annotations

import logging
import os
import socket
import stat

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.core.local_addresses import origins
from app.core.logs import JsonLines
from app.core.router_folder import RouterFolder
from network.errors import KeysDamaged
from network.protocol.fields import Origin


@pytest.fixture
def folder(tmp_path) -> RouterFolder:
    return RouterFolder(tmp_path / "router")


def test_a_router_is_the_same_after_a_restart(folder):
    again = RouterFolder(folder.path)
    assert folder.key().private_bytes_raw() == again.key().private_bytes_raw()
    assert folder.admin_token() == again.admin_token()
    assert folder.invitations().read() == again.invitations().read()
    assert [one.name for one in folder.invitations().read()] == ["first"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_nobody_else_can_read_what_is_secret(folder):
    folder.key(), folder.admin_token(), folder.invitations()
    kept = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.path.iterdir()}
    assert kept == {"router.key": 0o600, "admin-token": 0o600, "invites.txt": 0o600}
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "kept", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_damaged_key_is_not_replaced_behind_the_back_of_its_owner(folder, kept):
    (folder.path / "router.key").write_bytes(kept)
    with pytest.raises(KeysDamaged):
        folder.key()
    assert (folder.path / "router.key").read_bytes() == kept


def test_a_key_for_another_purpose_is_refused(folder):
    other = X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder.path / "router.key").write_bytes(other)
    with pytest.raises(KeysDamaged):
        folder.key()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "127.0.0.1", "::1", "192.0.2.7", "router.example"])
def test_addresses_of_this_machine_are_addresses_of_a_router(host):
    found = origins("http", host, 8440)
    assert found
    for one in found:
        msgspec.convert(one, Origin)
    assert origins("https", "router.example", 443) == ["https://router.example"]


def test_a_server_on_all_addresses_is_found_by_the_machines_name():
    name = socket.gethostname().lower().partition(".")[0]
    assert f"http://{name}.local:8440" in origins("http", "0.0.0.0", 8440)


def test_a_line_of_the_log_is_json_and_does_not_quote_errors():
    question = "".join(["what some", "body asked"])
    try:
        raise ValueError(question)
    except ValueError as error:
        trace = (type(error), error, error.__traceback__)
    record = logging.LogRecord("network", logging.ERROR, __file__, 1, "it %s", ("broke",), trace)
    line = JsonLines().format(record)
    fields = msgspec.json.decode(line)
    assert (fields["level"], fields["message"], fields["error"]) == ("error", "it broke", "ValueError")
    assert question not in line
    assert "\n" not in line
