"""From a JSON schema to a grammar. What the grammar could not hold an answer to is refused, not ignored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from engines.errors import OptionRejected
from engines.llama_cpp.grammar_cost import GrammarTooCostly, check_cost
from engines.protocol import Grammar, JsonSchema
from engines.response_form import read_schema

_MOST_CHARACTERS = 200_000
_MOST_NESTING = 200
_MOST_REPETITIONS = 1000
_NOT_ENFORCED = frozenset(
    {
        "not",
        "if",
        "then",
        "else",
        "contains",
        "minContains",
        "maxContains",
        "uniqueItems",
        "patternProperties",
        "propertyNames",
        "dependentRequired",
        "dependentSchemas",
        "minProperties",
        "maxProperties",
        "unevaluatedProperties",
        "unevaluatedItems",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
    }
)
_COUNTS = ("minItems", "maxItems", "minLength", "maxLength")


def grammar_of(form: JsonSchema | Grammar) -> str:
    """The form in llama.cpp's notation, checked against all that ends its process before it can say why.

    Raises:
        OptionRejected: the schema is none, or asks for what no grammar can hold an answer to.
    """
    text = _from_schema(form) if isinstance(form, JsonSchema) else form.text
    if not text.strip():  # llama.cpp would take it for no grammar at all
        raise _rejected("empty")
    if len(text) > _MOST_CHARACTERS or "\0" in text:
        raise _rejected("too large")
    try:
        check_cost(text)
    except GrammarTooCostly as error:
        raise _rejected(str(error)) from error
    return text


def schema_of(form: JsonSchema) -> dict[str, Any]:
    """The schema as data, without what no grammar can hold an answer to.

    Raises:
        OptionRejected: it is none, or asks for that.
    """
    if len(form.schema) > _MOST_CHARACTERS:
        raise _rejected("too large")
    schema = read_schema(form)
    if not isinstance(schema, dict):
        raise _rejected("the schema is not an object")
    try:
        for part in _parts(schema, 0):
            _check(part)
            if "$ref" in part:
                _follow(part["$ref"], schema)
    except (AttributeError, TypeError) as error:  # a keyword has a value of another kind
        raise _rejected("the schema is none") from error
    return schema


def _from_schema(form: JsonSchema) -> str:
    schema = schema_of(form)
    try:
        from llama_cpp.llama_grammar import json_schema_to_gbnf

        grammar: str = json_schema_to_gbnf(json.dumps(schema))
    except Exception as error:  # the converter asserts, and looks up whatever it is given
        raise _rejected(f"the schema cannot be converted: {type(error).__name__}") from error
    return grammar


def _parts(schema: Any, depth: int) -> Iterator[dict[str, Any]]:
    """A schema and all schemas within; names of properties are no keywords."""
    if depth > _MOST_NESTING:
        raise _rejected("too deep")
    if not isinstance(schema, dict):
        return
    yield schema
    for keyword in ("properties", "$defs", "definitions"):
        for inner in schema.get(keyword, {}).values():
            yield from _parts(inner, depth + 1)
    for keyword in ("items", "prefixItems", "additionalProperties", "anyOf", "oneOf", "allOf"):
        inner = schema.get(keyword)
        for each in inner if isinstance(inner, list) else [inner]:
            yield from _parts(each, depth + 1)


def _check(schema: dict[str, Any]) -> None:
    if ignored := sorted(_NOT_ENFORCED & schema.keys()):
        raise _rejected(f"{ignored[0]} cannot be enforced")
    for keyword in _COUNTS:
        if schema.get(keyword, 0) > _MOST_REPETITIONS:
            raise _rejected(f"{keyword} is above {_MOST_REPETITIONS}")


def _follow(reference: str, schema: dict[str, Any]) -> None:
    """Refuse what leads nowhere, or out of the schema: a converter may take it for "anything"."""
    place: Any = schema
    beginning, *names = reference.split("/")
    for name in names:
        place = place.get(name.replace("~1", "/").replace("~0", "~")) if isinstance(place, dict) else None
    if beginning != "#" or not names or not isinstance(place, dict):
        raise _rejected("a reference that leads nowhere")


def _rejected(details: str) -> OptionRejected:
    return OptionRejected("response", details)
