"""Install llama-cpp-python, compiled once per machine and version.

The package comes as source. Compiling takes 3-5 minutes on two idle cores and up to 25 on a busy machine, so
the finished wheel is kept in the user's cache and every later environment gets it from there in seconds.

Runs with the Python of the environment to install into (hatch's pre-install-commands). `CMAKE_ARGS` chooses
the flags, for example `-DGGML_CUDA=ON`; each set of flags has its own wheel. The default leaves out what DAI
does not use (LLaVA) and what would tie the wheel to this very processor (GGML_NATIVE).
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from compiler import advice, has_compiler
from locked import locked_versions
from user_cache import user_cache

PACKAGE = "llama-cpp-python"
DEFAULT_CMAKE_ARGS = "-DLLAVA_BUILD=OFF -DGGML_NATIVE=OFF"
_STEP = re.compile(r"\[(\d+)/(\d+)\]")
_SECONDS_BETWEEN_REPORTS = 10.0


def cmake_args() -> str:
    """The flags of this build."""
    return os.environ.get("CMAKE_ARGS", "").strip() or DEFAULT_CMAKE_ARGS


def wheel_folder(version: str) -> Path:
    """The folder of the one wheel for this version, these flags and this kind of machine."""
    flags = hashlib.sha256(cmake_args().encode()).hexdigest()[:8]
    return (
        user_cache() / "wheels" / f"{PACKAGE}-{version}-{sys.platform}-{platform.machine().lower()}-{flags}"
    )


def cached_wheel(version: str) -> Path | None:
    """The finished wheel, if there is one."""
    return next(iter(sorted(wheel_folder(version).glob("*.whl"))), None)


def installed_version() -> str | None:
    """What this environment already has."""
    try:
        return importlib.metadata.version(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        return None


def build(version: str) -> Path:
    """Compile the wheel into the cache; exits with one line when it cannot."""
    if not has_compiler():
        raise SystemExit(f"{PACKAGE} must be compiled, and no C++ compiler was found: {advice()}")
    print(
        f"Compiling {PACKAGE} {version}, once for this machine: 3-5 minutes on two idle cores, "
        "up to 25 on a busy one.",
        flush=True,
    )
    folder = wheel_folder(version)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        command = [sys.executable, "-m", "pip", "wheel", "--verbose", "--no-deps", "--no-cache-dir"]
        command += ["--no-binary", PACKAGE, "--wheel-dir", scratch, f"{PACKAGE}=={version}"]
        log = folder / "build.log"
        if _run_with_progress(command, {**os.environ, "CMAKE_ARGS": cmake_args()}, log):
            raise SystemExit(f"{PACKAGE} could not be compiled; the compiler's own words are in {log}")
        made = next(Path(scratch).glob("*.whl"))
        # Renaming is atomic: an interrupted build never leaves half a wheel in the cache.
        return made.replace(folder / made.name)


def _run_with_progress(command: list[str], environment: dict[str, str], log: Path) -> int:
    """Run the compiler quietly into `log`, saying now and then how far it is; returns the exit status."""
    started = time.monotonic()
    progress = "preparing"
    finished = threading.Event()

    def report() -> None:
        while not finished.wait(_SECONDS_BETWEEN_REPORTS):
            minutes, seconds = divmod(int(time.monotonic() - started), 60)
            print(f"  {minutes}:{seconds:02} min, {progress}", flush=True)

    reporter = threading.Thread(target=report, daemon=True)
    reporter.start()
    try:
        with (
            log.open("w", encoding="utf-8") as record,
            subprocess.Popen(
                command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            ) as process,
        ):
            assert process.stdout is not None
            for line in process.stdout:
                record.write(line)
                if step := _STEP.search(line):
                    progress = f"{step[1]} of {step[2]} files"
            return process.wait()
    finally:
        finished.set()
        reporter.join()


def main() -> None:
    """Make sure this environment has the locked version."""
    version = locked_versions()[PACKAGE]
    if installed_version() == version:
        return
    wheel = cached_wheel(version) or build(version)
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", str(wheel)], check=True)


if __name__ == "__main__":
    main()
