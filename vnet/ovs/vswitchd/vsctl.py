"""Configuration by command lines, as ovs-vsctl(8) takes them.

:func:`run_vsctl` carries out one command line, which may hold several commands with ``--``
between, on a configuration and returns the new one: all of them, or none and an error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.vswitchd.column import ColumnType
from vnet.ovs.vswitchd.column_text import next_token, parse_items
from vnet.ovs.vswitchd.config import SwitchConfig
from vnet.ovs.vswitchd.draft import DraftRow, column_named, table_named, type_of
from vnet.ovs.vswitchd.transaction import Transaction
from vnet.ovs.vswitchd.vsctl_bonds import add_bond_interface, delete_bond_interface
from vnet.ovs.vswitchd.vsctl_command import VsctlCommand

_NO_COMMAND = "missing command name (use --help for help)"
_IGNORED_OPTIONS = frozenset({"--no-wait", "--oneline", "--retry", "--verbose", "-v"})
_IGNORED_OPTIONS_WITH_WORD = frozenset({"--timeout", "-t", "--db"})


def run_vsctl(config: SwitchConfig, arguments: Sequence[str]) -> SwitchConfig:
    """The configuration after ``arguments``, a command line without the program's name."""
    transaction = Transaction(config)
    for command in _split(arguments):
        _run(transaction, command)
    return transaction.draft.config()


def _split(arguments: Sequence[str]) -> list[VsctlCommand]:
    """The commands of a command line. Options of the program itself stand before the first."""
    rest = list(arguments)
    while rest and rest[0].partition("=")[0] in _IGNORED_OPTIONS | _IGNORED_OPTIONS_WITH_WORD:
        option = rest.pop(0)
        if option in _IGNORED_OPTIONS_WITH_WORD and rest:
            rest.pop(0)
    groups: list[list[str]] = [[]]
    for argument in rest:
        if argument == "--":
            groups.append([])
        else:
            groups[-1].append(argument)
    commands = [_command(group) for group in groups if group]
    if not commands:
        raise OvsTextError(_NO_COMMAND)
    return commands


def _command(group: Sequence[str]) -> VsctlCommand:
    options: dict[str, str] = {}
    for at, argument in enumerate(group):
        if not argument.startswith("-"):
            return VsctlCommand(options, group[at:])
        option, _, value = argument.partition("=")
        if option in options:
            raise OvsTextError(f"'{option}' option specified multiple times")
        options[option] = value
    raise OvsTextError(_NO_COMMAND)


class _Syntax(NamedTuple):
    """How many words a command takes after its name (``most`` None: any number), and options."""

    run: Callable[[Transaction, VsctlCommand], None]
    least: int
    most: int | None
    options: frozenset[str] = frozenset()


def _run(transaction: Transaction, command: VsctlCommand) -> None:
    syntax = _COMMANDS.get(command.name)
    if syntax is None:
        raise OvsTextError(f"unknown command '{command.name}'; use --help for help")
    for option in command.options:
        if option not in syntax.options:
            raise OvsTextError(f"'{command.name}' command has no '{option}' option")
    n_words = len(command.words) - 1
    if n_words < syntax.least:
        raise OvsTextError(f"'{command.name}' command requires at least {syntax.least} arguments")
    if syntax.most is not None and n_words > syntax.most:
        raise OvsTextError(f"'{command.name}' command takes at most {syntax.most} arguments")
    syntax.run(transaction, command)


# -- bridges and ports


def _do_nothing(transaction: Transaction, command: VsctlCommand) -> None:
    """``init``: there always is a configuration."""


def _add_bridge(transaction: Transaction, command: VsctlCommand) -> None:
    name = command.words[1]
    if not name:
        raise OvsTextError("bridge name must not be empty string")
    if command.has("--may-exist") and transaction.find("Bridge", name) is not None:
        return
    transaction.check_new(name, "a bridge")
    bridge = DraftRow("Bridge")
    bridge.columns["name"] = name
    bridge.columns["ports"] = (_new_port(name, (name,), interface_type="internal"),)
    _append(transaction.draft.root, "bridges", bridge)


def _delete_bridge(transaction: Transaction, command: VsctlCommand) -> None:
    name = command.words[1]
    if command.has("--if-exists") and transaction.find("Bridge", name) is None:
        return
    _drop(transaction.draft.root, "bridges", transaction.bridge(name))


def _add_port(transaction: Transaction, command: VsctlCommand) -> None:
    _, bridge, name, *settings = command.words
    _add_port_of(transaction, command, bridge, name, (name,), settings)


