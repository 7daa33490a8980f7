"""Is there a C++ compiler? llama-cpp-python comes as source and is compiled on this machine."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

_ADVICE = {
    "linux": "on Debian and Ubuntu: sudo apt install build-essential",
    "darwin": "xcode-select --install",
    "win32": "install the Visual Studio Build Tools with the C++ workload",
}


def has_compiler() -> bool:
    """Whether a C++ compiler was found; on Windows, whether Visual Studio's installer was."""
    named = os.environ.get("CXX", "").split()
    if named:
        return shutil.which(named[0]) is not None
    if sys.platform == "win32":
        installer = Path(
            os.environ.get("PROGRAMFILES(X86)", "C:/Program Files (x86)"), "Microsoft Visual Studio"
        )
        return shutil.which("cl") is not None or (installer / "Installer" / "vswhere.exe").is_file()
    return any(shutil.which(name) for name in ("c++", "g++", "clang++"))


def advice() -> str:
    """How to get a compiler on this system."""
    return _ADVICE.get(sys.platform, "install a C++ compiler")
