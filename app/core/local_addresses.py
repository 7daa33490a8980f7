"""Under which names and addresses other devices may reach this machine."""

from __future__ import annotations

import contextlib
import ipaddress
import socket

_WILDCARDS = ("0.0.0.0", "::", "")  # noqa: S104 - compared, not bound
_ELSEWHERE = (("192.0.2.1", socket.AF_INET), ("2001:db8::1", socket.AF_INET6))
"""Documentation addresses (RFC 5737, RFC 3849): asking for the way there sends nothing, and tells our own."""


def origins(scheme: str, host: str, port: int) -> list[str]:
    """What a device may have as the address of a server that listens on `host`, the most useful first.

    For a server on all addresses these are the machine's own in its networks, its name, and the loopback.
    """
    if host not in _WILDCARDS:
        hosts = [host, *(["localhost"] if _is_loopback(host) else [])]
    else:
        name = socket.gethostname().lower().partition(".")[0]
        hosts = [*_own_addresses(name), f"{name}.local", name, "localhost", "127.0.0.1"]
    shown = [f"[{one}]" if ":" in one else one for one in dict.fromkeys(hosts) if one]
    standard = {"http": 80, "https": 443}[scheme]
    return [f"{scheme}://{one}" if port == standard else f"{scheme}://{one}:{port}" for one in shown]


def _own_addresses(name: str) -> list[str]:
    found = []
    for elsewhere, family in _ELSEWHERE:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((elsewhere, 9))
                found.append(probe.getsockname()[0])
        except OSError:
            continue
    with contextlib.suppress(OSError):
        found += [str(info[4][0]) for info in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)]
    return [one for one in found if "%" not in one and not _is_loopback(one)]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