def _add_bond(transaction: Transaction, command: VsctlCommand) -> None:
    _, bridge, name, *rest = command.words
    n_interfaces = next((at for at, text in enumerate(rest) if "=" in text), len(rest))
    if n_interfaces < 2:
        raise OvsTextError(
            f"add-bond requires at least 2 interfaces, but only {n_interfaces} were specified"
        )
    interfaces, settings = rest[:n_interfaces], rest[n_interfaces:]
    _add_port_of(transaction, command, bridge, name, interfaces, settings)


def _add_port_of(
    transaction: Transaction,
    command: VsctlCommand,
    bridge_name: str,
    name: str,
    interfaces: Sequence[str],
    settings: Sequence[str],
) -> None:
    if not name:
        raise OvsTextError("port name must not be empty string")
    if not all(interfaces):
        raise OvsTextError("interface name must not be empty string")
    existing = transaction.port(name) if command.has("--may-exist") else None
    if existing is not None:
        _check_same(command, *existing, bridge_name, interfaces)
        return
    transaction.check_new(name, "a port")
    for interface in interfaces:
        transaction.check_new(interface, "an interface")
    bridge = transaction.bridge(bridge_name)
    port = _new_port(name, interfaces)
    port.columns["bond_fake_iface"] = command.has("--fake-iface")
    for setting in settings:
        transaction.set(port, setting)
    _append(bridge, "ports", port)


def _check_same(
    command: VsctlCommand,
    bridge: DraftRow,
    port: DraftRow,
    bridge_name: str,
    interfaces: Sequence[str],
) -> None:
    text = command.text
    if bridge.name != bridge_name:
        raise OvsTextError(f'"{text}" but {port.name} is actually attached to bridge {bridge.name}')
    present = sorted(interface.name for interface in port.rows_in("interfaces"))
    if present != sorted(interfaces):
        raise OvsTextError(
            f'"{text}" but {port.name} actually has interface(s) {", ".join(present)}'
        )


def _new_port(name: str, interfaces: Sequence[str], interface_type: str = "") -> DraftRow:
    rows = []
    for interface_name in interfaces:
        interface = DraftRow("Interface")
        interface.columns["name"] = interface_name
        interface.columns["type"] = interface_type
        rows.append(interface)
    port = DraftRow("Port")
    port.columns["name"] = name
    port.columns["interfaces"] = tuple(rows)
    return port


def _delete_port(transaction: Transaction, command: VsctlCommand) -> None:
    *_, name = command.words
    may_miss = command.has("--if-exists")
    if transaction.find("Bridge", name) is not None:
        if may_miss:
            return
        raise OvsTextError(
            f"cannot delete port {name} because it is the local port for bridge {name} "
            "(deleting this port requires deleting the entire bridge)"
        )
    found = transaction.port(name)
    if found is None:
        if may_miss:
            return
        raise OvsTextError(f"no port named {name}")
    bridge, port = found
    if len(command.words) > 2 and transaction.bridge(command.words[1]) is not bridge:
        raise OvsTextError(f"bridge {command.words[1]} does not have a port {name}")
    _drop(bridge, "ports", port)


def _set_fail_mode(transaction: Transaction, command: VsctlCommand) -> None:
    _, name, mode = command.words
    if mode not in ("standalone", "secure"):
        raise OvsTextError('fail-mode must be "standalone" or "secure"')
    transaction.bridge(name).columns["fail_mode"] = mode


def _delete_fail_mode(transaction: Transaction, command: VsctlCommand) -> None:
    transaction.bridge(command.words[1]).columns["fail_mode"] = None


def _append(parent: DraftRow, column: str, row: DraftRow) -> None:
    parent.columns[column] = (*parent.rows_in(column), row)


def _drop(parent: DraftRow, column: str, row: DraftRow) -> None:
    parent.columns[column] = tuple(kept for kept in parent.rows_in(column) if kept is not row)


# -- rows and columns


def _record(transaction: Transaction, command: VsctlCommand) -> DraftRow | None:
    """The row that a command's table and record name; None if it need not exist."""
    _, table_text, name = command.words[:3]
    table = table_named(table_text)
    if command.has("--if-exists"):
        return transaction.find(table, name)
    return transaction.record(table, name)


def _set(transaction: Transaction, command: VsctlCommand) -> None:
    row = _record(transaction, command)
    if row is not None:
        for setting in command.words[3:]:
            transaction.set(row, setting)


