"""The documentation says what the code does: pages are fresh, links lead somewhere, snippets run."""

from __future__ import annotations

import re
from pathlib import Path

import generate
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
_SNIPPET = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def _pages_with_snippets() -> list[Path]:
    return [page for page in generate.markdown_files() if _SNIPPET.search(page.read_text(encoding="utf-8"))]


def test_the_generated_pages_are_up_to_date() -> None:
    assert generate.outdated() == [], "run `hatch run docs`"


def test_every_link_leads_to_a_file() -> None:
    assert generate.broken_links() == []


def test_every_error_has_words_for_the_user() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", generate.errors_page(), re.MULTILINE)
    assert len(rows) > 20
    assert [name for name, words in rows if not words] == []


def test_the_readme_and_the_other_pages_have_snippets_to_run() -> None:
    assert _pages_with_snippets()


@pytest.mark.desktop("the engine in a process of its own")
@pytest.mark.slow
@pytest.mark.parametrize("page", _pages_with_snippets(), ids=lambda page: str(page.relative_to(ROOT)))
def test_the_python_of_a_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAI_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    text = page.read_text(encoding="utf-8")
    names: dict[str, object] = {"__name__": "__main__"}
    for snippet in _SNIPPET.finditer(text):
        # Empty lines in front: a traceback then shows the line numbers of the page.
        source = "\n" * text.count("\n", 0, snippet.start(1)) + snippet[1]
        exec(compile(source, str(page), "exec"), names)
