"""Values that Open vSwitch's database has a say in: a column's type decides, in its own words.

A text is read as ovs-vsctl(8) reads it (``trunks: 10,20-29``); else a number, a list or a map of
YAML stands for itself. The database's types are imported when the first value is read: files
without Open vSwitch do without.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from vnet.topology.values import RefusedError, kind_of

if TYPE_CHECKING:
    from vnet.ovs.vswitchd.column import Atom, ColumnType

# How the values of some columns are spelt, as JSON Schema.
VLAN: dict[str, Any] = {"type": "integer", "minimum": 0, "maximum": 4095}
VLANS: dict[str, Any] = {
    "anyOf": [VLAN, {"type": "array", "items": VLAN}, {"type": "string"}],
    "examples": [[10, 20], "10,20-29"],
}
SETTINGS: dict[str, Any] = {
    "type": "object",
    "additionalProperties": {"type": ["string", "integer", "boolean"]},
}


def column_reader(table: str, column: str) -> Callable[[object], object]:
    """A function that reads values of a column of ovs-vswitchd.conf.db(5)."""

    def read(value: object) -> object:
        from vnet.ovs.flow.errors import OvsTextError
        from vnet.ovs.vswitchd.column_text import parse_value
        from vnet.ovs.vswitchd.draft import type_of

        known = type_of(table, column)
        try:
            if isinstance(value, str):
                return parse_value(known, value, _no_row)
            found = known.of_items(_items(known, value))
            known.check(found)
        except OvsTextError as error:
            raise RefusedError(error.what) from None
        return found

    return read


def _no_row(text: str) -> NoReturn:
    raise AssertionError(f"{text}: no column that a topology sets refers to rows")


def _items(known: ColumnType, value: object) -> dict[object, object]:
    """What YAML gave, as :meth:`ColumnType.of_items` wants it."""
    if known.value is not None:
        if not isinstance(value, dict):
            raise RefusedError(f"wants a map, not {kind_of(value)}")
        of = known.value
        return {_atom(known.key, key): _atom(of, item) for key, item in value.items()}
    atoms = value if isinstance(value, list) else [value]
    items: dict[object, object] = {_atom(known.key, atom): None for atom in atoms}
    known.check_count(len(items))
    return items


def _atom(atom: Atom, value: object) -> object:
    """One atom; a number or truth value where the database wants a string is written as one."""
    kind = atom.kind.value
    if kind == "integer" and type(value) is int:
        return value
    if kind == "boolean" and isinstance(value, bool):
        return value
    if kind == "string" and isinstance(value, str | int | float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    wanted = {"integer": "a whole number", "boolean": "true or false", "string": "text"}[kind]
    raise RefusedError(f"wants {wanted}, not {kind_of(value)}")
