"""Install the CPU build of torch before anything asks for torch.

On Linux the plain name `torch` means a CUDA build of several gigabytes. The lock therefore names the exact
CPU build (`…+cpu`), which the public index does not carry; this script finds it: first where pip is set
to look (a mirror, a folder of wheels), then on PyTorch's own index of CPU builds. The local version makes a
CUDA build impossible: nothing but `+cpu` satisfies it. On macOS and Windows plain torch is a CPU build.
"""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys

from locked import locked_versions

CPU_INDEX = "https://download.pytorch.org/whl/cpu"


def install(version: str, *options: str) -> bool:
    """Whether pip could install exactly this version; its dependencies come with the project's."""
    command = [sys.executable, "-m", "pip", "install", "--no-deps", *options, f"torch=={version}"]
    return subprocess.run(command, check=False).returncode == 0


def main() -> None:
    """Make sure this environment has the locked CPU build."""
    version = locked_versions()["torch"]
    if not version.endswith("+cpu"):
        return
    try:
        if importlib.metadata.version("torch") == version:
            return
    except importlib.metadata.PackageNotFoundError:
        pass
    if not (install(version, "--quiet") or install(version, "--index-url", CPU_INDEX)):
        raise SystemExit(f"torch {version} was found neither on your package indexes nor at {CPU_INDEX}")


if __name__ == "__main__":
    main()
