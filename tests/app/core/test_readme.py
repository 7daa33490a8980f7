"""What is shown of a README that a stranger has written for the hub."""

from __future__ import annotations

import pytest

from app.core.readme import MOST_CHARACTERS, readable


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("---\nlicense: mit\ntags: [a]\n---\n# Name\n", "# Name"),
        ("\ufeff---\r\nlicense: mit\r\n---\r\nText\r\n", "Text"),
        ("---\nnever closed", "---\nnever closed"),
        ("Text\n\n---\n\nmore", "Text\n\n---\n\nmore"),
        ("", ""),
        ("---\na: b\n---\n", ""),
    ],
)
def test_the_front_matter_is_cut_off(written: str, shown: str) -> None:
    assert readable(written).text == shown


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("![A chart](https://a.b/c.png)", "[A chart](https://a.b/c.png)"),
        ("![](https://a.b/c.png?x=1)", "[c.png](https://a.b/c.png?x=1)"),
        ("![A chart](chart.png)", "A chart"),
        ("[![Chat](https://a.b/c.svg)](https://chat.example)", "[Chat](https://chat.example)"),
        ('<img src="https://a.b/c.png" alt="A chart" width=20>', "[A chart](https://a.b/c.png)"),
        ("<img onerror=steal() src='https://a.b/c.png'/>", "[c.png](https://a.b/c.png)"),
        (
            '<div align="center">\n    <a href="https://chat.example"><img alt="Chat" src="c"></a>\n</div>',
            "[Chat](https://chat.example)",
        ),
        ("| ![x](https://a.b/c.png) | y |", "| [x](https://a.b/c.png) | y |"),
    ],
)  # fmt: skip
def test_of_a_picture_its_words_and_its_address_stay(written: str, shown: str) -> None:
    assert readable(written).text == shown


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("<h2 align=center>Use</h2>\n<p>It <b>runs</b> <i>here</i>.</p>", "## Use\n\nIt **runs** here."),
        ("<ul><li>one</li><li>two</li></ul>", "- one\n- two"),
        ("a<br>b", "a\nb"),
        ("| a<br>b | <code>c</code> |", "| a b | c |"),
        ("seen <!-- not\nseen --> again", "seen  again"),
        ("a<script>alert(1)</script><style>p{}</style>b", "ab"),
        ('<a href="https://a.b">site</a> and <a href="script:x()">trap</a>', "[site](https://a.b) and trap"),
        ("[licence](LICENSE) [top](#top) [site](https://a.b)", "licence top [site](https://a.b)"),
        ("<iframe src='https://a.b'></iframe>a < b > c", "a < b > c"),
        ("a `<think>` b `![x](y)`", "a `<think>` b `![x](y)`"),
        ("```html\n<img src=x>\n![a](b)\n```\n<b>c</b>", "```html\n<img src=x>\n![a](b)\n```\n**c**"),
        ("turned \u202eround\x1b[2J", "turned round[2J"),
    ],
)  # fmt: skip
def test_html_becomes_markdown_or_goes(written: str, shown: str) -> None:
    assert readable(written).text == shown


def test_a_long_one_is_cut_off_between_paragraphs() -> None:
    paragraph = "word " * 100
    found = readable("\n\n".join([paragraph.strip()] * 200))
    assert not found.whole
    assert len(found.text) <= MOST_CHARACTERS
    assert found.text.endswith("word")
    assert len(found.text) > MOST_CHARACTERS - 2 * len(paragraph)
    assert readable("short").whole


@pytest.mark.parametrize("part", ["<!--", "![", "<a ", "[![", "`", "<img ", "[a](", "```\n", "<script", "("])
def test_whatever_it_repeats_it_is_read(part: str) -> None:
    found = readable(part * 100_000)
    assert not found.whole
    assert len(found.text) <= MOST_CHARACTERS
