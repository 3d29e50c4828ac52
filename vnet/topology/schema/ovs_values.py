"""Values that Open vSwitch's database has a say in: a column's type decides, in its own words.

A text is read as ovs-vsctl(8) reads it (``trunks: 10,20-29``); else a number, a list or a map of
YAML stands for itself. The database's types are imported when the first value is read: files
without Open vSwitch do without.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from vnet.base.text import one_of, quote
from vnet.topology.schema.values import RefusedError, kind_of

if TYPE_CHECKING:
    from vnet.ovs.ovsdb.atoms import Datum
    from vnet.ovs.ovsdb.base_type import BaseType
    from vnet.ovs.ovsdb.types import ColumnType

# How the values of some columns are spelt, as JSON Schema.
VLAN: dict[str, Any] = {"type": "integer", "minimum": 0, "maximum": 4095}
VLANS: dict[str, Any] = {
    "anyOf": [VLAN, {"type": "array", "items": VLAN}, {"type": "string"}],
    "examples": [[10, 20], "10,20-29"],
}
PROTOCOL: dict[str, Any] = {"enum": [f"OpenFlow1{minor}" for minor in range(6)]}
SETTINGS: dict[str, Any] = {
    "type": "object",
    "additionalProperties": {"type": ["string", "integer", "boolean"]},
}


def column_reader(table: str, column: str) -> Callable[[object], object]:
    """A function that reads values of a column of ovs-vswitchd.conf.db(5): the atom itself, an
    atom or None, a tuple, a dict."""

    def read(value: object) -> object:
        from vnet.ovs.flow.errors import OvsTextError
        from vnet.ovs.ovsdb.errors import OvsdbError
        from vnet.ovs.ovsdb.shipped import open_vswitch_schema
        from vnet.ovs.vsctl.value_text import parse_value

        known = open_vswitch_schema().tables[table].columns[column].type
        try:
            if isinstance(value, str):
                return _plain(known, parse_value(known, value))
            datum = _datum(known, value)
            known.check(datum)
        except OvsTextError as error:
            raise RefusedError(error.what) from None
        except OvsdbError as error:
            raise RefusedError(str(error)) from None
        return _plain(known, datum)

    return read


def read_controllers(value: object) -> tuple[str, ...]:
    """The targets of controllers: one, or a list of them."""
    from vnet.ovs.vswitchd.controller_config import ACTIVE_KINDS, PASSIVE_KINDS, ControllerConfig

    targets = value if isinstance(value, list) else [value]
    for target in targets:
        if not isinstance(target, str):
            raise RefusedError(f"wants the target of a controller, not {kind_of(target)}")
        if not ControllerConfig(target).is_supported:
            kinds = one_of(f"{kind}:" for kind in (*ACTIVE_KINDS, *PASSIVE_KINDS))
            what = f"{quote(target)} is not the target of a controller"
            raise RefusedError(what, f"such as tcp:127.0.0.1:6653; it begins with {kinds}")
    return tuple(dict.fromkeys(targets))


def _plain(known: ColumnType, datum: Datum) -> object:
    if known.is_map:
        return dict(datum)
    if known.n_max == 1:
        return datum[0] if datum else None
    return datum


def _datum(known: ColumnType, value: object) -> Datum:
    """What YAML gave, in the order of the file."""
    if known.value is not None:
        if not isinstance(value, dict):
            raise RefusedError(f"wants a map, not {kind_of(value)}")
        of = known.value
        pairs = {_atom(known.key, key): _atom(of, item) for key, item in value.items()}
        return tuple(pairs.items())
    atoms = value if isinstance(value, list) else [value]
    datum = tuple(dict.fromkeys(_atom(known.key, atom) for atom in atoms))
    if len(datum) > known.n_max:
        raise RefusedError(
            f"set must have {known.n_min} to {known.n_max} members but {len(datum)} are present"
        )
    return datum


def _atom(base: BaseType, value: object) -> object:
    """One atom; a number or truth value where the database wants a string is written as one."""
    kind = base.kind
    if kind == "integer" and type(value) is int:
        return value
    if kind == "boolean" and isinstance(value, bool):
        return value
    if kind == "string" and isinstance(value, str | int | float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    wanted = {"integer": "a whole number", "boolean": "true or false", "string": "text"}[kind]
    raise RefusedError(f"wants {wanted}, not {kind_of(value)}")
