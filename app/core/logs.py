"""Where the log goes. It tells what happened, never what was said."""

from __future__ import annotations

import logging
import logging.handlers
from pathlib import Path

_PACKAGES = ("app", "engines", "rag", "network")


def start_logging(path: Path) -> None:
    """Log our own packages to a small rotating file; libraries keep quiet."""
    handler = logging.handlers.RotatingFileHandler(
        path, maxBytes=512 * 1024, backupCount=1, encoding="utf-8", delay=True
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    for package in _PACKAGES:
        logger = logging.getLogger(package)
        logger.setLevel(logging.INFO)
        for old in list(logger.handlers):
            logger.removeHandler(old)
            old.close()
        logger.addHandler(handler)
        logger.propagate = False
