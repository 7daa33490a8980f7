"""What a model's makers wrote about it for the hub, made readable: Markdown without HTML and pictures."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.core.foreign_text import harmless

MOST_CHARACTERS = 30_000
"""Hardly any is longer, and none of those is read to its end on a phone."""
_MOST_RAW = 8 * MOST_CHARACTERS

# The lengths are limited so that no text takes long, whatever it is made of.
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_INVISIBLE = (("<!--", "-->"), ("<script", "</script>"), ("<style", "</style>"))
_CODE = r"(?P<code>`[^`\n]{1,500}`)"
_PICTURE = r"!\[(?P<alt>[^\[\]\n]{0,300})\]\((?P<address>[^()\s]{0,1000})[^()\n]{0,200}\)"
_LINKED_PICTURE = re.compile(
    rf"\[{_PICTURE}\]\((?P<target>[^()\s]{{1,1000}})[^()\n]{{0,200}}\)"
    r"|<a\s(?P<link>[^<>]{0,1000})>\s{0,20}<img\s(?P<image>[^<>]{0,2000})>\s{0,20}</a>",
    re.IGNORECASE,
)
_PICTURES = re.compile(rf"{_CODE}|{_PICTURE}|<img\s(?P<image>[^<>]{{0,2000}})>", re.IGNORECASE)
_LINKS = re.compile(
    rf"{_CODE}|<a\s(?P<link>[^<>]{{0,1000}})>(?P<words>[^<>]{{0,500}})</a>"
    r"|\[(?P<label>[^\[\]\n]{0,300})\]\(<?(?P<address>[^()\s<>]{1,1000})>?[^()\n]{0,200}\)",
    re.IGNORECASE,
)
_TAGS = re.compile(
    rf"{_CODE}|<(?P<end>/?)(?P<tag>[a-z][a-z0-9]{{0,20}})(?:\s[^<>]{{0,2000}})?/?>", re.IGNORECASE
)
_INDENTED_LINK = re.compile(r"^[ \t]{4,}(?=\[)", re.MULTILINE)
"""Within tags; without them it would be code."""
_BLANK_LINES = re.compile(r"\n{3,}")
_NEW_LINE = frozenset({"div", "p", "table", "tr", "ul", "ol", "center", "details", "summary", "section"})


@dataclass(frozen=True, slots=True)
class ReadmeText:
    """What is shown of a README."""

    text: str
    """Markdown; empty where it says nothing."""
    whole: bool
    """Whether nothing was cut off for its length."""


def readable(readme: str) -> ReadmeText:
    """A README without its front matter, HTML, and pictures, of which the words and the address stay.

    A link stays where it leads into the web; all others would lead nowhere from here.
    """
    raw = harmless(readme[:_MOST_RAW].removeprefix("\ufeff").replace("\r\n", "\n"))
    parts = [text if is_code else _prose(text) for text, is_code in _parts(_without_front_matter(raw))]
    text = _BLANK_LINES.sub("\n\n", "".join(parts)).strip()
    whole = len(readme) <= _MOST_RAW and len(text) <= MOST_CHARACTERS
    if not whole:
        text = text[:MOST_CHARACTERS]
        text = text[: max(text.rfind("\n\n"), MOST_CHARACTERS // 2)].rstrip()
    return ReadmeText(text, whole)


def _without_front_matter(text: str) -> str:
    if not text.startswith("---\n"):
        return text
    _, end, rest = text[3:].partition("\n---")
    return rest.partition("\n")[2] if end else text


def _parts(text: str) -> list[tuple[str, bool]]:
    """Prose and code blocks in order; an unclosed block reaches to the end."""
    parts: list[tuple[list[str], bool]] = [([], False)]
    fence = ""
    for line in text.splitlines(keepends=True):
        found = _FENCE.match(line)
        if found and not fence:
            fence = found[1]
            parts.append(([line], True))
        elif found and found[1].startswith(fence) and not line.strip(" \n" + fence[0]):
            parts[-1][0].append(line)
            parts.append(([], False))
            fence = ""
        else:
            parts[-1][0].append(line)
    return [("".join(lines), is_code) for lines, is_code in parts]


def _prose(text: str) -> str:
    for begin, end in _INVISIBLE:
        text = _without(text, begin, end)
    text = _LINKED_PICTURE.sub(_linked_picture, text)
    text = _INDENTED_LINK.sub("", _PICTURES.sub(_picture, text))
    text = _LINKS.sub(_link, text)
    return "".join(map(_without_tags, text.splitlines(keepends=True)))


def _without(text: str, begin: str, end: str) -> str:
    """Without everything from `begin` to `end`; what is not closed stays."""
    kept, position, lower = [], 0, text.lower()
    while (start := lower.find(begin, position)) >= 0 and (stop := lower.find(end, start)) >= 0:
        kept.append(text[position:start])
        position = stop + len(end)
    return "".join([*kept, text[position:]])


def _linked_picture(found: re.Match[str]) -> str:
    if found["target"]:
        return _written(_words(found["alt"], found["address"]), found["target"])
    alt, address = _attribute(found["image"], "alt"), _attribute(found["image"], "src")
    return _written(_words(alt, address), _attribute(found["link"], "href"))


def _picture(found: re.Match[str]) -> str:
    if found["code"]:
        return found[0]
    alt, address = found["alt"] or "", found["address"] or ""
    if found["image"]:
        alt, address = _attribute(found["image"], "alt"), _attribute(found["image"], "src")
    return _written(_words(alt, address), address)


def _link(found: re.Match[str]) -> str:
    if found["code"]:
        return found[0]
    if found["address"]:
        return _written(found["label"], found["address"])
    return _written(found["words"].strip(), _attribute(found["link"], "href"))


def _written(words: str, address: str) -> str:
    in_the_web = address.lower().startswith(("http://", "https://"))
    return f"[{words}]({address})" if in_the_web and not set(address) & set("()<> \n") else words


def _words(alt: str, address: str) -> str:
    """What stands for a picture: its own words, else the name of its file."""
    return alt.strip() or address.partition("?")[0].rstrip("/").rpartition("/")[2]


def _attribute(attributes: str, name: str) -> str:
    found = re.search(rf"\b{name}\s{{0,5}}=\s{{0,5}}(?:\"([^\"]*)\"|'([^']*)')", attributes, re.IGNORECASE)
    return (found[1] or found[2] or "").strip() if found else ""


def _without_tags(line: str) -> str:
    in_table = line.lstrip().startswith("|")

    def instead(found: re.Match[str]) -> str:
        if found["code"]:
            return found[0]
        tag = found["tag"].lower()
        if tag == "br" or tag in _NEW_LINE:
            return " " if in_table else "\n"
        if tag in ("td", "th", "dt", "dd"):
            return " "
        if tag in ("b", "strong"):
            return "**"
        if found["end"]:
            return "\n" if tag[0] == "h" and tag[1:].isdigit() else ""
        if tag[0] == "h" and tag[1:].isdigit():
            return f"\n{'#' * min(6, int(tag[1:]))} "
        return "\n- " if tag == "li" else ""

    changed = _TAGS.sub(instead, line)
    if changed == line or in_table:
        return changed
    # Indented within a tag, which would make it code.
    return "\n".join(part.strip(" \t") for part in changed.split("\n"))
