"""`dai kb`: the knowledge base from the terminal."""

from __future__ import annotations

import typer

from app.cli.knowledge_collections import delete, export, import_file, share, unwatch, watch
from app.cli.knowledge_documents import add, list_documents, refresh, remove
from app.cli.knowledge_search import search

knowledge = typer.Typer(no_args_is_help=True, help="Collections of your documents.")
for name, command in (
    ("add", add),
    ("refresh", refresh),
    ("search", search),
    ("list", list_documents),
    ("remove", remove),
    ("export", export),
    ("import", import_file),
    ("watch", watch),
    ("unwatch", unwatch),
    ("share", share),
    ("delete", delete),
):
    knowledge.command(name)(command)
