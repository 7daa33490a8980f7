"""A model that can be asked: one of this device, or one of a server."""

from __future__ import annotations

from app.core.servers import ServerModel
from engines.library import InstalledModel

AnyModel = InstalledModel | ServerModel
