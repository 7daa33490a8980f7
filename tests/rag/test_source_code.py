"""Source code is found by the names in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.chunking import split
from rag.documents import Section, read_document


def sections_of(folder: Path, name: str, text: str) -> list[Section]:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return list(read_document(path).sections)


def test_nothing_is_lost_and_definitions_are_named_within_each_other(tmp_path: Path) -> None:
    text = (
        '"""A module."""\nimport os\n\n\n# Kept small.\n@final\nclass Valve:\n    """Red."""\n\n'
        "    def open(self, angle: int) -> None:\n        self.angle = angle\n\n\n"
        "async def close():\n    pass\n"
    )
    found = sections_of(tmp_path, "valve.py", text)
    assert "".join(section.text for section in found) == text
    assert [(section.heading, section.level) for section in found] == [
        (None, 0),
        ("Valve", 1),
        ("Valve.open", 2),
        ("close", 1),
    ]
    assert found[1].text.startswith("# Kept small.\n@final\nclass Valve")


@pytest.mark.parametrize(
    ("name", "line", "symbol"),
    [
        ("a.go", "func (v *Valve) Open(angle int) error {", "Open"),
        ("a.rs", "pub(crate) async fn open(angle: i32) -> Result<()> {", "open"),
        ("a.rs", "impl<T> Drop for Valve {", "Drop for Valve"),
        ("a.ts", "export default class Valve extends Pipe {", "Valve"),
        ("a.js", "export const open = async (angle) => {", "open"),
        ("a.js", "function* angles() {", "angles"),
        ("a.java", "public static List<String> names(int most) {", "names"),
        ("a.kt", "suspend fun open(angle: Int) {", "open"),
        ("a.swift", "public protocol Opening {", "Opening"),
        ("a.c", "static int valve_open(struct valve *v, int angle)", "valve_open"),
        ("a.cpp", "void Valve::open(int angle) const {", "Valve::open"),
        ("a.cs", "internal sealed class Valve : Pipe", "Valve"),
        ("a.sql", "CREATE TABLE IF NOT EXISTS valves (", "valves"),
        ("a.sh", "open_valve() {", "open_valve"),
        ("a.r", "open_valve <- function(angle) {", "open_valve"),
        ("a.lua", "local function open(angle)", "open"),
        ("a.rb", "module Heating", "Heating"),
        ("a.proto", "message Valve {", "Valve"),
        ("a.ex", "defmodule Heating.Valve do", "Heating.Valve"),
    ],
)
def test_definitions_of_many_languages_are_known(tmp_path: Path, name: str, line: str, symbol: str) -> None:
    found = sections_of(tmp_path, name, f"x = 1\n\n{line}\n  body\n")
    assert [section.heading for section in found] == [None, symbol]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("a.py", "type of thing that nobody defines"),
        ("a.py", "classes = [1, 2]"),
        ("a.c", "return find(valve, angle)"),
        ("a.c", "valve_open(v, 7);"),
        ("a.c", "int valve_open(struct valve *v, int angle);"),
        ("a.js", "// function open() {"),
        ("a.js", "const angle = 7;"),
        ("a.java", "if (open) {"),
    ],
)
def test_other_lines_are_no_definitions(tmp_path: Path, name: str, line: str) -> None:
    assert [section.heading for section in sections_of(tmp_path, name, f"x\n{line}\ny\n")] == [None]


def test_a_passage_holds_a_whole_function_and_is_found_under_its_name(tmp_path: Path) -> None:
    functions = "".join(
        f"def step_{number}(value):\n" + f"    value += {number}\n" * 20 + "    return value\n\n\n"
        for number in range(6)
    )
    chunks = list(split(sections_of(tmp_path, "steps.py", functions)))
    assert [chunk.heading for chunk in chunks] == [f"step_{number}" for number in range(6)]


def test_code_made_small_for_a_browser_is_bounded_and_harmless(tmp_path: Path) -> None:
    line = "static " * 40_000 + "function a(b){c}" * 10_000
    found = sections_of(tmp_path, "a.min.js", line)
    assert "".join(section.text for section in found) == line
    assert max(len(section.text) for section in found) <= 64_000
