"""Where the log goes. It tells what happened, never what was said."""

from __future__ import annotations

import logging
import logging.handlers
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import msgspec

_PACKAGES = ("app", "engines", "rag", "network")


_LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class JsonLines(logging.Formatter):
    """A record as one line of JSON, for programs that collect logs."""

    def format(self, record: logging.LogRecord) -> str:
        """The record; of an error its kind and the places, not its own text, which may quote somebody."""
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[0] is not None:
            fields["error"] = record.exc_info[0].__name__
            fields["trace"] = "".join(traceback.format_tb(record.exc_info[2]))
        return msgspec.json.encode(fields).decode()


def start_logging(path: Path) -> None:
    """Log our own packages to a small rotating file; libraries keep quiet."""
    handler = logging.handlers.RotatingFileHandler(
        path, maxBytes=512 * 1024, backupCount=1, encoding="utf-8", delay=True
    )
    handler.setFormatter(logging.Formatter(_LINE))
    _log_to(handler)


def log_to_stream(stream: TextIO, *, as_json: bool) -> None:
    """Log our own packages to a stream, as servers do; of libraries only what is broken."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines() if as_json else logging.Formatter(_LINE))
    _log_to(handler)
    root = logging.getLogger()
    root.setLevel(logging.ERROR)
    root.addHandler(handler)


def _log_to(handler: logging.Handler) -> None:
    for package in _PACKAGES:
        logger = logging.getLogger(package)
        logger.setLevel(logging.INFO)
        for old in list(logger.handlers):
            logger.removeHandler(old)
            old.close()
        logger.addHandler(handler)
        logger.propagate = False
