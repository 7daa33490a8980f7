"""Grammars that llama.cpp would work on for minutes, or for ever, are refused before it sees them."""

from __future__ import annotations

import json

import pytest

from engines.errors import OptionRejected
from engines.llama_cpp.schema_grammar import grammar_of
from engines.protocol import Grammar, JsonSchema

DOUBLED = [f"r{number} ::= r{number + 1} r{number + 1} | r{number + 1}" for number in range(25)]
TWICE = [f"r{number} ::= r{number + 1} | r{number + 1}" for number in range(30)]

COSTLY = {
    "two ways to the same, thirty times": ["root ::= r0", *TWICE, 'r30 ::= "a"'],
    "the same behind a word": ['root ::= "begin" r0', *TWICE, 'r30 ::= "a"'],
    "the same in a circle": ['root ::= "a" r0', *TWICE, "r30 ::= root"],
    "empty or not, doubled": ["root ::= r0", *DOUBLED, 'r25 ::= "a" | ""'],
    "the same in a group": ['root ::= "a" ("b" (r0 "c"))', *TWICE, 'r30 ::= "a"'],
    "five thousand optional letters": ["root ::= " + '"a"? ' * 5_000],
    "optional letters behind a word": ['root ::= "word" ' + '"a"? ' * 5_000],
    "a long text a thousand times": ['root ::= "' + "a" * 100_000 + '"{1000}'],
    "a long set of letters a thousand times": ["root ::= [" + "a-z" * 20_000 + "]{1000}"],
    "repeated too often": ['root ::= "a"{1,1000000}'],
    "more digits than an integer may have": ['root ::= "a"{' + "9" * 5_000 + "}"],
    "deep groups": ["root ::= " + "(" * 5_000 + '"a"' + ")" * 5_000],
    "a long chain of rules": ["root ::= r0", *(f"r{number} ::= r{number + 1}" for number in range(9_000))],
}

SOUND = [
    'root ::= "yes" | "no"',
    "# a comment\nroot ::= (\n  [a-z]+ # letters\n  | [^\\]\\x00-\\x1F]{2,4}\n)* .\n",
    'root   ::= item{1,100}\nitem ::= "- " [^\\n]+ "\\n"',
    "root ::= " + " | ".join(f'"word {number}"' for number in range(10_000)),
    'root ::= expression\nexpression ::= term ([-+*/] term)*\nterm ::= [0-9]+ | "(" expression ")"',
    'root ::= "a"{3} "b"{2,} "c"? <think> !<end>',
    'root ::= "a\\"b" [\\]] ( "c" | )',
]


@pytest.mark.parametrize("case", COSTLY)
def test_a_grammar_of_too_many_ways_is_refused(case: str) -> None:
    with pytest.raises(OptionRejected):
        grammar_of(Grammar("\n".join(COSTLY[case])))


@pytest.mark.parametrize("text", SOUND, ids=range(len(SOUND)))
def test_an_honest_grammar_is_left_as_it_is(text: str) -> None:
    assert grammar_of(Grammar(text)) == text


def test_the_grammars_that_come_with_llama_cpp_are_honest() -> None:
    examples = pytest.importorskip("llama_cpp.llama_grammar")
    texts = {name: text for name, text in vars(examples).items() if name.endswith("_GBNF")}

    assert len(texts) > 5
    for text in texts.values():
        grammar_of(Grammar(text))


def deep(levels: int) -> dict[str, object]:
    schema: dict[str, object] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


TWO_WAYS = {
    "$defs": {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(30)}
    | {"d30": {"type": "string"}},
    "$ref": "#/$defs/d0",
}


@pytest.mark.parametrize(
    "schema",
    [
        TWO_WAYS,
        deep(400),
        {"enum": [str(number) for number in range(50_000)]},
        {"type": "string", "pattern": "^" + "(a?){50}" * 40 + "$"},
        {"type": "string", "pattern": "^" + "(" * 3_000 + "$"},
        {"type": "string", "pattern": "^(a{1000}){1000000}$"},
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/missing"}}},
        {"$ref": "#"},
        {"$ref": 7},
        {"properties": 7},
        {"properties": ["a"]},
        {"type": "array", "items": {"type": "string"}, "maxItems": "many"},
        {"anyOf": [7, None]},
        {"type": "object", "properties": {"a": 7}},
    ],
    ids=lambda schema: json.dumps(schema)[:40],
)
def test_a_schema_of_too_many_ways_or_of_no_sense_is_refused(schema: object) -> None:
    with pytest.raises(OptionRejected):
        grammar_of(JsonSchema(json.dumps(schema)))


@pytest.mark.parametrize(
    "schema",
    [
        {},
        deep(20),
        {"type": "object", "properties": {f"p{number}": {"type": "string"} for number in range(60)}},
        {"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 190},
        {"type": "string", "maxLength": 190},
        {"type": "string", "pattern": "^[a-z]{2,5}-\\d+$"},
        {"$defs": {"word": {"type": "string"}}, "properties": {"next": {"$ref": "#/$defs/word"}}},
        {"enum": [f"word {number}" for number in range(1_000)]},
    ],
    ids=lambda schema: json.dumps(schema)[:40],
)
def test_an_honest_schema_becomes_a_grammar(schema: object) -> None:
    assert "root ::=" in grammar_of(JsonSchema(json.dumps(schema)))
