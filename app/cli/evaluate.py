"""`dai kb eval`: how well passages are found."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.arguments import AsJson
from app.cli.errors import terminal_strings
from app.cli.text import print_json, show_progress
from app.core.evaluation import EvaluationStage, evaluate_folder
from app.core.paths import Paths
from app.core.settings import SettingsStore
from app.core.strings import Strings
from engines.embedders.opening import open_embedder
from engines.rerankers.cross_encoder import CrossEncoderReranker
from engines.rerankers.opening import ChosenReranker
from rag.evaluation import Evaluation


def evaluate(
    folder: Annotated[Path, typer.Argument(metavar="SET", help="A folder in the form of BEIR.")],
    embedder: Annotated[str, typer.Option("--embedder", help="Another one than that of the settings.")] = "",
    reranker: Annotated[
        Path | None, typer.Option("--reranker", help="Folder of a cross-encoder that orders what is found.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure how well passages are found, on questions whose answers are known."""
    paths, strings = Paths.default(), terminal_strings()
    settings = SettingsStore(paths.settings).current
    wanted = embedder or settings.embedder
    given = CrossEncoderReranker(reranker) if reranker else None  # what is wrong with that one is told
    chosen = ChosenReranker(lambda: settings.reranker)

    def progress(stage: EvaluationStage, done: int, total: int) -> None:
        show_progress(
            f"{strings(f'evaluation.stage.{stage}')} {strings.number(done)}/{strings.number(total)}"
        )

    try:
        results = evaluate_folder(
            folder,
            lambda: open_embedder(wanted, models_folder=paths.models),
            progress,
            lambda: given or chosen.get(),
        )
    finally:
        show_progress("")
    if as_json:
        print_json(results)
        return
    for result in results:
        print(strings(f"evaluation.way.{result.way}"))
        for label, value in _lines(result, strings):
            print(f"  {label}: {value}")


def _lines(result: Evaluation, strings: Strings) -> list[tuple[str, str]]:
    def share(value: float) -> str:
        return strings.number(value, 3)

    lines = [
        (strings("evaluation.hit", rank=rank), share(value)) for rank, value in sorted(result.hits.items())
    ]
    lines += [
        (strings("evaluation.mrr"), share(result.mrr)),
        (strings("evaluation.ndcg"), share(result.ndcg)),
    ]
    if result.coverage is not None:
        lines.append((strings("evaluation.coverage"), share(result.coverage)))
    lines.append((strings("evaluation.found", count=result.questions), share(result.found)))
    if result.refused is not None:
        lines.append((strings("evaluation.refused", count=result.unanswerable), share(result.refused)))
    usual, slow = strings.number(result.milliseconds, 1), strings.number(result.slow_milliseconds, 1)
    times = strings("evaluation.milliseconds", usual=usual, slow=slow)
    lines.append((strings("evaluation.time"), times))
    return lines
