"""``ovs-vsctl show``: managers, bridges, ports, interfaces, as a tree."""

from __future__ import annotations

from collections.abc import Iterator

from vnet.ovs.vsctl.context import Command, Context
from vnet.ovs.vsctl.record import Record

_INDENT = " " * 4
_SHOWN: dict[str, tuple[str | None, tuple[str, ...]]] = {
    "Open_vSwitch": (None, ("manager_options", "bridges", "ovs_version")),
    "Bridge": ("name", ("controller", "fail_mode", "datapath_type", "ports")),
    "Port": ("name", ("tag", "trunks", "interfaces")),
    "Interface": ("name", ("type", "options", "error", "bfd_status")),
    "Controller": ("target", ("is_connected",)),
    "Manager": ("target", ("is_connected",)),
}
"""What a row of a table is called by, and which of its columns are shown, where they are not as
they are by themselves. References are followed."""


def show(context: Context, _command: Command) -> str:
    """``show``."""
    roots = context.transaction.records("Open_vSwitch")
    return "".join(f"{line}\n" for root in roots for line in _tree(context, root))


def _tree(context: Context, record: Record) -> Iterator[str]:
    table = record.table
    name, columns = _SHOWN[table.name]
    if name is None:
        yield record.uuid
    else:
        yield f"{table.name} {table.columns[name].type.to_text(record[name])}"
    for column in columns:
        known, datum = table.columns[column].type, record[column]
        if known.key.ref_table in _SHOWN:
            for row in context.transaction.referred(known.key.ref_table, datum):
                yield from (f"{_INDENT}{line}" for line in _tree(context, row))
        elif datum != known.default:
            yield f"{_INDENT}{column}: {known.to_text(datum)}"
