"""Question sets made of Debian packages, in the form of BEIR (`rag/evaluation/question_set.py`).

    hatch run dev:python benchmarks/question_sets.py FOLDER

- `debian-faq`: the Debian FAQ, its own headings as questions;
- `python-faq`: the FAQ of Python, among the chapters of its tutorial and its how-tos;
- `gnome-en`, `gnome-fa`: the help of GNOME, the titles of its pages as questions. A third of the Persian
  pages is translated as a whole, the others are English to a part, as manuals in Persian are.

What is a question, or another heading of the same pages, is taken out of the texts first. The
questions of `benchmarks/off_topic.py`, which no set answers, show how often nothing is found, as it should
be.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.off_topic import OFF_TOPIC
from rag.documents import read_document

LEAST_ANSWER = 80
LEAST_DOCUMENT = 300
_MALLARD = "{http://projectmallard.org/1.0/}"
_PARAGRAPHS = {_MALLARD + name for name in ("p", "code", "screen")}
_PERSIAN = re.compile("[\u0600-\u06ff]")


class Question(NamedTuple):
    """A question, and the words that answer it; without them every passage of the document does."""

    text: str
    answer: str = ""


class Document(NamedTuple):
    """A document, and the questions that it answers."""

    id: str
    text: str
    questions: Sequence[Question]


def unpacked(package: str, pattern: str, folder: Path) -> list[Path]:
    """Files of a Debian package, installed or downloaded, in the order of their names."""
    installed = sorted(Path("/usr/share").glob(pattern.removeprefix("usr/share/")))
    if installed:
        return installed
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        raise SystemExit(f"The documents come from the Debian package {package}; apt-get is not here.")
    place = folder / package
    place.mkdir(parents=True, exist_ok=True)
    for command in (["apt-get", "download", "-q", package], ["sh", "-c", f"dpkg -x {package}_*.deb ."]):
        done = subprocess.run(
            command, cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
        )
        if done.returncode:
            raise SystemExit(f"The Debian package {package} could not be had ({' '.join(command)}).")
    return sorted(place.glob(pattern))


def debian_faq(folder: Path) -> list[Document]:
    """Every heading that is a question; its section answers it."""
    return list(_asked_by_headings(unpacked("debian-faq", "usr/share/doc/debian/FAQ/*.en.html", folder)))


def python_faq(folder: Path) -> list[Document]:
    """The headings of the FAQ that are questions; tutorial and how-tos lie beside it."""
    pages = unpacked("python3.11-doc", "usr/share/doc/python3.11/html/*/*.html", folder)
    wanted = [page for page in pages if page.parent.name in ("faq", "tutorial", "howto")]
    contents = [page for page in wanted if page.stem != "index"]
    return list(_asked_by_headings(contents, lambda page: page.parent.name == "faq"))


def gnome_help(language: str) -> Callable[[Path], list[Document]]:
    """The titles of the pages that are in this language ("C" is English); their pages answer them."""

    def documents(folder: Path) -> list[Document]:
        pages = unpacked("gnome-user-docs", f"usr/share/help/{language}/gnome-help/*.page", folder)
        return [found for page in pages if (found := _mallard(page, persian=language == "fa"))]

    return documents


SETS: dict[str, Callable[[Path], list[Document]]] = {
    "debian-faq": debian_faq,
    "python-faq": python_faq,
    "gnome-en": gnome_help("C"),
    "gnome-fa": gnome_help("fa"),
}


def write_set(documents: Iterable[Document], folder: Path) -> None:
    """Write a set in the form of BEIR, with the questions that it does not answer."""
    corpus: list[dict[str, object]] = []
    queries: list[dict[str, object]] = []
    qrels = ["query-id\tcorpus-id\tscore"]
    for document in documents:
        corpus.append({"_id": document.id, "text": document.text})
        for question in document.questions:
            number = f"q{len(queries)}"
            metadata = {"metadata": {"answer": question.answer}} if question.answer else {}
            queries.append({"_id": number, "text": question.text, **metadata})
            qrels.append(f"{number}\t{document.id}\t1")
    queries += [{"_id": f"other{number}", "text": text} for number, text in enumerate(OFF_TOPIC)]
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    for name, records in (("corpus", corpus), ("queries", queries)):
        text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    (folder / "qrels" / "test.tsv").write_text("\n".join(qrels) + "\n", encoding="utf-8")


def _asked_by_headings(
    pages: Sequence[Path], is_asked: Callable[[Path], bool] = lambda page: True
) -> Iterator[Document]:
    sections = {page: list(read_document(page).sections) for page in pages}
    headings = {_title(section.heading or "") for found in sections.values() for section in found}
    for page in pages:
        bodies, questions = [], []
        for section in sections[page]:
            title = _title(section.heading or "")
            if title == "Navigation":
                continue
            lines = section.text.splitlines()
            body = "\n".join(line for line in lines if _title(line) not in headings).strip()
            if is_asked(page) and title.endswith("?") and len(body) > LEAST_ANSWER:
                questions.append(Question(title, body))
            bodies.append(body)
        text = "\n\n".join(body for body in bodies if body)
        if len(text) > LEAST_DOCUMENT:
            yield Document(f"{page.parent.name}-{page.stem}", text, questions)


def _mallard(page: Path, *, persian: bool) -> Document | None:
    root = ElementTree.parse(page).getroot()
    title = " ".join("".join(root.findtext(f"{_MALLARD}title") or "").split())
    elements = [element for part in root if part.tag != f"{_MALLARD}info" for element in part.iter()]
    paragraphs = [" ".join("".join(each.itertext()).split()) for each in elements if each.tag in _PARAGRAPHS]
    text = "\n\n".join(paragraph for paragraph in paragraphs if paragraph)
    if len(text) <= LEAST_DOCUMENT:
        return None
    asked = bool(title) and bool(_PERSIAN.search(title)) is persian
    return Document(page.stem, text, [Question(title)] if asked else [])


def _title(line: str) -> str:
    return re.sub(r"^(- )?(Chapter )?[\d.]*\s*", "", " ".join(line.split())).removesuffix("¶").rstrip()


def main() -> None:
    """Write all sets into a folder."""
    folder = Path(sys.argv[1])
    for name, documents in SETS.items():
        with tempfile.TemporaryDirectory() as place:
            found = documents(Path(place))
        write_set(found, folder / name)
        asked = sum(len(document.questions) for document in found)
        characters = sum(len(document.text) for document in found)
        print(f"{name}: {len(found)} documents, {characters:,} characters, {asked} questions")


if __name__ == "__main__":
    main()
