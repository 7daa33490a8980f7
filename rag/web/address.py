"""Addresses of pages, and which of them lead into private networks."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from rag.errors import WebAddressInvalid

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_LONGEST = 2_000
_SHOWN = 100
_PRIVATE_ENDINGS = (".localhost", ".local", ".lan", ".home", ".internal", ".intranet", ".corp", ".home.arpa")
_SAFE = "%/:=&?~#+!$,;'@()*[]"
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
"""Addresses of IPv4 behind a translator of IPv6-only networks."""


@dataclass(frozen=True, slots=True)
class WebAddress:
    """The address of a page. Make one from what a person types with `read_address`."""

    url: str
    """Without the part behind `#`, which servers are not told."""
    host: str
    """The computer that is asked: what people are shown before it is."""

    @property
    def private(self) -> bool:
        """Whether its host is evidently one of this device or of a network at home or at work."""
        name = self.host
        try:
            return is_private(name.strip("[]"))
        except ValueError:
            return name == "localhost" or "." not in name or name.endswith(_PRIVATE_ENDINGS)

    def same_site(self, other: WebAddress) -> bool:
        """Whether both are of one site: the same host, or one below the other, as www.example.org is."""
        return self.host == other.host or _below(self.host, other.host) or _below(other.host, self.host)


def looks_like_address(text: str) -> bool:
    """Whether somebody who could also name a file means a page of the web."""
    return re.match(r"https?://", text.strip(), re.IGNORECASE) is not None


def read_address(text: str) -> WebAddress:
    """Understand the address of a page as people type or paste it, with or without `https://`.

    Raises:
        WebAddressInvalid: it is none, or carries a password.
    """
    text = text.strip()
    shown = text.rpartition("@")[2][:_SHOWN]  # never show a password
    if not looks_like_address(text):
        if _SCHEME.match(text) and not re.match(r"[\w.-]+:\d+(/|$)", text):
            raise WebAddressInvalid(shown, "neither http nor https")
        text = f"https://{text}"
    if len(text) > _LONGEST or re.search(r"[\s\x00-\x1f\x7f\\]", text):
        raise WebAddressInvalid(shown, "too long, or a space in it")
    try:
        parts = urlsplit(text)
        name, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise WebAddressInvalid(shown, type(error).__name__) from None
    if "@" in parts.netloc or port == 0:
        raise WebAddressInvalid(shown, "a password in it")
    host = _host(name, shown)
    scheme = parts.scheme.lower()
    usual = {"http": 80, "https": 443}[scheme]
    netloc = host if port in (None, usual) else f"{host}:{port}"
    path = quote(parts.path or "/", safe=_SAFE)
    query = f"?{quote(parts.query, safe=_SAFE)}" if parts.query else ""
    return WebAddress(f"{scheme}://{netloc}{path}{query}", host)


def is_private(address: str) -> bool:
    """Whether a numeric address is not one of the public internet.

    Raises:
        ValueError: it is no numeric address.
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        elif found in _TRANSLATED:
            found = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    return not found.is_global or found.is_multicast


def _host(name: str, shown: str) -> str:
    try:
        return f"[{ipaddress.IPv6Address(name.partition('%')[0])}]"
    except ValueError:
        pass
    try:
        host = name.rstrip(".").encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise WebAddressInvalid(shown, "no host") from error
    if not _HOST.fullmatch(host):
        raise WebAddressInvalid(shown, "no host")
    if re.fullmatch(r"[0-9.]+|0x[0-9a-f.x]+", host):  # 127.1 and 2130706433 mean this device, too
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            raise WebAddressInvalid(shown, "half a numeric address") from None
    elif "." not in host and host != "localhost" and "." in shown.partition("/")[0]:
        raise WebAddressInvalid(shown, "no host")
    return host


def _below(host: str, other: str) -> bool:
    return host.endswith(f".{other}") and "." in other
