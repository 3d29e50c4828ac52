"""The types of columns (RFC 7047 section 3.2, <base-type> and <type>), and values read by them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, replace
from typing import Any

from vnet.base.record import record
from vnet.ovs.ovsdb.atom_json import PARSERS, duplicates, pair_of, parse_kind, unwrap_array
from vnet.ovs.ovsdb.atoms import DEFAULT_ATOMS, Atom, Datum, Kind, atom_text
from vnet.ovs.ovsdb.errors import OvsdbError, constraint_violation, syntax_error
from vnet.ovs.ovsdb.json_text import (
    INTEGER_MAX,
    INTEGER_MIN,
    Json,
    integer_of,
    is_number,
    real_text,
    real_to_json,
)
from vnet.ovs.ovsdb.object_parser import ObjectParser, is_id, is_integer, is_string, is_type
from vnet.ovs.ovsdb.symbols import Symbols

UNLIMITED = 2**32 - 1
"""The greatest number of members, which stands for any number of them."""


@record(frozen=True, slots=True)
class BaseType:
    """The type of an atom, with what restricts it; None means no such limit."""

    kind: Kind
    enum: Datum | None = None
    minimum: int | float | None = None
    maximum: int | float | None = None
    min_length: int | None = None
    max_length: int | None = None
    ref_table: str | None = None
    is_weak: bool = False
    _is_free: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        limits = (self.enum, self.minimum, self.maximum, self.min_length, self.max_length)
        object.__setattr__(self, "_is_free", all(limit is None for limit in limits))

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
            allowed = ColumnType(replace(self, enum=None), n_max=UNLIMITED).to_text(self.enum)
            raise constraint_violation(
                f"{atom_text(atom, self.kind)} is not one of the allowed values ({allowed})"
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
            base = cls(kind, enum=ColumnType(cls(kind), n_max=UNLIMITED).parse(enum))
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
            json["enum"] = ColumnType(BaseType(self.kind), n_max=UNLIMITED).to_json(self.enum)
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


@record(frozen=True, slots=True)
class ColumnType:
    """What a column holds: ``n_min`` to ``n_max`` keys, or pairs of keys and values."""

    key: BaseType
    value: BaseType | None = None
    n_min: int = 1
    n_max: int = 1
    default: Datum = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """The default is one for all rows that have it."""
        key = DEFAULT_ATOMS[self.key.kind]
        one = key if self.value is None else (key, DEFAULT_ATOMS[self.value.kind])
        object.__setattr__(self, "default", (one,) if self.n_min else ())

    @property
    def is_map(self) -> bool:
        return self.value is not None

    @property
    def is_scalar(self) -> bool:
        return self.value is None and self.n_min == 1 and self.n_max == 1

    @property
    def is_optional(self) -> bool:
        """Whether it is a scalar that may be missing."""
        return self.value is None and self.n_min == 0 and self.n_max == 1

    @property
    def is_set(self) -> bool:
        """Whether it is neither a scalar nor a map. An optional scalar is a set."""
        return self.value is None and not self.is_scalar

    @property
    def has_weak_references(self) -> bool:
        return self.key.is_weak_reference or (
            self.value is not None and self.value.is_weak_reference
        )

    @property
    def has_strong_references(self) -> bool:
        return self.key.is_strong_reference or (
            self.value is not None and self.value.is_strong_reference
        )

    @property
    def allows_default(self) -> bool:
        """Whether the default is within the constraints."""
        try:
            self.check(self.default)
        except OvsdbError:
            return False
        return True

    def parse(self, json: Json, symbols: Symbols | None = None) -> Datum:
        """The datum that JSON stands for, with every constraint checked but references.

        Raises :class:`OvsdbError`. With ``symbols``, UUIDs may be given by name.
        """
        if self.value is not None:
            return self._parse_map(json, self.value, symbols)
        if type(json) is not list or not json or json[0] != "set":
            return (self.key.parse(json, symbols),)
        members = unwrap_array(json, "set")
        self._check_count(json, "set", len(members))
        atoms = sorted(self.key.parse(member, symbols) for member in members)
        if len(set(atoms)) < len(atoms):
            raise duplicates("set contains duplicate")
        return tuple(atoms)

    def _parse_map(self, json: Json, value: BaseType, symbols: Symbols | None) -> Datum:
        members = unwrap_array(json, "map")
        self._check_count(json, "map", len(members))
        pairs: dict[Atom, Atom] = {}
        for member in members:
            key_json, value_json = pair_of(member)
            key = self.key.parse(key_json, symbols)
            pairs[key] = value.parse(value_json, symbols)
        if len(pairs) < len(members):
            raise duplicates("map contains duplicate key")
        return tuple(sorted(pairs.items()))

    def _check_count(self, json: Json, what: str, n: int) -> None:
        if self.n_min <= n <= self.n_max:
            return
        if self.n_max == 1 and self.n_min == 1:
            raise syntax_error(json, f"{what} must have exactly one member but {n} are present")
        limits = f"{self.n_min} to {self.n_max}"
        raise syntax_error(json, f"{what} must have {limits} members but {n} are present")

    def check(self, datum: Datum) -> None:
        """Raise a constraint violation where the schema does not allow one of the atoms."""
        if self.value is None:
            for atom in datum:
                self.key.check(atom)
            return
        for key, _value in datum:
            self.key.check(key)
        for _key, value in datum:
            self.value.check(value)

    def to_json(self, datum: Datum) -> Json:
        """A datum as JSON: what there is only one of stands for itself."""
        if self.value is not None:
            key_json, value_json = self.key.atom_to_json, self.value.atom_to_json
            return ["map", [[key_json(key), value_json(value)] for key, value in datum]]
        if self.key.kind == "uuid":
            atoms: list[Json] = [["uuid", atom] for atom in datum]
        elif self.key.kind == "real":
            atoms = [real_to_json(atom) for atom in datum]
        else:
            atoms = list(datum)
        return atoms[0] if len(atoms) == 1 else ["set", atoms]

    def to_text(self, datum: Datum) -> str:
        """A datum as ovs-vsctl writes it: ``[a, b]``, ``{k=v}``."""
        if self.value is None:
            texts = [atom_text(atom, self.key.kind) for atom in datum]
        else:
            texts = [
                f"{atom_text(key, self.key.kind)}={atom_text(value, self.value.kind)}"
                for key, value in datum
            ]
        text = ", ".join(texts)
        if self.n_max == 1 and datum:
            return text
        return f"[{text}]" if self.value is None else f"{{{text}}}"

    def in_english(self) -> str:
        """``set of up to 3 integers``, for error messages."""
        if self.is_scalar:
            return self.key.kind
        if self.n_max == UNLIMITED:
            amount = f" {self.n_min} or more" if self.n_min else ""
        elif self.n_min:
            amount = f" {self.n_min} to {self.n_max}"
        else:
            amount = f" up to {self.n_max}"
        if self.value is None:
            return f"set of{amount} {self.key.kind}s"
        return f"map of{amount} ({self.key.kind}, {self.value.kind}) pairs"

    @classmethod
    def from_json(cls, json: Json) -> ColumnType:
        """Read a <type>. Raises :class:`OvsdbError`."""
        if isinstance(json, str):
            return cls(BaseType.from_json(json))
        if not isinstance(json, dict):
            raise syntax_error(json, "ovsdb type expected")
        parser = ObjectParser(json, "ovsdb type")
        key = parser.member("key", is_type)
        value = parser.member("value", is_type, optional=True)
        n_min = parser.member("min", is_integer, optional=True)
        n_max = parser.member(
            "max", lambda member: is_integer(member) or is_string(member), optional=True
        )
        parser.finish()
        found = cls(
            BaseType.from_json(key),
            None if value is None else BaseType.from_json(value),
            _count(n_min),
            UNLIMITED if n_max == "unlimited" else _count(n_max),
        )
        if found.n_min > 1 or found.n_max < 1:
            raise syntax_error(json, "ovsdb type fails constraint checks")
        return found

    def to_json_type(self) -> Json:
        """The <type>, as short as ovsdb writes it."""
        if self.is_scalar and not self.key.is_constrained:
            return self.key.kind
        json: dict[str, Json] = {"key": self.key.to_json()}
        if self.value is not None:
            json["value"] = self.value.to_json()
        if self.n_min != 1:
            json["min"] = self.n_min
        if self.n_max != 1:
            json["max"] = "unlimited" if self.n_max == UNLIMITED else self.n_max
        return json


def _count(json: Json) -> int:
    if json is None:
        return 1
    count = integer_of(json)
    if count is None or not 0 <= count < UNLIMITED:
        raise syntax_error(json, "bad min or max value")
    return count


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
