"""Arguments that several commands take."""

from __future__ import annotations

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

KnowledgeBaseName = Annotated[str | None, typer.Option("--kb", help="Only this collection.")]

NewKnowledgeBaseName = Annotated[str, typer.Option("--kb", help="The collection; made if it is new.")]
DEFAULT_COLLECTION = "Documents"
