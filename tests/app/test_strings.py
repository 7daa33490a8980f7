"""The catalogues are complete, equal in every language, and used."""

import ast
import errno
import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from app.core.errors import AppError
from app.core.strings import LOCALES, Strings, catalogue, placeholders
from app.ui.state.files import UploadFailed, UploadsOff
from engines.errors import EngineError, ModelFileDamaged, NotEnoughMemory
from network.errors import NetworkError
from rag.errors import DocumentTooLarge, KnowledgeError

LANGUAGES = ("en", "fa")
KEYS = sorted(catalogue("en"))
SOURCES = sorted((Path(__file__).parents[2] / "app").rglob("*.py"))


def leaves(root: type[BaseException]) -> Iterator[type[BaseException]]:
    yield root
    for kind in root.__subclasses__():
        yield from leaves(kind)


ERRORS = [
    *(kind for root in (AppError, EngineError, KnowledgeError, NetworkError) for kind in leaves(root)),
    UploadsOff,
    UploadFailed,
]


def keys_in_code() -> tuple[set[str], set[str], list[re.Pattern[str]]]:
    """All texts in the code, those looked up in a catalogue, and patterns of keys that are put together."""
    literals: set[str] = set()
    asked: set[str] = set()
    patterns: list[re.Pattern[str]] = []
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                literals.add(node.value)
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                function = node.func.attr if isinstance(node.func, ast.Attribute) else node.func
                name = function.id if isinstance(function, ast.Name) else function
                if name in ("strings", "CommandError") or isinstance(name, ast.Call):
                    asked.add(str(node.args[0].value))
            if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                start = str(node.values[0].value)
                if re.fullmatch(r"[a-z]+\.[a-z_.]*", start):
                    parts = (
                        re.escape(str(part.value)) if isinstance(part, ast.Constant) else r"\w+"
                        for part in node.values
                    )
                    patterns.append(re.compile("".join(parts)))
    return literals, asked, patterns


def test_every_language_has_the_same_keys_in_the_same_order():
    assert list(catalogue("fa")) == list(catalogue("en"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_key_is_there_twice(language):
    pairs = json.loads((LOCALES / f"{language}.json").read_text(encoding="utf-8"), object_pairs_hook=list)
    keys = [key for key, _ in pairs]
    assert [key for key in KEYS if keys.count(key) > 1] == []


def test_the_languages_need_the_same_values():
    persian, english = catalogue("fa"), catalogue("en")
    assert [key for key in KEYS if placeholders(persian[key]) != placeholders(english[key])] == []


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param("[يكةى٤٥٦]", id="Arabic letters or digits instead of the Persian ones"),
        pytest.param(r"(?<!\w)(ن?می) ", id="a verb's prefix is joined with ZWNJ, not with a space"),
        pytest.param(r" (ها|های|هایی|ترین)(?!\w)", id="a suffix is joined with ZWNJ, not with a space"),
    ],
)
def test_persian_text_is_written_as_persian_is(wrong):
    persian = catalogue("fa")
    assert [key for key in KEYS if re.search(wrong, persian[key])] == []


