"""Atoms read from JSON (RFC 7047 section 5.1), a kind each."""

from __future__ import annotations

from collections.abc import Callable

from vnet.ovs.ovsdb.atoms import DEFAULT_ATOMS, Atom, Datum, Kind, Uuid, is_uuid
from vnet.ovs.ovsdb.errors import OvsdbError, syntax_error
from vnet.ovs.ovsdb.json_text import Json, integer_of, is_number
from vnet.ovs.ovsdb.object_parser import is_id
from vnet.ovs.ovsdb.symbols import Symbols
from vnet.ovs.ovsdb.utf8 import check_utf8


def parse_kind(json: str) -> Kind:
    """The word for a kind of atom. Raises :class:`OvsdbError`."""
    if json not in DEFAULT_ATOMS:
        raise syntax_error(json, f'"{json}" is not an atomic-type')
    return json


def _integer(json: Json, _symbols: Symbols | None) -> Atom:
    integer = json if type(json) is int else None
    if integer is None or integer.bit_length() > 63:
        integer = integer_of(json)
    if integer is None:
        raise syntax_error(json, "expected integer")
    return integer


def _real(json: Json, _symbols: Symbols | None) -> Atom:
    if not is_number(json):
        raise syntax_error(json, "expected real")
    return float(json)


def _boolean(json: Json, _symbols: Symbols | None) -> Atom:
    if type(json) is not bool:
        raise syntax_error(json, "expected boolean")
    return json


def _string(json: Json, _symbols: Symbols | None) -> Atom:
    if not isinstance(json, str):
        raise syntax_error(json, "expected string")
    if not json.isascii():
        check_utf8(json)
    return json


def _uuid(json: Json, symbols: Symbols | None) -> Atom:
    if type(json) is list and len(json) == 2 and isinstance(json[1], str):
        word, text = json
        if word == "uuid":
            if not is_uuid(text):
                raise syntax_error(json, f'"{text}" is not a valid UUID')
            return Uuid(text.lower())
        if word == "named-uuid" and symbols is not None:
            if not is_id(text):
                raise syntax_error(json, "named-uuid string is not a valid <id>")
            return symbols.uuid_of(text)
    raise syntax_error(json, 'expected ["uuid", <string>]')


PARSERS: dict[Kind, Callable[[Json, Symbols | None], Atom]] = {
    "integer": _integer,
    "real": _real,
    "boolean": _boolean,
    "string": _string,
    "uuid": _uuid,
}
"""Readers by kind. They raise :class:`OvsdbError`; with symbols, UUIDs may be given by name."""


def unwrap_array(json: Json, word: str) -> list[Json]:
    """The members of ``["set", [...]]`` or ``["map", [...]]``. Raises :class:`OvsdbError`."""
    if type(json) is list and len(json) == 2 and json[0] == word and type(json[1]) is list:
        return json[1]
    raise syntax_error(json, f'expected ["{word}", <array>]')


def pair_of(json: Json) -> tuple[Json, Json]:
    """The two members of an array. Raises :class:`OvsdbError`."""
    if type(json) is not list or len(json) != 2:
        raise syntax_error(json, "expected 2-element array")
    return json[0], json[1]


def parse_set(json: Json, parse_member: Callable[[Json], Atom], n_min: int, n_max: int) -> Datum:
    """A set, or an atom that stands for a set of one. Raises :class:`OvsdbError`."""
    if type(json) is not list or not json or json[0] != "set":
        return (parse_member(json),)
    members = unwrap_array(json, "set")
    check_count(json, "set", len(members), n_min, n_max)
    atoms = sorted(map(parse_member, members))
    if len(set(atoms)) < len(atoms):
        raise OvsdbError("ovsdb error", "set contains duplicate")
    return tuple(atoms)


def check_count(json: Json, what: str, n_members: int, n_min: int, n_max: int) -> None:
    """Raise :class:`OvsdbError` where a set or map has too few or too many members."""
    if n_min <= n_members <= n_max:
        return
    if n_min == n_max == 1:
        needed = f"exactly one member but {n_members} are present"
    else:
        needed = f"{n_min} to {n_max} members but {n_members} are present"
    raise syntax_error(json, f"{what} must have {needed}")


def set_to_json(atoms: list[Json]) -> Json:
    """A set as JSON: a single atom stands for itself."""
    return atoms[0] if len(atoms) == 1 else ["set", atoms]
