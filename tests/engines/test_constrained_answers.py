from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engines.errors import OptionRejected
from engines.protocol import Finish, Grammar, JsonSchema
from engines.response_form import from_openai
from tests.engines.asking import ask, question

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 12}, "age": {"enum": [7, 77]}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


def schema(value: Any) -> JsonSchema:
    return JsonSchema(json.dumps(value))


async def test_a_real_model_answers_in_the_form_of_a_schema(opened, smollm2: Path) -> None:
    engine = await opened(smollm2, context_tokens=1024)
    prompt = question("Invent a person.", response=schema(PERSON), temperature=0.0, max_tokens=100)

    answer = await ask(engine, prompt)
    again = await ask(engine, question("Invent a person.", response=schema(PERSON), temperature=1.5, seed=3))

    for each in (answer, again):
        person = json.loads(each.text)
        assert set(person) == {"name", "age"}
        assert person["age"] in (7, 77)
        assert each.finish is Finish.END_OF_TURN
        assert each.done.whole


async def test_json_that_is_cut_off_is_told(opened, smollm2: Path) -> None:
    engine = await opened(smollm2, context_tokens=1024)

    answer = await ask(engine, question("Invent a person.", response=schema(PERSON), max_tokens=3))

    assert answer.finish is Finish.MAX_TOKENS
    assert not answer.done.whole


async def test_what_the_model_wants_to_say_is_said_where_the_grammar_allows_it(scripted) -> None:
    engine = await scripted("yes and no")

    free = await ask(engine, question(response=Grammar('root ::= "yes" " and" " no"')))
    held = await ask(engine, question(response=Grammar('root ::= "yes" " or"')))

    assert (free.text, free.finish) == ("yes and no", Finish.END_OF_TURN)
    assert (held.text, held.finish) == ("yes or", Finish.END_OF_TURN)


async def test_an_answer_with_a_form_can_be_continued(scripted) -> None:
    engine = await scripted("one two three")
    grammar = Grammar('root ::= "one two" " three"')

    rest = await ask(engine, question(response=grammar, answer_start="one two"))

    assert (rest.text, rest.done.whole) == (" three", True)
    with pytest.raises(OptionRejected):
        await ask(engine, question(response=grammar, answer_start="two"))


@pytest.mark.parametrize(
    "form",
    [
        Grammar("root ::= missing"),
        Grammar("other ::= [a-z]+"),
        Grammar('root ::= root "a" | "b"'),
        Grammar("this is no grammar"),
        Grammar(""),
        Grammar("root ::= " + "(" * 100_000),
        Grammar('root ::= "a\0b"'),
        JsonSchema("not json"),
        JsonSchema("[1, 2]"),
        JsonSchema("[" * 100_000),
        schema({"type": "unheard of"}),
        schema({"$ref": "#/$defs/missing"}),
        schema({"$ref": "https://example.org/schema.json"}),
        schema({"type": "array", "items": {"type": "string"}, "maxItems": 1_000_000}),
        schema({"type": "string", "pattern": "^(?=a)b$"}),
        schema({"type": "integer", "minimum": 3}),
        schema({"properties": {"a": {"not": {"type": "string"}}}}),
    ],
)
async def test_a_form_that_cannot_be_kept_is_refused_and_kills_nothing(scripted, form) -> None:
    engine = await scripted("Hello.")

    with pytest.raises(OptionRejected) as caught:
        await ask(engine, question(response=form))

    assert caught.value.option == "response"
    assert (await ask(engine)).text == "Hello."


async def test_a_property_may_have_the_name_of_a_keyword(scripted) -> None:
    engine = await scripted('{"minimum":1}')
    form = schema({"type": "object", "properties": {"minimum": {"const": 1}}, "required": ["minimum"]})

    assert json.loads((await ask(engine, question(response=form))).text) == {"minimum": 1}


def test_openais_forms_are_understood() -> None:
    named = {"type": "json_schema", "json_schema": {"name": "person", "schema": PERSON, "strict": True}}

    assert from_openai(None) is None
    assert from_openai({"type": "text"}) is None
    assert from_openai(named) == schema(PERSON)
    assert from_openai({"type": "json_object"}) == JsonSchema("{}")
    assert from_openai({"type": "json_object", "schema": PERSON}) == schema(PERSON)
    assert from_openai({"type": "grammar", "grammar": "root ::= [a]"}) == Grammar("root ::= [a]")


@pytest.mark.parametrize("form", [{}, {"type": "xml"}, {"type": "json_schema"}])
def test_a_form_that_is_not_understood_is_refused(form) -> None:
    with pytest.raises(OptionRejected):
        from_openai(form)
