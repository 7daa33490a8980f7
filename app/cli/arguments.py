"""Arguments that several commands take."""

from __future__ import annotations

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

KnowledgeBaseName = Annotated[str | None, typer.Option("--kb", help="Only this collection.")]

Documents = Annotated[
    list[str] | None,
    typer.Option("--document", help="Only this document, by its title; can be repeated."),
]

NewKnowledgeBaseName = Annotated[str, typer.Option("--kb", help="The collection; made if it is new.")]
DEFAULT_COLLECTION = "Documents"
