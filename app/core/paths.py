"""Where the app keeps its files: the only module that knows."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from app.core.errors import DataFolderUnusable


@dataclass(frozen=True, slots=True)
class Paths:
    """Every file and folder the app writes lies below `data`, but for models that the user has moved."""

    data: Path
    models_folder: Path | None = None
    """Where the user wants the models; None: below `data`."""

    @property
    def models(self) -> Path:
        """Sideloaded and downloaded models."""
        return self.models_folder or self.data / "models"

    @property
    def arriving(self) -> Path:
        """Parts of models on their way here; on the disk of `models`, so that a whole one only moves."""
        return self.models / ".downloads"

    @property
    def downloads(self) -> Path:
        """The database of the list of downloads."""
        return self.data / "downloads.db"

    @property
    def uploads(self) -> Path:
        """Files on their way from the browser into the knowledge base."""
        return self.data / "uploads"

    @property
    def benchmarks(self) -> Path:
        """Results of speed tests, one JSON file each."""
        return self.data / "benchmarks"

    @property
    def trade_offs(self) -> Path:
        """Copies of models that are made only to be measured."""
        return self.data / "trade-offs"

    @property
    def trade_off_tables(self) -> Path:
        """What was measured of them, one JSON file per model."""
        return self.benchmarks / "trade-offs"

    @property
    def conversations(self) -> Path:
        """The database of conversations."""
        return self.data / "conversations.db"

    @property
    def knowledge(self) -> Path:
        """The database of the knowledge base."""
        return self.data / "knowledge.db"

    @property
    def settings(self) -> Path:
        """The settings file, JSON."""
        return self.data / "settings.json"

    @property
    def model_options(self) -> Path:
        """The options of each model, JSON."""
        return self.data / "model-options.json"

    @property
    def network(self) -> Path:
        """What is known of other devices: routers, groups, pinned identities, keys, and the ledger."""
        return self.data / "network"

    @property
    def ledger(self) -> Path:
        """The database of all outgoing connections."""
        return self.network / "ledger.db"

    @property
    def log(self) -> Path:
        """The log, which never holds prompts, answers or documents."""
        return self.data / "dai.log"

    def create(self) -> Paths:
        """Make the folders, readable for this user only. The user's own for models must be there already.

        Raises:
            DataFolderUnusable: something else lies there, or the system does not let us.
            OSError: the device is full.
        """
        for folder in (
            self.data,
            self.uploads,
            self.network,
            *(() if self.models_folder else (self.models,)),
        ):
            try:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            except OSError as error:
                if error.errno == errno.ENOSPC:
                    raise
                raise DataFolderUnusable(str(self.data)) from error
        if not os.access(self.data, os.W_OK | os.X_OK):
            raise DataFolderUnusable(str(self.data))
        return self

    @classmethod
    def default(cls) -> Paths:
        """`DAI_HOME` if set, else what Flet gives a packaged app, else the system's data folder."""
        chosen = os.environ.get("DAI_HOME") or os.environ.get("FLET_APP_STORAGE_DATA")
        if chosen:
            return cls(Path(chosen).expanduser().resolve())
        return cls(Path(platformdirs.user_data_dir("dai", appauthor=False, roaming=False)))