def _create(transaction: Transaction, command: VsctlCommand) -> None:
    _, table_text, *settings = command.words
    row = DraftRow(table_named(table_text))
    if command.has("--id"):
        transaction.bind(command.options["--id"], row)
    for setting in settings:
        transaction.set(row, setting)
    if row.table == "Flow_Sample_Collector_Set":
        _append(transaction.draft.root, "collector_sets", row)


def _get(transaction: Transaction, command: VsctlCommand) -> None:
    """Of ``get``, what changes anything: to name a row with ``--id``."""
    row = _record(transaction, command)
    if row is None:
        return
    for column in command.words[3:]:
        column_named(row.table, next_token(column, 0)[0])
    if command.has("--id"):
        transaction.bind_new(command.options["--id"], row)


def _add(transaction: Transaction, command: VsctlCommand) -> None:
    row = _record(transaction, command)
    if row is None:
        return
    column, known = _mutable_column(row, command.words[3])
    items = known.items(row.columns[column])
    for text in command.words[4:]:
        for atom, item in parse_items(known, text, transaction.row_of).items():
            items.setdefault(atom, item)
    known.check_count(len(items))
    row.columns[column] = known.of_items(items)


def _remove(transaction: Transaction, command: VsctlCommand) -> None:
    row = _record(transaction, command)
    if row is None:
        return
    column, known = _mutable_column(row, command.words[3])
    items = known.items(row.columns[column])
    for text in command.words[4:]:
        for atom, item in _items_to_remove(known, text, transaction).items():
            if item is None or items.get(atom) == item:
                items.pop(atom, None)
    if len(items) < known.n_min:
        raise OvsTextError(
            f'"remove" operation would put {len(items)} {"pairs" if known.is_map else "values"} '
            f"in column {column} of table {row.table} but the minimum number is {known.n_min}"
        )
    row.columns[column] = known.of_items(items)


def _items_to_remove(
    known: ColumnType, text: str, transaction: Transaction
) -> dict[object, object]:
    """Pairs of a map or, where ``text`` is no pairs, its keys; else the atoms of a set."""
    try:
        return parse_items(known, text, transaction.row_of)
    except OvsTextError:
        if not known.is_map:
            raise
        return parse_items(replace(known, value=None), text, transaction.row_of)


def _clear(transaction: Transaction, command: VsctlCommand) -> None:
    row = _record(transaction, command)
    if row is None:
        return
    for text in command.words[3:]:
        column, known = _mutable_column(row, text)
        if known.n_min:
            raise OvsTextError(
                f'"clear" operation cannot be applied to column {column} of table {row.table}, '
                "which is not allowed to be empty"
            )
        row.columns[column] = known.default


def _mutable_column(row: DraftRow, text: str) -> tuple[str, ColumnType]:
    column = column_named(row.table, text)
    row.check_mutable(column)
    return column, type_of(row.table, column)


_MAY_EXIST = frozenset({"--may-exist"})
_IF_EXISTS = frozenset({"--if-exists"})
_COMMANDS: dict[str, _Syntax] = {
    "init": _Syntax(_do_nothing, 0, 0),
    "add-br": _Syntax(_add_bridge, 1, 1, _MAY_EXIST),
    "del-br": _Syntax(_delete_bridge, 1, 1, _IF_EXISTS),
    "add-port": _Syntax(_add_port, 2, None, _MAY_EXIST),
    "add-bond": _Syntax(_add_bond, 4, None, _MAY_EXIST | {"--fake-iface"}),
    "add-bond-iface": _Syntax(add_bond_interface, 2, 2, _MAY_EXIST),
    "del-bond-iface": _Syntax(delete_bond_interface, 1, 2, _IF_EXISTS),
    "del-port": _Syntax(_delete_port, 1, 2, _IF_EXISTS),
    "set-fail-mode": _Syntax(_set_fail_mode, 2, 2),
    "del-fail-mode": _Syntax(_delete_fail_mode, 1, 1),
    "set": _Syntax(_set, 3, None, _IF_EXISTS),
    "create": _Syntax(_create, 2, None, frozenset({"--id"})),
    "get": _Syntax(_get, 2, None, _IF_EXISTS | {"--id"}),
    "add": _Syntax(_add, 4, None, _IF_EXISTS),
    "remove": _Syntax(_remove, 4, None, _IF_EXISTS),
    "clear": _Syntax(_clear, 3, None, _IF_EXISTS),
}
