"""An answer's Markdown: prose in its own direction; code and formulas always left to right."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import flet as ft

from app.core.direction import is_right_to_left
from app.core.foreign_text import harmless
from app.core.strings import Strings
from app.ui.components.code_block import code_block
from app.ui.components.prose import lists, prepared
from app.ui.components.web_link import ask_to_open
from app.ui.state.app import AppState
from app.ui.theme import Layout, Radius, Space, code_style, text_style

_BLOCK = re.compile(
    r"^(?P<indent>[ ]{0,8})(?P<fence>`{3,}|~{3,})[ ]*(?P<language>[^\n`]*)\n"
    r"(?P<code>.*?)(?:^[ ]{0,8}(?P=fence)[`~]*[ ]*(?:\n|\Z)|\Z)"
    r"|\$\$(?P<math>.+?)(?:\$\$|\Z)",
    re.DOTALL | re.MULTILINE,
)
_DISPLAY_MATH = re.compile(r"\\\[(.+?)\\\]", re.DOTALL)
_TABLE = re.compile(
    r"^[^\n]*\|[^\n]*\n[ ]{0,3}\|?[ ]*:?-+:?[ ]*(?:\|[ ]*:?-+:?[ ]*)+\|?[ ]*(?:\n[^\n]*\|[^\n]*)*",
    re.MULTILINE,
)
_COLUMNS_OF_A_PHONE = 3
_COLUMN_WIDTH = 132
"""Of a table with more columns than a phone has room for; it can be scrolled then."""
_CODE_OR_CITATION = re.compile(
    r"(?P<code>`[^`\n]*`)|\[\s*(?P<numbers>[\d۰-۹]{1,2}(?:\s*[,،]\s*[\d۰-۹]{1,2})*)\s*\](?!\()"
)

_WORD_JOINER = "\u2060"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of an answer that is shown by one control."""

    kind: Literal["prose", "code", "math", "table"]
    text: str
    language: str = ""


def split(text: str) -> list[Part]:
    """Prose, code blocks and display formulas, in order; an unclosed block reaches to the end."""
    parts: list[Part] = []
    position = 0
    text = _DISPLAY_MATH.sub(r"$$\1$$", text)
    for block in _BLOCK.finditer(text):
        parts.extend(_with_tables(text[position : block.start()]))
        if block["fence"]:
            code = block["code"].removesuffix("\n")
            if indent := block["indent"]:
                code = re.sub(rf"^ {{0,{len(indent)}}}", "", code, flags=re.MULTILINE)
            parts.append(Part("code", code, block["language"].split(" ")[0]))
        else:
            parts.append(Part("math", block["math"].strip()))
        position = block.end()
    parts.extend(_with_tables(text[position:]))
    return [part for part in parts if part.text.strip() or part.kind == "code"]


def _with_tables(text: str) -> Iterator[Part]:
    position = 0
    for table in _TABLE.finditer(text):
        yield Part("prose", text[position : table.start()])
        yield Part("table", table[0])
        position = table.end()
    yield Part("prose", text[position:])


def columns(table: str) -> int:
    """How many columns a table has."""
    return table.split("\n")[1].strip().strip("|").count("|") + 1


def link_citations(text: str, numbers: Collection[int], strings: Strings) -> str:
    """Prose in which every [number] that stands for a source is a link to it."""

    def link(match: re.Match[str]) -> str:
        if match["code"]:
            return match[0]
        cited = [int(number) for number in re.findall(r"\d+", match["numbers"])]
        if not set(cited) <= set(numbers):
            return match[0]
        return " ".join(rf"[\[{strings.number(number)}\]](citation:{number})" for number in cited)

    return _CODE_OR_CITATION.sub(link, text)


def without_pictures(text: str) -> str:
    """Markdown that shows no picture: loading one would tell its server that, and what, was answered.

    A hidden instruction in a document could make a model write such an address. Marks in inline code
    are parted, too: what is code and what is not is the Markdown parser's to say, not ours to guess.
    """
    return text.replace("![", f"!{_WORD_JOINER}[")


