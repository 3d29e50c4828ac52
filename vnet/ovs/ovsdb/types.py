"""The types of columns (RFC 7047 section 3.2, <type>), and values read by them."""

from __future__ import annotations

from vnet.ovs.ovsdb.atom_json import check_count, pair_of, parse_set, set_to_json, unwrap_array
from vnet.ovs.ovsdb.atoms import DEFAULT_ATOMS, Atom, Datum, atom_text
from vnet.ovs.ovsdb.base_type import UNLIMITED, BaseType
from vnet.ovs.ovsdb.errors import OvsdbError, syntax_error
from vnet.ovs.ovsdb.json_text import Json, integer_of, json_text, real_to_json
from vnet.ovs.ovsdb.object_parser import ObjectParser, is_integer, is_string, is_type
from vnet.ovs.ovsdb.symbols import Symbols


class ColumnType:
    """What a column holds: ``n_min`` to ``n_max`` keys, or pairs of keys and values.

    It never changes. ``default`` is one for all rows that have it.
    """

    __slots__ = ("default", "key", "n_max", "n_min", "value")

    def __init__(
        self, key: BaseType, value: BaseType | None = None, n_min: int = 1, n_max: int = 1
    ) -> None:
        self.key = key
        self.value = value
        self.n_min = n_min
        self.n_max = n_max
        atom = DEFAULT_ATOMS[key.kind]
        one = atom if value is None else (atom, DEFAULT_ATOMS[value.kind])
        self.default: Datum = (one,) if n_min else ()

    def _facts(self) -> tuple[object, ...]:
        return self.key, self.value, self.n_min, self.n_max

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ColumnType) and self._facts() == other._facts()

    def __hash__(self) -> int:
        return hash(self._facts())

    def __repr__(self) -> str:
        return f"ColumnType({json_text(self.to_json_type())})"

    def of_size(self, n_min: int, n_max: int) -> ColumnType:
        """The same with other numbers of members."""
        return ColumnType(self.key, self.value, n_min, n_max)

    @property
    def of_keys(self) -> ColumnType:
        """A set of a map's keys."""
        return ColumnType(self.key, None, self.n_min, self.n_max)

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
        return parse_set(
            json, lambda member: self.key.parse(member, symbols), self.n_min, self.n_max
        )

    def _parse_map(self, json: Json, value: BaseType, symbols: Symbols | None) -> Datum:
        members = unwrap_array(json, "map")
        check_count(json, "map", len(members), self.n_min, self.n_max)
        pairs: dict[Atom, Atom] = {}
        for member in members:
            key_json, value_json = pair_of(member)
            key = self.key.parse(key_json, symbols)
            pairs[key] = value.parse(value_json, symbols)
        if len(pairs) < len(members):
            raise OvsdbError("ovsdb error", "map contains duplicate key")
        return tuple(sorted(pairs.items()))

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
        return set_to_json(atoms)

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
