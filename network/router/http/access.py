"""Who may do what: where a request comes from, invitations, and words that open what belongs to one asker."""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress

from starlette.requests import HTTPConnection

from network.protocol import problems
from network.protocol.fields import JobId
from network.router.desk import RouterDesk
from network.router.http.limits import network_of
from network.router.http.refusals import Refusal

INVITE_HEADER = "dai-invite"
_LONGEST_INVITE = 128
_ID_LETTERS = frozenset("0123456789abcdef")


def address_of(connection: HTTPConnection) -> str:
    """What counts as one address; "" where the server does not know. Behind a proxy, what the proxy says."""
    return network_of(connection.client.host) if connection.client else ""


def is_local(connection: HTTPConnection) -> bool:
    """Whether it comes from this very machine, and not through a proxy on it that nobody has named."""
    if "x-forwarded-for" in connection.headers or "forwarded" in connection.headers:
        return False
    try:
        return connection.client is not None and ipaddress.ip_address(connection.client.host).is_loopback
    except ValueError:
        return False


def check_invite(connection: HTTPConnection, desk: RouterDesk) -> None:
    """Raises Refusal without a word that admits."""
    # Servers read the bytes of a header as Latin-1; invitations are UTF-8.
    word = connection.headers.get(INVITE_HEADER, "").encode("latin-1").decode(errors="replace")
    if len(word) > _LONGEST_INVITE or not desk.admits(word):
        raise Refusal(problems.REFUSED, "an invitation is needed")


def bearer(connection: HTTPConnection) -> str:
    """The word after `Authorization: Bearer`. Raises Refusal if there is none."""
    scheme, _, word = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not word.strip():
        raise Refusal(problems.NOT_REGISTERED)
    return word.strip()


def access_of(connection: HTTPConnection) -> bytes:
    """The 32 bytes that a router gave to whom a question or a link belongs. Raises Refusal."""
    word = bearer(connection)
    try:
        access = base64.b64decode(word + "=" * (-len(word) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        access = b""
    if len(access) != 32:
        raise Refusal(problems.NOT_REGISTERED)
    return access


def check_token(connection: HTTPConnection, token: str) -> None:
    """Raises Refusal unless the request shows this token; an empty one opens nothing."""
    shown = bearer(connection).encode()
    if not token or not hmac.compare_digest(shown, token.encode()):
        raise Refusal(problems.REFUSED)


def number_of(connection: HTTPConnection, name: str, missing: problems.Kind) -> JobId:
    """The number of a question or link in the address. Raises Refusal of this kind if it is none."""
    number: str = connection.path_params[name]
    if len(number) != 32 or not _ID_LETTERS.issuperset(number):
        raise Refusal(missing)
    return number