def answer_body(
    app: AppState,
    text: str,
    *,
    citations: Sequence[int] = (),
    on_citation: Callable[[int], None] = lambda number: None,
) -> ft.Control:
    """An answer, as far as it is written."""
    text = harmless(text)
    rtl = is_right_to_left(text)

    def follow(event: ft.Event[ft.Markdown]) -> None:
        address = str(event.data)
        kind, _, number = address.partition(":")
        if kind == "citation" and number.isdecimal():
            on_citation(int(number))
        elif kind.lower() in ("http", "https"):
            ask_to_open(app, address)

    controls: list[ft.Control] = []
    for position, part in enumerate(split(prepared(text, rtl=rtl))):
        if part.kind == "code":
            controls.append(code_block(app, part.text, part.language, position))
        elif part.kind == "math":
            controls.append(
                ft.Row([_markdown(app, f"$${part.text}$$", rtl=False)], scroll=ft.ScrollMode.AUTO)
            )
        else:
            prose = link_citations(lists(part.text.strip("\n"), rtl=rtl), citations, app.strings)
            shown: ft.Control = _markdown(app, prose, rtl=rtl, on_tap_link=follow)
            if part.kind == "table" and app.layout is Layout.PHONE:
                shown = _scrollable(app, shown, columns(part.text), rtl=rtl)
            controls.append(shown)
    return ft.Column(
        controls, spacing=Space.M, tight=True, horizontal_alignment=ft.CrossAxisAlignment.STRETCH
    )


def _scrollable(app: AppState, table: ft.Control, count: int, *, rtl: bool) -> ft.Control:
    """A table with room for its words, where the screen is too narrow for them."""
    if count <= _COLUMNS_OF_A_PHONE:
        return table
    width = count * _COLUMN_WIDTH * max(1.0, app.scale)
    return ft.Row([ft.Container(table, width=width)], scroll=ft.ScrollMode.AUTO, rtl=rtl)


def _markdown(
    app: AppState,
    text: str,
    *,
    rtl: bool,
    on_tap_link: Callable[[ft.Event[ft.Markdown]], None] | None = None,
) -> ft.Markdown:
    body = text_style("body_medium", app.scale, ft.Colors.ON_SURFACE)
    return ft.Markdown(
        without_pictures(text),
        rtl=rtl,
        extension_set=ft.MarkdownExtensionSet.GITHUB_WEB,
        latex_scale_factor=1.1,
        latex_style=body,
        on_tap_link=on_tap_link,
        md_style_sheet=ft.MarkdownStyleSheet(
            p_text_style=body,
            list_bullet_text_style=body,
            a_text_style=text_style("body_medium", app.scale, ft.Colors.PRIMARY),
            h1_text_style=text_style("title_large", app.scale, ft.Colors.ON_SURFACE),
            h2_text_style=text_style("title_medium", app.scale, ft.Colors.ON_SURFACE),
            h3_text_style=text_style("title_small", app.scale, ft.Colors.ON_SURFACE),
            strong_text_style=ft.TextStyle(font_family="Vazirmatn Medium", weight=ft.FontWeight.W_600),
            code_text_style=code_style(app.scale),
            table_head_text_style=text_style("label_large", app.scale, ft.Colors.ON_SURFACE),
            table_body_text_style=text_style("body_small", app.scale, ft.Colors.ON_SURFACE),
            table_cells_padding=ft.Padding.symmetric(horizontal=Space.M, vertical=Space.S),
            blockquote_text_style=text_style("body_medium", app.scale, ft.Colors.ON_SURFACE_VARIANT),
            blockquote_padding=ft.Padding.symmetric(horizontal=Space.L, vertical=Space.S),
            blockquote_decoration=ft.BoxDecoration(
                bgcolor=ft.Colors.SURFACE_CONTAINER, border_radius=Radius.S
            ),
            horizontal_rule_decoration=ft.BoxDecoration(
                border=ft.Border(top=ft.BorderSide(1, ft.Colors.OUTLINE_VARIANT))
            ),
            block_spacing=Space.M,
        ),
    )