def test_every_key_is_used_and_every_used_key_exists():
    literals, asked, patterns = keys_in_code()
    errors = {f"errors.{kind.__name__}" for kind in [*ERRORS, OSError, FileNotFoundError, PermissionError]}
    unused = []
    for key in KEYS:
        stem = re.sub(r"\.(one|other|brief)$", "", key)
        if not ({key, stem} & (literals | errors) or any(pattern.fullmatch(stem) for pattern in patterns)):
            unused.append(key)
    assert not unused
    assert not asked - {*KEYS, *(re.sub(r"\.(one|other)$", "", key) for key in KEYS)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_error_has_its_own_sentence_also_where_only_its_name_is_known(language):
    entries, strings = catalogue(language), Strings(language)
    for kind in ERRORS:
        assert f"errors.{kind.__name__}" in entries
        sentence = strings.error_named(kind.__name__)
        assert sentence, kind
        assert not placeholders(sentence), kind


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_error_tells_sizes_and_names(language):
    strings = Strings(language, persian_digits=False)
    assert "3.0" in strings.error(NotEnoughMemory(3_000_000_000, 500_000_000))
    assert "model.gguf" in strings.error(ModelFileDamaged(Path("/somewhere/model.gguf")))
    assert "report.pdf" in strings.error(DocumentTooLarge("report.pdf", 90, 50))


def test_an_unknown_error_is_described_by_the_nearest_known_one():
    class Odd(PermissionError):
        pass

    strings = Strings("en")
    assert strings.error(Odd()) == strings("errors.PermissionError")
    assert strings.error(OSError(errno.ENOSPC, "full")) == strings("errors.disk_full")
    assert strings.error(ValueError("boom")) == strings("errors.Exception")
    assert strings.error_named("GoneSince") == strings("errors.Exception")


def test_a_count_chooses_singular_or_plural():
    strings = Strings("en")
    assert strings("knowledge.documents", count=1) == "1 document"
    assert strings("knowledge.documents", count=1200) == "1,200 documents"
    assert strings("message.searched", count=1, relevant=0) == "Searched 1 passage, 0 relevant"
    assert strings("answer.nothing_found", count=2).startswith("I searched 2 passages of")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_key_that_counts_has_a_singular_and_a_plural(language):
    entries = catalogue(language)
    for key in KEYS:
        if "count" in placeholders(entries[key]):
            stem, _, number = key.rpartition(".")
            assert number in ("one", "other"), key
            assert {f"{stem}.one", f"{stem}.other"} <= entries.keys()


def test_numbers_follow_the_language_and_the_setting():
    assert Strings("fa").number(1234.5, 1) == "۱٬۲۳۴٫۵"
    assert Strings("fa", persian_digits=False).number(1234.5, 1) == "1,234.5"
    assert Strings("en").number(1234.5, 1) == "1,234.5"


@pytest.mark.parametrize(
    ("bytes", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1500, "2 kB"),
        (1_500_000, "1.5 MB"),
        (999_960_000, "1.0 GB"),
    ],
)
def test_sizes_are_short(bytes, text):
    assert Strings("en").size(bytes) == text


def test_times_are_as_short_as_they_are_clear():
    strings = Strings("en")
    now = datetime(2026, 3, 2, 15, 0).astimezone()
    assert strings.time(datetime(2026, 3, 2, 9, 5).astimezone(), now) == "09:05"
    assert strings.time(datetime(2026, 3, 1, 9, 5).astimezone(), now) == "Yesterday"
    assert strings.time(datetime(2026, 1, 7).astimezone(), now) == "Jan 7"
    assert strings.time(datetime(2025, 1, 7).astimezone(), now) == "Jan 7, 2025"


def test_persian_dates_are_of_the_persian_calendar():
    strings = Strings("fa")
    now = datetime(2026, 3, 25, 15, 0).astimezone()
    assert strings.time(datetime(2026, 3, 21).astimezone(), now) == "۱ فروردین"
    assert strings.time(datetime(2026, 3, 20).astimezone(), now) == "۲۹ اسفند ۱۴۰۴"
    assert strings.time(datetime(2026, 3, 24).astimezone(), now) == "دیروز"
    assert Strings("fa", persian_digits=False).time(datetime(2026, 3, 21).astimezone(), now) == "1 فروردین"


def test_a_foreign_name_cannot_turn_the_sentence_around_it():
    assert "\u2068Report (v2).pdf\u2069" in Strings("fa")("chat.delete_text", title="Report (v2).pdf")
    assert "\u2068گزارش\u2069" in Strings("en")("chat.delete_text", title="گزارش")
    assert "\u2068" not in Strings("en")("chat.delete_text", title="Report")


def test_a_missing_value_is_a_mistake_of_ours():
    with pytest.raises(KeyError):
        Strings("en")("chat.delete_text")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (3, "less than a minute left"),
        (80, "about 1 minute left"),
        (2400, "about 40 minutes left"),
        (5400, "about 2 hours left"),
    ],
)
def test_time_left_is_no_more_exact_than_anybody_can_know(seconds, text):
    assert Strings("en").time_left(seconds) == text
    assert Strings("fa").time_left(seconds)
