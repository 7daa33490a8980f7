"""Small sets of documents and questions in the form of BEIR."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

DOCUMENTS = {
    "boiler": "The boiler in the cellar must be vented every October. Open the red valve slowly.",
    "bicycle": "The bicycle chain needs oil after each ride in the rain. The lock opens with 4711.",
    "garden": "Tomatoes want compost in spring and water every morning, never on the leaves.",
}
QUESTIONS: Sequence[Mapping[str, Any]] = (
    {"_id": "q1", "text": "When must the boiler be vented?"},
    {"_id": "q2", "text": "What does the bicycle chain need?"},
    {"_id": "q3", "text": "Who composed symphonies?"},
)
RIGHT = ("q1\tboiler\t1", "q2\tbicycle\t2", "q2\tgarden\t0")


def write_set(
    folder: Path,
    documents: Mapping[str, str] = DOCUMENTS,
    questions: Sequence[Mapping[str, Any]] = QUESTIONS,
    right: Sequence[str] = RIGHT,
) -> Path:
    """Writes a set, and returns its folder."""
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    corpus = [{"_id": name, "title": "", "text": text} for name, text in documents.items()]
    for name, records in (("corpus", corpus), ("queries", questions)):
        lines = [json.dumps(record, ensure_ascii=False) for record in records]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    text = "\n".join(("query-id\tcorpus-id\tscore", *right)) + "\n"
    (folder / "qrels" / "test.tsv").write_text(text, encoding="utf-8")
    return folder
