"""One command from a fresh checkout: `python3 build/run.py web`, `python3 build/run.py test`.

Needs Python 3.11 or newer with venv, and a C++ compiler for the first build of llama-cpp-python; everything
else is set up here. It installs a pinned hatch into a private environment in the user's cache, puts it on
PATH and hands over: `python3 build/run.py web` is `hatch run web`. Standard library only, and readable by
Pythons that are too old to run the app, so that those get an answer too.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

HATCH = "1.18.2"
OLDEST_PYTHON = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
# Scripts by verb, with their environment: naming it spares developers' verbs the user's environment.
SCRIPTS = {
    "app": "default:app",
    "web": "default:web",
    "dai": "default:dai",
    "test": "dev:test",
    "lint": "dev:lint",
    "types": "dev:types",
    "quick": "dev:quick",
    "slow": "dev:slow",
    "phone": "phone:test",
    "browser": "dev:browser",
    "docs": "dev:docs",
    "bench": "dev:bench",
    "lock": "dev:lock",
}


def check_python() -> None:
    """Exit with one line when this Python cannot run the app or make environments."""
    if sys.version_info < OLDEST_PYTHON:
        found = ".".join(map(str, sys.version_info[:3]))
        raise SystemExit(f"DAI needs Python 3.11 or newer; this is {found} ({sys.executable})")
    if find_spec("venv") is None or find_spec("ensurepip") is None:
        raise SystemExit(
            "this Python cannot make virtual environments; on Debian: sudo apt install python3-venv"
        )


def check_compiler() -> None:
    """Exit with one line when llama-cpp-python must be compiled and cannot be."""
    from compiler import advice, has_compiler
    from llama_wheel import PACKAGE, cached_wheel
    from locked import locked_versions

    if cached_wheel(locked_versions()[PACKAGE]) is None and not has_compiler():
        raise SystemExit("a C++ compiler is needed, once, to build llama-cpp-python; " + advice())


def hatch_folder() -> Path:
    """The folder of hatch's programs, installed there on the first call."""
    import venv

    from user_cache import user_cache

    version = "{}.{}".format(*sys.version_info)
    home = user_cache() / "tools" / f"hatch-{HATCH}-python{version}"
    programs = home / ("Scripts" if sys.platform == "win32" else "bin")
    complete = home / "complete"
    if not complete.is_file():
        print(f"Setting up hatch {HATCH} in {home}", flush=True)
        venv.create(home, clear=True, with_pip=True)
        constraints = ROOT / "build" / "hatch.lock"
        install = [programs / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        install += ["--constraint", constraints, f"hatch=={HATCH}"]
        status = subprocess.run(list(map(str, install)), check=False).returncode
        if status:
            raise SystemExit("hatch could not be installed; see pip's message above")
        complete.touch()
    return programs


def main(arguments: list[str]) -> int:
    """Set up what is missing and run the verb; returns its exit status."""
    if not arguments or arguments[0] not in SCRIPTS:
        raise SystemExit("usage: python3 build/run.py VERB, one of: {}".format(", ".join(SCRIPTS)))
    check_python()
    check_compiler()
    verb, *rest = arguments
    programs = hatch_folder()
    environment = dict(os.environ)
    environment["PATH"] = os.pathsep.join([str(programs), environment.get("PATH", os.defpath)])
    command = [str(programs / "hatch"), "run", SCRIPTS[verb], *rest]
    try:
        return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
