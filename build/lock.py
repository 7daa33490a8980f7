"""Write requirements.lock and build/hatch.lock: exact versions of everything that is installed anywhere.

`hatch run lock` keeps the versions already locked and adds what is new; `hatch run lock --upgrade` takes the
newest of everything, `--upgrade NAME …` of these only. `--torch VERSION` changes torch, which is never
upgraded by itself: its CPU build has to be named exactly (build/cpu_torch.py).

The files are constraints (`pip install --constraint`), made from pip's own report of what it would install.
They name versions, not places: whoever installs through a mirror gets the same versions from it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

from cpu_torch import CPU_INDEX
from llama_wheel import PACKAGE, wheel_folder
from locked import LOCK, canonical, locked_versions
from run import HATCH

ROOT = LOCK.parent
HATCH_LOCK = ROOT / "build" / "hatch.lock"
EVERYTHING = ".[desktop,starter,sentence-transformers,server,xllamacpp,test,dev]"
# What every virtual environment brings along is not ours to lock.
NOT_LOCKED = frozenset({"dai-chat", "pip", "setuptools", "wheel"})
HEADER = """\
# Exact versions of every distribution, written by `hatch run lock`; do not edit.
# Used as constraints (PIP_CONSTRAINT) in every environment. Resolved on {platform}, Python {python}.
"""


def resolve(requirements: Collection[str], constraints: Mapping[str, str], *options: str) -> dict[str, str]:
    """Ask pip what it would install into an empty environment: versions by canonical name."""
    with tempfile.TemporaryDirectory() as scratch:
        pins = Path(scratch, "constraints.txt")
        pins.write_text("".join(f"{name}=={version}\n" for name, version in constraints.items()))
        report = Path(scratch, "report.json")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
        command += ["--report", str(report), "--constraint", str(pins), *options, *requirements]
        # PyTorch's own index is asked only where the configured ones do not carry the CPU build.
        for attempt in (command, [*command, "--extra-index-url", CPU_INDEX]):
            if subprocess.run(attempt, cwd=ROOT, check=False).returncode == 0:
                break
        else:
            raise SystemExit("pip found no set of versions that fits; see its messages above")
        installs = json.loads(report.read_text(encoding="utf-8"))["install"]
    metadata = [entry["metadata"] for entry in installs]
    return {canonical(entry["name"]): entry["version"] for entry in metadata}


def render(versions: Mapping[str, str]) -> str:
    """The text of a lock file, sorted by name."""
    lines = [HEADER.format(platform=sys.platform, python=f"{sys.version_info[0]}.{sys.version_info[1]}")]
    for name, version in sorted(versions.items()):
        if name in NOT_LOCKED:
            continue
        public, plus, _ = version.partition("+")
        if plus:  # a build that exists for Linux only; elsewhere the public version is the right one
            lines.append(f"{name}=={version} ; sys_platform == 'linux'\n")
            lines.append(f"{name}=={public} ; sys_platform != 'linux'\n")
        else:
            lines.append(f"{name}=={version}\n")
    return "".join(lines)


def main() -> None:
    """Resolve both locks and write them."""
    parser = argparse.ArgumentParser(description="Write requirements.lock and build/hatch.lock.")
    parser.add_argument("--upgrade", nargs="*", metavar="NAME", help="take the newest (of these only)")
    parser.add_argument("--torch", metavar="VERSION", help="the CPU build of torch, for example 2.13.0+cpu")
    chosen = parser.parse_args()

    kept = locked_versions() if LOCK.is_file() else {}
    torch = chosen.torch or kept.get("torch")
    if torch is None:
        raise SystemExit("name the CPU build of torch: --torch VERSION+cpu")
    if chosen.upgrade is not None:
        freed = {canonical(name) for name in chosen.upgrade}
        kept = {name: version for name, version in kept.items() if freed and name not in freed}
    kept["torch"] = torch

    options: list[str] = []
    if PACKAGE in kept:  # a finished wheel answers at once; the source has to be unpacked and asked
        options += ["--find-links", str(wheel_folder(kept[PACKAGE]))]
    LOCK.write_text(render(resolve([EVERYTHING], kept, *options)), encoding="utf-8")
    HATCH_LOCK.write_text(render(resolve([f"hatch=={HATCH}"], {})), encoding="utf-8")


if __name__ == "__main__":
    main()
