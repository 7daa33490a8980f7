"""The address of a router: scheme, host and port, from what people type."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

import msgspec

from app.core.errors import RouterAddressInvalid
from network.protocol.fields import Origin

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SHOWN_CHARACTERS = 100


def read_router_address(text: str) -> str:
    """`router.example` becomes https://router.example, `192.168.1.5:8700` http://192.168.1.5:8700.

    Without a scheme, devices of the same private network are spoken to over http: they have no certificate.
    Questions and answers are sealed either way.

    Raises:
        RouterAddressInvalid: it is none, or has a password, a path or a question in it.
    """
    typed = text.strip()
    shown = typed.rpartition("@")[2][:_SHOWN_CHARACTERS]  # never show a password
    written = typed if _SCHEME.match(typed) else f"https://{typed}"
    try:
        parts = urlsplit(written)
        host, port = (parts.hostname or "").encode("idna").decode("ascii"), parts.port
    except (ValueError, UnicodeError):
        raise RouterAddressInvalid(shown) from None
    if not host or port == 0 or "@" in parts.netloc or parts.path.strip("/") or parts.query or parts.fragment:
        raise RouterAddressInvalid(shown)
    scheme = parts.scheme.lower()
    if written != typed and is_nearby(host):
        scheme = "http"
    usual = {"http": 80, "https": 443}.get(scheme)
    name = f"[{host}]" if ":" in host else host
    address = f"{scheme}://{name}" + ("" if port in (None, usual) else f":{port}")
    try:
        return msgspec.convert(address, Origin)
    except msgspec.ValidationError:
        raise RouterAddressInvalid(shown) from None


def host_of(address: str) -> str:
    """Host and port, as people are shown them."""
    return urlsplit(address).netloc


def is_this_device(host: str) -> bool:
    """Whether what is sent to this host never leaves the device."""
    name = host.strip("[]").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_nearby(host: str) -> bool:
    """Whether it is this device or one of the same private network."""
    if is_this_device(host) or host.endswith(".local") or not ("." in host or ":" in host):
        return True
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False
