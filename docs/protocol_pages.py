"""The reference of the messages between devices, told by their types: a page to read and a JSON Schema."""

from __future__ import annotations

import ast
import importlib
import inspect
import types
import typing

import msgspec

from network.protocol import message
from network.protocol.schema import schema
from network.router.http.openapi import openapi

SUBJECTS = (
    "cards",
    "registration",
    "groups",
    "presence",
    "tickets",
    "jobs",
    "answers",
    "content",
    "receipts",
    "routers",
    "problems",
)


def schema_text() -> str:
    """The JSON Schema of every message, as a file."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n"


def openapi_text() -> str:
    """The OpenAPI document of a router, as a file."""
    return msgspec.json.format(msgspec.json.encode(openapi()), indent=2).decode() + "\n"


def messages_page(notice: str) -> str:
    """Every message with its fields."""
    lines = [
        notice,
        "# Messages between devices\n",
        "What the fields may hold in full is in [protocol.schema.json](protocol.schema.json); what is done "
        "with them, and the bytes that are signed and sealed, in [the protocol](protocol.md).\n",
    ]
    for subject in SUBJECTS:
        module = importlib.import_module(f"network.protocol.{subject}")
        title, _, text = inspect.cleandoc(module.__doc__ or "").partition("\n\n")
        lines += [f"## {title.rstrip('.')}\n", *([f"{text}\n"] if text else [])]
        tree = ast.parse(inspect.getsource(module))
        for node in tree.body:
            kind = getattr(module, node.name, None) if isinstance(node, ast.ClassDef) else None
            if isinstance(node, ast.ClassDef) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
                lines += _message(node, kind)
    return "\n".join(lines) + "\n"


def _message(node: ast.ClassDef, kind: type[msgspec.Struct]) -> list[str]:
    tag = kind.__struct_config__.tag
    signed = " (signed)" if issubclass(kind, message.Statement) and node.name != "Question" else ""
    lines = [f"### `{tag or node.name}`{signed}\n", inspect.cleandoc(kind.__doc__ or "") + "\n"]
    fields = msgspec.structs.fields(kind)
    if not fields:
        return lines
    beneath = _docstrings(node)
    lines += ["| field | | meaning |", "| --- | --- | --- |"]
    for field in fields:
        meaning = " ".join((beneath.get(field.name) or _description(field.type)).split())
        lines.append(f"| `{field.name}` | {_shape(field.type)} | {meaning} |".replace("  |", " |"))
    return [*lines, ""]


def _docstrings(node: ast.ClassDef) -> dict[str, str]:
    found = {}
    for field, below in zip(node.body, node.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            match below:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    found[field.target.id] = text
    return found


def _description(annotation: object) -> str:
    """What the type itself says, through lists and options."""
    if typing.get_origin(annotation) is typing.Annotated:
        base, *metas = typing.get_args(annotation)
        return next((meta.description for meta in metas if meta.description), None) or _description(base)
    return next((text for part in typing.get_args(annotation) if (text := _description(part))), "")


def _shape(annotation: object) -> str:
    """Text, number, bytes, list of …, with its limits."""
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return ", ".join(filter(None, [_shape(parts[0]), *(_limits(meta) for meta in parts[1:])]))
    if origin is typing.Literal:
        return ", ".join(f"`{value}`" if value else "empty" for value in parts)
    if origin is tuple:
        return f"list of {_shape(parts[0])}"
    if origin in (types.UnionType, typing.Union):
        return f"{_shape(next(part for part in parts if part is not type(None)))}, or null"
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return f"`{annotation.__name__}`"
    return {str: "text", int: "number", bytes: "bytes", bool: "true or false"}[typing.cast(type, annotation)]


def _limits(meta: msgspec.Meta) -> str:
    words = []
    if meta.ge is not None and meta.le is not None:
        return f"{meta.ge} to {meta.le}"
    if meta.min_length is not None and meta.min_length == meta.max_length:
        return f"{meta.max_length} of them"
    if meta.max_length is not None:
        words.append(f"at most {meta.max_length}")
    return ", ".join(words)
