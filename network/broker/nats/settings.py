"""How a router reaches its NATS server."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class NatsSettings:
    """Address, credentials and sizes. Routers with the same server and `namespace` are one."""

    servers: tuple[str, ...] = ("nats://127.0.0.1:4222",)
    """One or more of a cluster; `tls://` demands an encrypted connection."""
    namespace: str = "DAI"
    """Begins the names of all streams and subjects, so that several installations can share a server."""
    replicas: int = 1
    """On how many servers of a cluster everything is kept; 3 survives the loss of one."""
    answer_bytes: int = 256 * 1024 * 1024
    """Answers on their way, of all questions together; the oldest are dropped beyond it."""
    credentials: Path | None = None
    """A file with a JWT and its key, as `nsc` writes it."""
    nkey: Path | None = None
    """A file with the seed of an nkey."""
    user: str = ""
    password: str = field(default="", repr=False)
    authorities: Path | None = None
    """Certificates that vouch for the server, where the system's own do not."""
    certificate: Path | None = None
    """Of this router, where the server wants one; `certificate_key` belongs to it."""
    certificate_key: Path | None = None
    connect_seconds: float = 10.0
    """How long to try at the start."""
    patience_seconds: float = 15.0
    """How long a change is tried again while the server does not answer."""
