"""The types of atoms (RFC 7047 section 3.2, <base-type>), and atoms read by them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vnet.ovs.ovsdb.atom_json import PARSERS, parse_kind, parse_set, set_to_json
from vnet.ovs.ovsdb.atoms import Atom, Datum, Kind, atom_text
from vnet.ovs.ovsdb.errors import constraint_violation, syntax_error
from vnet.ovs.ovsdb.json_text import (
    INTEGER_MAX,
    INTEGER_MIN,
    Json,
    integer_of,
    is_number,
    json_text,
    real_text,
    real_to_json,
)
from vnet.ovs.ovsdb.object_parser import ObjectParser, is_id, is_integer, is_string
from vnet.ovs.ovsdb.symbols import Symbols

UNLIMITED = 2**32 - 1
"""The greatest number of members or characters, which stands for any number of them."""


class BaseType:
    """The type of an atom, with what restricts it; None means no such limit. It never changes."""

    __slots__ = (
        "_facts",
        "_is_free",
        "enum",
        "is_weak",
        "kind",
        "max_length",
        "maximum",
        "min_length",
        "minimum",
        "ref_table",
    )

    def __init__(
        self,
        kind: Kind,
        *,
        enum: Datum | None = None,
        minimum: int | float | None = None,
        maximum: int | float | None = None,
        min_length: int | None = None,
        max_length: int | None = None,
        ref_table: str | None = None,
        is_weak: bool = False,
    ) -> None:
        self.kind: Kind = kind
        self.enum = enum
        self.minimum = minimum
        self.maximum = maximum
        self.min_length = min_length
        self.max_length = max_length
        self.ref_table = ref_table
        self.is_weak = is_weak
        limits = (enum, minimum, maximum, min_length, max_length)
        self._is_free = all(limit is None for limit in limits)
        self._facts = (kind, *limits, ref_table, is_weak)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BaseType) and self._facts == other._facts

    def __hash__(self) -> int:
        return hash(self._facts)

    def __repr__(self) -> str:
        return f"BaseType({json_text(self.to_json())})"

    @property
    def is_strong_reference(self) -> bool:
        """Whether a row pointed to must exist, and lives as long as it is pointed to."""
        return self.ref_table is not None and not self.is_weak

    @property
    def is_weak_reference(self) -> bool:
        """Whether it points to rows that may go; it is taken out of its column then."""
        return self.ref_table is not None and self.is_weak

    @property
    def is_constrained(self) -> bool:
        """Whether the schema says more of it than its kind."""
        return not self._is_free or self.ref_table is not None

    def parse(self, json: Json, symbols: Symbols | None = None) -> Atom:
        """The atom that JSON stands for, checked. Raises :class:`OvsdbError`.

        With ``symbols``, a UUID may be given by name.
        """
        atom = PARSERS[self.kind](json, symbols)
        if not self._is_free:
            self.check(atom)
        return atom

    def check(self, atom: Any) -> None:
        """Raise a constraint violation where the schema does not allow an atom."""
        if self.enum is not None and atom not in self.enum:
            allowed = ", ".join(atom_text(one, self.kind) for one in self.enum)
            raise constraint_violation(
                f"{atom_text(atom, self.kind)} is not one of the allowed values ([{allowed}])"
            )
        if self.kind == "string":
            self._check_length(atom)
        elif self.minimum is not None or self.maximum is not None:
            self._check_range(atom)

    def _check_range(self, atom: Any) -> None:
        low, high = self.minimum, self.maximum
        if (low is None or atom >= low) and (high is None or atom <= high):
            return
        number: Callable[[Any], str] = real_text if self.kind == "real" else str
        if low is not None and high is not None:
            what = f"is not in the valid range {number(low)} to {number(high)} (inclusive)"
        elif low is not None:
            what = f"is less than minimum allowed value {number(low)}"
        else:
            what = f"is greater than maximum allowed value {number(high)}"
        raise constraint_violation(f"{number(atom)} {what}")

    def _check_length(self, text: str) -> None:
        n = len(text)
        if self.min_length is not None and n < self.min_length:
            what = f"less than minimum allowed length {self.min_length}"
        elif self.max_length is not None and n > self.max_length:
            what = f"greater than maximum allowed length {self.max_length}"
        else:
            return
        raise constraint_violation(f'"{text}" length {n} is {what}')

    def atom_to_json(self, atom: Atom) -> Json:
        """An atom as JSON."""
        if self.kind == "real":
            return real_to_json(float(atom))
        return ["uuid", atom] if self.kind == "uuid" else atom

    @classmethod
    def from_json(cls, json: Json) -> BaseType:
        """Read a <base-type>. Raises :class:`OvsdbError`."""
        if isinstance(json, str):
            return cls(parse_kind(json))
        parser = ObjectParser(json, "ovsdb type")
        kind_json = parser.member("type", is_string)
        parser.check()
        kind = parse_kind(kind_json)
        if "enum" in json:
            enum = parser.member("enum", lambda _json: True)
            base = cls(kind, enum=parse_set(enum, cls(kind).parse, 1, UNLIMITED))
        else:
            base = _LIMITED[kind](parser)
        parser.finish()
        return base

    def to_json(self) -> Json:
        """The <base-type>, as short as ovsdb writes it."""
        if not self.is_constrained:
            return self.kind
        json: dict[str, Json] = {"type": self.kind}
        if self.enum is not None:
            json["enum"] = set_to_json([self.atom_to_json(atom) for atom in self.enum])
        suffix = {"integer": "Integer", "real": "Real"}.get(self.kind, "")
        members = {
            f"min{suffix}": self.minimum,
            f"max{suffix}": self.maximum,
            "minLength": self.min_length,
            "maxLength": self.max_length,
            "refTable": self.ref_table,
            "refType": "weak" if self.is_weak_reference else None,
        }
        return json | {name: value for name, value in members.items() if value is not None}


def _limited_integer(parser: ObjectParser) -> BaseType:
    low = integer_of(parser.member("minInteger", is_integer, optional=True))
    high = integer_of(parser.member("maxInteger", is_integer, optional=True))
    if low is not None and high is not None and low > high:
        raise syntax_error(parser.json, "minInteger exceeds maxInteger")
    low = None if low == INTEGER_MIN else low
    return BaseType("integer", minimum=low, maximum=None if high == INTEGER_MAX else high)


def _limited_real(parser: ObjectParser) -> BaseType:
    limits = [parser.member(name, is_number, optional=True) for name in ("minReal", "maxReal")]
    low, high = (None if limit is None else float(limit) for limit in limits)
    if low is not None and high is not None and low > high:
        raise syntax_error(parser.json, "minReal exceeds maxReal")
    return BaseType("real", minimum=low, maximum=high)


def _limited_string(parser: ObjectParser) -> BaseType:
    low, high = (_length(parser, name) for name in ("minLength", "maxLength"))
    if low is not None and low > (UNLIMITED if high is None else high):
        raise syntax_error(parser.json, "minLength exceeds maxLength")
    low = low or None
    return BaseType("string", min_length=low, max_length=None if high == UNLIMITED else high)


def _length(parser: ObjectParser, name: str) -> int | None:
    length = integer_of(parser.member(name, is_integer, optional=True))
    if length is not None and not 0 <= length <= UNLIMITED:
        raise syntax_error(parser.json[name], f"{name} out of valid range 0 to {UNLIMITED}")
    return length


def _reference(parser: ObjectParser) -> BaseType:
    table = parser.member("refTable", is_id, optional=True)
    if table is None:
        return BaseType("uuid")
    strength = parser.member("refType", is_id, optional=True)
    if strength not in (None, "strong", "weak"):
        raise syntax_error(parser.json, f'refType must be "strong" or "weak" (not "{strength}")')
    return BaseType("uuid", ref_table=table, is_weak=strength == "weak")


_LIMITED: dict[Kind, Callable[[ObjectParser], BaseType]] = {
    "integer": _limited_integer,
    "real": _limited_real,
    "boolean": lambda _parser: BaseType("boolean"),
    "string": _limited_string,
    "uuid": _reference,
}
