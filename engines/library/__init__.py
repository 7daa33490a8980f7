"""The models of this device: what is installed, and adding and removing them."""

from __future__ import annotations

from engines.library.checking import ContentCheck
from engines.library.copying import Progress
from engines.library.downloaded import ModelSource
from engines.library.installed import InstalledModel, Origin
from engines.library.model_library import ModelLibrary
from engines.library.starter import find_starter

__all__ = [
    "ContentCheck",
    "InstalledModel",
    "ModelLibrary",
    "ModelSource",
    "Origin",
    "Progress",
    "find_starter",
]
