"""A NATS server of its own in a folder, that can be killed and started again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

SECONDS = 30
"""For a server to come up or go down, on the slowest machine."""


@dataclass
class NatsServer:
    """On a free port of this machine; `stop` ends it surely."""

    folder: Path
    port: int = -1  # the system chooses
    arguments: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        ports = self.folder / "ports"
        ports.mkdir(exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    Path(sys.executable).with_name("nats-server"),
                    *("--addr", "127.0.0.1", "--port", str(self.port)),
                    *("--jetstream", "--store_dir", self.folder / "store"),
                    *("--ports_file_dir", ports),
                    *self.arguments,
                ],
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            # Written when it listens; named after the process.
            for file in ports.glob(f"*_{self.process.pid}.ports"):
                if content := file.read_text():
                    self.port = int(json.loads(content)["nats"][0].rpartition(":")[2])
                    return
            time.sleep(0.01)
        self.stop()
        raise RuntimeError((self.folder / "log").read_text())

    def kill(self) -> None:
        """As a crash or kill -9 does it."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(SECONDS)

    def stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(SECONDS)
