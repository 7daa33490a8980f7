"""`dai kb search`: passages of documents."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

from app.cli.answer import source_line
from app.cli.arguments import AsJson, Documents, KnowledgeBaseName
from app.cli.choices import sources_named
from app.cli.session import run, services, strings_of
from app.cli.text import print_json
from app.core.errors import EmptyQuestion
from app.core.strings import Strings
from rag.model import FoundPassage, SearchResult, SearchWay

_REFUSED = 3
"""So many of the passages that were left out are explained."""


def search(
    query: Annotated[str, typer.Argument(help="What to look for.")],
    kb: KnowledgeBaseName = None,
    document: Documents = None,
    limit: Annotated[int, typer.Option(min=1, max=50, help="So many passages at most.")] = 6,
    way: Annotated[
        SearchWay, typer.Option(help="What decides; answers rest on both meaning and words.")
    ] = SearchWay.BOTH,
    explain: Annotated[
        bool, typer.Option("--explain", help="Tell why each was found, and which ones were left out.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Find passages."""
    if not query.strip():
        raise EmptyQuestion
    run(_search(query, kb, document or [], limit, way, explain=explain, as_json=as_json))


async def _search(
    query: str,
    name: str | None,
    documents: list[str],
    limit: int,
    way: SearchWay,
    *,
    explain: bool,
    as_json: bool,
) -> None:
    async with services() as opened:
        strings = strings_of(opened)
        collections, chosen = sources_named(opened, [name] if name else [], documents)
        result = await asyncio.to_thread(
            opened.knowledge.search,
            query,
            collections,
            limit,
            way,
            document_ids=chosen,
            refused=_REFUSED if explain else 0,
        )
        if as_json:
            print_json(result)
            return
        if not (collections or chosen):
            print(strings("cli.no_collections"), file=sys.stderr)
            return
        if way is SearchWay.BOTH:
            found = strings("message.searched", count=result.searched, relevant=len(result.passages))
        else:
            found = strings("search.found_any", count=result.searched, found=len(result.passages))
        print(found, file=sys.stderr)
        for number, item in enumerate(result.passages, 1):
            _print_found(number, item, result, strings, explain=explain)
        if result.refused:
            print(strings("search.refused") + "\n")
        for number, item in enumerate(result.refused, len(result.passages) + 1):
            _print_found(number, item, result, strings, explain=explain)


def _print_found(
    number: int, found: FoundPassage, result: SearchResult, strings: Strings, *, explain: bool
) -> None:
    passage = found.passage
    print(source_line(number, passage.document_title, passage.page, passage.heading, strings))
    if passage.address:
        print(passage.address)
    if explain:
        why = strings(f"search.why.{found.gate}", words=strings("search.comma").join(found.rare_words))
        print(f"[{why}]")
        if result.threshold is not None:
            similarity, threshold = (strings.number(it, 3) for it in (found.similarity, result.threshold))
            print(strings("search.similarity", similarity=similarity, threshold=threshold))
        if found.words:
            print(strings("search.words", words=strings("search.comma").join(found.words)))
    print(" ".join(passage.text.split()) + "\n")
