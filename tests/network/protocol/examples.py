"""One valid example of every message, made from its type: the test of a new message is that it exists."""

from __future__ import annotations

import typing
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec

# Strings that fit a pattern; the patterns are compared as a whole.
_FITTING = ("0" * 32, "0" * 16, "https://router.example", "model-1", "fa", "")


def example(type_: Any) -> Any:
    """A value of this type, as small as its limits allow; optional things are filled."""
    if get_origin(type_) is Annotated:
        base, *metas = get_args(type_)
        return _annotated(base, metas[0])
    if get_origin(type_) is Literal:
        return get_args(type_)[0]
    if get_origin(type_) is tuple:
        return (example(get_args(type_)[0]),)
    if get_origin(type_) in (UnionType, typing.Union):
        return example(next(member for member in get_args(type_) if member is not NoneType))
    if isinstance(type_, type) and issubclass(type_, msgspec.Struct):
        return type_(**{field.name: example(field.type) for field in msgspec.structs.fields(type_)})
    return {str: "text", int: 1, bool: True, bytes: b"{}"}[type_]


def _annotated(base: Any, meta: msgspec.Meta) -> Any:
    if meta.pattern is not None:
        return next(text for text in _FITTING if _fits(text, Annotated[str, meta]))
    if base is bytes:
        return bytes(meta.min_length or 0)
    if base is int:
        return meta.ge or 0
    if base is str:
        return "text"
    return example(base)


def _fits(text: str, type_: Any) -> bool:
    try:
        msgspec.convert(text, type_)
    except msgspec.ValidationError:
        return False
    return True
