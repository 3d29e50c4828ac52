"""JSON as ovsdb reads and writes it, where that differs from Python's own way."""

from __future__ import annotations

import json as python_json
from typing import Any

Json = Any
"""What ``json.loads`` makes of a text: None, bool, int, float, str, list or dict."""

INTEGER_MIN = -(2**63)
INTEGER_MAX = 2**63 - 1
REAL_MAX = 1.7976931348623157e308

_TYPE_NAMES = {str: "string", list: "array", dict: "object", int: "number", float: "number"}


def type_name(json: Json) -> str:
    """The word for a value's JSON type in error messages: ``string``, ``null``, ``true``, ..."""
    if json is None:
        return "null"
    if isinstance(json, bool):
        return "true" if json else "false"
    return next(name for kind, name in _TYPE_NAMES.items() if isinstance(json, kind))


def integer_of(json: Json) -> int | None:
    """A number as an integer of 64 bits; None for what is none.

    How a number was spelt does not count: ``1.0`` and ``10e-1`` are integers, too.
    """
    if type(json) is int:
        return json if INTEGER_MIN <= json <= INTEGER_MAX else None
    if type(json) is float and json.is_integer() and INTEGER_MIN <= json <= INTEGER_MAX:
        return int(json)
    return None


def is_number(json: Json) -> bool:
    """Whether a value is a number. Truth values are none."""
    return type(json) is int or type(json) is float


def real_text(real: float) -> str:
    """A number with the 15 digits that ovsdb prints."""
    return f"{real:.15g}"


def real_to_json(real: float) -> int | float:
    """A number as it is when it has been printed: with 15 digits, an integer where it is whole.

    The greatest ones are not rounded: they would be out of range.
    """
    printed = float(real_text(real))
    if abs(printed) > REAL_MAX:
        return real
    integer = integer_of(printed)
    return printed if integer is None else integer


_ENCODER = python_json.JSONEncoder(ensure_ascii=False)


def string_text(text: str) -> str:
    """A JSON string, quoted; what is not ASCII stays as it is."""
    return _ENCODER.encode(text)


def json_text(json: Json) -> str:
    """A value in one line, members in the order of their names, as errors quote it."""
    pieces: list[str] = []
    _write(json, pieces)
    return "".join(pieces)


def _write(json: Json, pieces: list[str]) -> None:
    """One call for each level, however it is made: hostile values are as deep as they may be."""
    if isinstance(json, list):
        before = "["
        for member in json:
            pieces.append(before)
            _write(member, pieces)
            before = ","
        pieces.append("]" if json else "[]")
    elif isinstance(json, dict):
        before = "{"
        for name in sorted(json):
            pieces.append(f"{before}{string_text(name)}:")
            _write(json[name], pieces)
            before = ","
        pieces.append("}" if json else "{}")
    else:
        pieces.append(_atom_text(json))


def _atom_text(json: Json) -> str:
    if isinstance(json, str):
        return string_text(json)
    if is_number(json):
        integer = integer_of(json)
        return real_text(json) if integer is None else str(integer)
    return type_name(json)
