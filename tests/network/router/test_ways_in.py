"""With TLS, behind a proxy, and by the routes that the description names."""

from __future__ import annotations

import datetime
import ipaddress
import ssl

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from network.router.http import asking, watching, working
from network.router.http.openapi import openapi
from tests.network.http_router import whole_router
from tests.network.router.devices import SocketLink, open_socket, worker_session
from tests.network.small_world import ScriptedAnswerer

pytestmark = pytest.mark.desktop("a server")


@pytest.fixture
def certificate(tmp_path):
    """A certificate for 127.0.0.1 that vouches for itself, and its key."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "router")])
    here = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([here]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    chain, private = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(made.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return chain, private


async def test_a_router_with_a_certificate_speaks_tls(certificate):
    chain, private = certificate
    trust = ssl.create_default_context(cafile=chain)
    async with (
        whole_router(server={"certificate": chain, "private_key": private}) as router,
        httpx.AsyncClient(base_url=router.address, verify=trust) as http,
    ):
        assert router.address.startswith("https://")
        assert (await http.get("/readyz")).text == "ready\n"
        _, session = worker_session(router.address, ScriptedAnswerer())
        async with open_socket(router.address, ssl=trust) as socket:
            await session._register(SocketLink(socket))


@pytest.mark.parametrize(("proxies", "statuses"), [(("127.0.0.1",), [200, 200, 429]), ((), [200, 429, 429])])
async def test_only_a_proxy_that_is_named_is_believed(proxies, statuses):
    async with (
        whole_router(requests_per_minute=1, server={"proxies": proxies}) as router,
        httpx.AsyncClient(base_url=router.address) as http,
    ):
        froms = ("198.51.100.1", "198.51.100.2", "198.51.100.2")
        answers = [await http.get("/v1/pool", headers={"X-Forwarded-For": one}) for one in froms]
    assert [answer.status_code for answer in answers] == statuses


def test_every_route_is_described_and_nothing_else():
    routes = {("/v1/worker", "get")}
    for part in (asking, working, watching):
        routes |= {(route.path, method.lower()) for route in part.routes for method in route.methods}
    described = {(path, method) for path, methods in openapi()["paths"].items() for method in methods}
    assert routes == described
