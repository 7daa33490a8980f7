"""The part of a web page that people open it for, without menus, banners and what is recommended beside it.

Pages that say where their content is, with `<main>` or `<article>`, are believed. Elsewhere the block wins
that holds most text in sentences, and little of it in links.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bs4 import BeautifulSoup
from bs4.element import NavigableString, PreformattedString, Tag

_NEVER = frozenset(
    ["script", "style", "noscript", "template", "nav", "svg", "iframe", "button", "select", "textarea"]
)
_AROUND = frozenset({"header", "footer", "aside"})
_ROLES_BESIDE = frozenset({"navigation", "banner", "contentinfo", "complementary", "search", "dialog"})
_CONTAINERS = frozenset({"div", "section", "ul", "ol", "p", "form", "span", "table"})
_BESIDE = re.compile(
    r"(?:^|[\s_-])(?:ad|ads|advert\w*|banner|breadcrumbs?|comments?|consent|cookies?|footer|gdpr|masthead|menu|"
    r"modal|nav|navbar|navigation|newsletter|pagination|popup|promo\w*|recommend\w*|related|share|sharing|"
    r"sidebar|skip\w*|social|sponsor\w*|subscribe|subscription|toc|toolbar|widget)(?:$|[\s_-])",
    re.IGNORECASE,
)
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_BLOCKS = ["article", "section", "div", "td"]
_PARAGRAPHS = frozenset({"p", "li", "pre", "blockquote", "dd", "h2", "h3", "td"})
_SENTENCE = 25
"""Characters; a shorter piece of text is a label."""
_LEAST = 200
"""Characters; a main part with less is no content, whatever it is called."""
_MOST_LINKS = 0.6
_MOST_OF_PAGE = 0.6
_SHARE_OF_PAGE = 0.85


@dataclass(slots=True)
class _Measure:
    """What one element holds, all that is inside it included."""

    text: int = 0
    """Characters."""
    links: int = 0
    """Characters of them that are links."""
    points: int = 0
    """Characters in sentences that are not links."""
    paragraph: bool = False
    title: bool = False


def main_part(soup: BeautifulSoup) -> Tag:
    """The main part of a page; the page itself where there is no telling. Removes what nobody reads."""
    body = soup.body or soup
    _remove_hidden(body)
    measured = _measured(body)
    for found in _declared(body):
        if measured[id(found)].text >= _LEAST:
            _remove_beside(found, measured)
            return found
    whole = measured[id(body)].text
    _remove_beside(body, measured)
    best, text = _densest(body)
    # A page of short notes has no block of sentences: all of it then, as long as that is not nothing.
    return best if text * 4 >= min(whole, _LEAST * 4) else body


def _tags(part: Tag) -> list[Tag]:
    return [part, *(found for found in part.descendants if isinstance(found, Tag))]


def _measured(part: Tag) -> dict[int, _Measure]:
    """Measures of all elements by their identity, from the innermost outwards: hostile pages nest deeply."""
    measures: dict[int, _Measure] = {}
    for tag in reversed(_tags(part)):
        measure = measures[id(tag)] = _Measure(title=tag.name == "h1")
        for child in tag.children:
            if isinstance(child, Tag):
                inner = measures[id(child)]
                measure.text += inner.text
                measure.links += inner.links
                measure.points += inner.points
                measure.paragraph |= inner.paragraph
                measure.title |= inner.title
            elif isinstance(child, NavigableString) and not isinstance(child, PreformattedString):
                measure.text += len(" ".join(child.split()))
        if tag.name == "a":
            measure.links = measure.text
        if tag.name in _PARAGRAPHS and not measure.paragraph:
            if measure.text >= _SENTENCE and measure.links <= measure.text * _MOST_LINKS:
                measure.points = measure.text - measure.links
            measure.paragraph = True
    return measures


def _declared(body: Tag) -> Iterator[Tag]:
    for found in body.find_all(["main", "article", "div", "section"]):
        if found.name == "main" or found.get("role") == "main" or found.get("itemprop") == "articleBody":
            yield found
    articles = body.find_all("article")
    if len(articles) == 1:  # several are a list of teasers
        yield articles[0]


def _prune(part: Tag, unwanted: Callable[[Tag], bool]) -> None:
    """Remove elements from the outermost inwards. (`Tag.decomposed` would look through all of an element.)"""
    waiting = [part]
    while waiting:
        for child in list(waiting.pop().children):
            if isinstance(child, Tag):
                if unwanted(child):
                    child.extract()
                else:
                    waiting.append(child)


def _remove_hidden(body: Tag) -> None:
    def hidden(found: Tag) -> bool:
        if found.name in _NEVER or found.has_attr("hidden") or found.get("aria-hidden") == "true":
            return True
        return _HIDDEN_STYLE.search(str(found.get("style", ""))) is not None

    _prune(body, hidden)


def _remove_beside(part: Tag, measured: dict[int, _Measure]) -> None:
    """What is called a menu, a banner and so on, unless it holds nearly all there is."""
    whole = measured[id(part)].text

    def beside(found: Tag) -> bool:
        measure = measured[id(found)]
        small = measure.text < whole * _MOST_OF_PAGE
        return small and found.name not in ("main", "article") and _is_beside(found, measure)

    _prune(part, beside)


def _is_beside(found: Tag, measure: _Measure) -> bool:
    if found.name in _AROUND:
        return found.name != "header" or not measure.title  # the header of an article holds its title
    if found.get("role") in _ROLES_BESIDE:
        return True
    classes = found.get_attribute_list("class")
    names = " ".join(str(name) for name in (*classes, found.get("id", "")) if name)
    return found.name in _CONTAINERS and _BESIDE.search(names) is not None


def _densest(body: Tag) -> tuple[Tag, int]:
    """The smallest block that holds nearly all of the text in sentences, and its length."""
    measured = _measured(body)
    best, enough = body, measured[id(body)].points * _SHARE_OF_PAGE
    for block in body.find_all(_BLOCKS):
        measure = measured[id(block)]
        if measure.points >= enough and measure.text <= measured[id(best)].text:
            best = block
    return best, measured[id(best)].text
