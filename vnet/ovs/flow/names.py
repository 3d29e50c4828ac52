"""Numbers of ports and tables as texts: decimal, reserved names, or names that a bridge gave."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field

from vnet.base.record import record
from vnet.ovs.flow.ports import OFPP_MAX, OFPP_NONE, RESERVED_PORT_NAMES, OfpPort
from vnet.ovs.flow.tokens import c_decimal

_RESERVED_PORTS: dict[str, OfpPort] = {
    **{name.lower(): port for port, name in RESERVED_PORT_NAMES.items()},
    "none": OFPP_NONE,
}
_FIRST_RESERVED = 0xFFF7
_OFPP11_MAX = 0xFFFFFF00
_OFPP11_OFFSET = 0xFFFF0000
"""What OpenFlow 1.1 and later add to the number of a reserved port, to make 32 bits of it."""


@record(frozen=True, slots=True)
class Names:
    """The names of one bridge's ports and tables. ``openflow_full`` says that it speaks OpenFlow
    whole, so that texts may name fields and actions that Open vSwitch lacks.
    """

    ports: Mapping[str, OfpPort] = field(default_factory=dict)
    tables: Mapping[str, int] = field(default_factory=dict)
    openflow_full: bool = False
    port_names: Mapping[OfpPort, str] = field(init=False)
    table_names: Mapping[int, str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "port_names", {port: name for name, port in self.ports.items()})
        object.__setattr__(self, "table_names", {table: n for n, table in self.tables.items()})


NO_NAMES = Names()
"""Numbers and reserved names only."""


def parse_port(text: str, names: Names = NO_NAMES) -> OfpPort | None:
    """An OpenFlow port, or None if ``text`` is none: a number of OpenFlow 1.0 (16 bits), a
    reserved one of OpenFlow 1.1 (32 bits), a reserved name in any case, or a name of ``names``,
    quoted or not.
    """
    if text.startswith("-"):
        return None
    number = c_decimal(text)
    if number is not None and 0 <= number <= 0xFFFFFFFF:
        if number <= 0xFFFF:
            return OfpPort(number)
        return OfpPort(number - _OFPP11_OFFSET) if number >= _OFPP11_MAX else None
    reserved = _RESERVED_PORTS.get(text.lower())
    if reserved is not None:
        return reserved
    name = _unquoted(text)
    return None if name is None else names.ports.get(name)


def port_text(port: OfpPort, names: Names = NO_NAMES) -> str:
    """A port as Open vSwitch prints it: a reserved name, a name of ``names``, or its number."""
    if port < OFPP_MAX or port < _FIRST_RESERVED:
        name = names.port_names.get(port)
        return str(port) if name is None else quoted_name(name)
    return RESERVED_PORT_NAMES[port]


def parse_table(text: str, names: Names = NO_NAMES) -> int | None:
    """A flow table, 0 to 255, or None if ``text`` is none."""
    if text.startswith("-"):
        return None
    number = c_decimal(text)
    if number is not None and 0 <= number <= 0xFFFFFFFF:
        return number if number <= 0xFF else None
    name = _unquoted(text)
    # As Open vSwitch has it, a quote that does not end leads to table 0.
    return 0 if name is None else names.tables.get(name)


def table_text(table_id: int, names: Names = NO_NAMES) -> str:
    """A flow table as Open vSwitch prints it: a name of ``names``, or its number."""
    name = names.table_names.get(table_id)
    return str(table_id) if name is None else quoted_name(name)


_ESCAPES = {
    '"': '"',
    "\\": "\\",
    "/": "/",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
}
"""What may follow a backslash between quotes, as in JSON, beside ``uXXXX``."""
_TO_ESCAPE = {
    **{chr(code): f"\\u{code:04x}" for code in range(0x20)},
    **{char: f"\\{letter}" for letter, char in _ESCAPES.items() if char != "/"},
}
_ESCAPED = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))')
_QUOTED = re.compile(rf'"((?:[^"\\]|{_ESCAPED.pattern})*)"')


def quoted_name(name: str) -> str:
    """A name as it stands in a flow: quoted unless it is letters and digits, a letter first."""
    if name.isascii() and name.isalnum() and name[0].isalpha():
        return name
    return f'"{"".join(_TO_ESCAPE.get(char, char) for char in name)}"'


def _unquoted(text: str) -> str | None:
    """The name in quotes or without them, None where the quotes hold none."""
    if not text.startswith('"'):
        return text
    found = _QUOTED.fullmatch(text)
    return None if found is None else _ESCAPED.sub(_unescaped, found[1])


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if found[1] else _ESCAPES[found[2]]
