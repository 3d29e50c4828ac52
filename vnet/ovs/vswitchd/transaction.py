"""Changes to a configuration that belong together, as commands make them."""

from __future__ import annotations

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.vswitchd.column_text import parse_atom, parse_setting, parse_value
from vnet.ovs.vswitchd.config import SwitchConfig
from vnet.ovs.vswitchd.draft import Draft, DraftRow, Symbol, column_named, type_of

_FOUND_BY = {
    "QoS": ("Port", "qos"),
    "sFlow": ("Bridge", "sflow"),
    "NetFlow": ("Bridge", "netflow"),
    "IPFIX": ("Bridge", "ipfix"),
}
"""Tables whose rows have no names: whose they are, by which column (ovs-vsctl(8))."""


class Transaction:
    """The changes of one command line."""

    def __init__(self, config: SwitchConfig) -> None:
        self.draft = Draft(config)
        self._symbols: dict[str, Symbol] = {}

    def find(self, table: str, name: str) -> DraftRow | None:
        """A row by its name; of the root table, the one row there is."""
        if table == "Open_vSwitch":
            return self.draft.root
        if table in _FOUND_BY:
            owner, column = _FOUND_BY[table]
            row = self.find(owner, name)
            return None if row is None else next(iter(row.rows_in(column)), None)
        rows = self.draft.rows(table)
        return next((row for row in rows if row.columns.get("name") == name), None)

    def record(self, table: str, name: str) -> DraftRow:
        """A row that must exist."""
        row = self.find(table, name)
        if row is None:
            raise OvsTextError(f'no row "{name}" in table {table}')
        return row

    def row_of(self, text: str) -> Symbol:
        """What ``@name`` stands for in a column."""
        if not text.startswith("@"):
            raise OvsTextError(f'"{text}" is not a valid UUID')
        return self._symbols.setdefault(text, Symbol(text))

    def bind_new(self, name: str, row: DraftRow) -> None:
        """As :meth:`bind` for ``get``, after whose command alone a name may be used."""
        if name in self._symbols:
            raise OvsTextError(
                f'row id "{name}" specified on "get" command was used before it was defined'
            )
        self.bind(name, row)

    def bind(self, name: str, row: DraftRow) -> None:
        """Let ``@name`` stand for a row, before or after it is used."""
        if not name.startswith("@"):
            raise OvsTextError(f'row id "{name}" does not begin with "@"')
        symbol = self._symbols.setdefault(name, Symbol(name))
        if symbol.row is not None:
            raise OvsTextError(f'row id "{name}" may only be specified on one --id option')
        symbol.row = row

    def set(self, row: DraftRow, text: str) -> None:
        """``COLUMN=VALUE``, or ``COLUMN:KEY=VALUE`` for one key of a map."""
        setting = parse_setting(text)
        column = column_named(row.table, setting.column)
        row.check_mutable(column)
        known = type_of(row.table, column)
        if setting.key is None:
            row.columns[column] = parse_value(known, setting.value, self.row_of)
            return
        if known.value is None:
            raise OvsTextError(f"cannot specify key to set for non-map column {column}")
        atom = parse_atom(known.key, setting.key, self.row_of)
        item = parse_atom(known.value, setting.value, self.row_of)
        row.columns[column] = known.of_items({**known.items(row.columns[column]), atom: item})

    def check_new(self, name: str, what: str) -> None:
        """Raise unless ``name`` is free for a ``what`` ("a port", "an interface")."""
        sentence = f"cannot create {what} named {name} because"
        for bridge in self.draft.rows("Bridge"):
            if bridge.name == name:
                raise OvsTextError(f"{sentence} a bridge named {name} already exists")
            for port in bridge.rows_in("ports"):
                if port.name == name:
                    raise OvsTextError(
                        f"{sentence} a port named {name} already exists on bridge {bridge.name}"
                    )
                if any(interface.name == name for interface in port.rows_in("interfaces")):
                    raise OvsTextError(
                        f"{sentence} an interface named {name} already exists "
                        f"on bridge {bridge.name}"
                    )

    def bridge(self, name: str) -> DraftRow:
        """A bridge that must exist."""
        bridge = self.find("Bridge", name)
        if bridge is None:
            raise OvsTextError(f"no bridge named {name}")
        return bridge

    def port(self, name: str) -> tuple[DraftRow, DraftRow] | None:
        """A port that is no local one, and its bridge before it."""
        for bridge in self.draft.rows("Bridge"):
            for port in bridge.rows_in("ports"):
                if port.name == name != bridge.name:
                    return bridge, port
        return None
