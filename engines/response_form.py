"""The form an answer must have, as OpenAI's clients ask for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from engines.errors import OptionRejected
from engines.protocol import Grammar, JsonSchema


def from_openai(response_format: Mapping[str, Any] | None) -> JsonSchema | Grammar | None:
    """Read the field `response_format` of a chat completion request.

    Takes "text", "json_object" (with llama.cpp's optional `schema`), "json_schema", and "grammar" with GBNF.

    Raises:
        OptionRejected: it is none of these, or its schema is missing.
    """
    if response_format is None:
        return None
    match response_format:
        case {"type": "text"}:
            return None
        case {"type": "json_schema", "json_schema": {"schema": Mapping() as schema}}:
            return JsonSchema(json.dumps(schema))
        case {"type": "json_object"}:
            return JsonSchema(json.dumps(response_format.get("schema") or {}))
        case {"type": "grammar", "grammar": str() as text}:
            return Grammar(text)
    raise OptionRejected("response", f"unknown form {str(response_format.get('type'))[:40]!r}")


def read_schema(form: JsonSchema) -> object:
    """A schema as data.

    Raises:
        OptionRejected: it is not JSON.
    """
    try:
        schema: object = json.loads(form.schema)
        json.dumps(schema, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise OptionRejected("response", "the schema is not JSON") from error
    return schema
