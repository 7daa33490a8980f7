"""Adds, indexes and deletes documents until it is killed; prints a line for each document that is ready.

python -m tests.rag.endless_indexing FOLDER
"""

import itertools
import sys
from pathlib import Path

from rag.knowledge import KnowledgeBase
from tests.app.ui.word_embedder import WordEmbedder


def main() -> None:
    folder = Path(sys.argv[1])
    knowledge = KnowledgeBase(folder / "knowledge.db", WordEmbedder)
    knowledge.start()
    [house] = [collection.id for collection in knowledge.collections()] or [
        knowledge.create_collection("House").id
    ]
    for turn in itertools.count(len(list(folder.glob("*.txt")))):
        path = folder / f"{turn}.txt"
        path.write_text(
            "\n\n".join(f"سند {turn} paragraph {n}. " + f"word{turn * n % 97} " * 110 for n in range(60)),
            encoding="utf-8",
        )
        document = knowledge.add(house, path)
        knowledge.wait_until_idle()
        if knowledge.document(document.id).passages:
            print(document.id, flush=True)  # noqa: T201 - the test waits for it
        if turn % 4 == 3:
            knowledge.delete_document(knowledge.documents(house)[0].id)


if __name__ == "__main__":
    main()
