"""Controller, manager and SSL commands of ovs-vsctl(8)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.vsctl.commands.numbers import c_integer, lines
from vnet.ovs.vsctl.context import Command, Context
from vnet.ovs.vsctl.record import Record

_ACTIVE = ("tcp:", "unix:", "ssl:")
_PASSIVE = ("ptcp:", "punix:", "pssl:")


def _targets(context: Context, record: Record, column: str, table: str) -> list[str]:
    """Who is spoken to, by a column that points to them."""
    record.verify(column)
    rows = list(context.transaction.referred(table, record[column]))
    for row in rows:
        row.verify("target")
    return [row.only("target") for row in rows]


def _replace(
    context: Context, record: Record, column: str, table: str, rows: Iterable[Record]
) -> None:
    """Have a column point to other rows; those that it pointed to go."""
    for row in list(context.transaction.referred(table, record[column])):
        context.transaction.delete(row)
    record.put(column, *(row.uuid for row in rows))


def _new_rows(
    context: Context, command: Command, table: str, targets: Sequence[str]
) -> list[Record]:
    probe = command.options.get("--inactivity-probe")
    rows = []
    for target in targets:
        if not target.startswith((*_ACTIVE, *_PASSIVE)):
            context.warn("vsctl", f'target type "{target}" is possibly erroneous')
        row = context.transaction.insert(table)
        row.put("target", target)
        if probe is not None:
            row.put("inactivity_probe", c_integer(probe))
        rows.append(row)
    return rows


# -- controllers


def show_controllers(context: Context, command: Command) -> str:
    """``get-controller BRIDGE``."""
    bridge = context.switch.bridge(command.words[1]).record
    return lines(_targets(context, bridge, "controller", "Controller"))


def delete_controllers(context: Context, command: Command) -> None:
    """``del-controller BRIDGE``."""
    bridge = context.switch.real_bridge(command.words[1])
    if _targets(context, bridge, "controller", "Controller"):
        _replace(context, bridge, "controller", "Controller", [])


def set_controllers(context: Context, command: Command) -> None:
    """``set-controller BRIDGE TARGET...``."""
    _, name, *targets = command.words
    bridge = context.switch.real_bridge(name)
    _targets(context, bridge, "controller", "Controller")
    rows = _new_rows(context, command, "Controller", targets)
    _replace(context, bridge, "controller", "Controller", rows)


# -- fail mode


def show_fail_mode(context: Context, command: Command) -> str:
    """``get-fail-mode BRIDGE``."""
    bridge = context.switch.bridge(command.words[1]).record
    bridge.verify("fail_mode")
    return lines(bridge["fail_mode"])


def delete_fail_mode(context: Context, command: Command) -> None:
    """``del-fail-mode BRIDGE``."""
    context.switch.real_bridge(command.words[1]).put("fail_mode")


def set_fail_mode(context: Context, command: Command) -> None:
    """``set-fail-mode BRIDGE MODE``."""
    _, name, mode = command.words
    bridge = context.switch.real_bridge(name)
    if mode not in ("standalone", "secure"):
        raise OvsTextError('fail-mode must be "standalone" or "secure"')
    bridge.put("fail_mode", mode)


# -- managers


def show_managers(context: Context, _command: Command) -> str:
    """``get-manager``."""
    return lines(set(_targets(context, context.root, "manager_options", "Manager")))


def delete_managers(context: Context, _command: Command) -> None:
    """``del-manager``."""
    _targets(context, context.root, "manager_options", "Manager")
    _replace(context, context.root, "manager_options", "Manager", [])


def set_managers(context: Context, command: Command) -> None:
    """``set-manager TARGET...``."""
    delete_managers(context, command)
    rows = _new_rows(context, command, "Manager", command.words[1:])
    _replace(context, context.root, "manager_options", "Manager", rows)


# -- SSL


def _ssl(context: Context) -> Record | None:
    context.root.verify("ssl")
    return next(context.transaction.referred("SSL", context.root["ssl"]), None)


def show_ssl(context: Context, _command: Command) -> str:
    """``get-ssl``."""
    ssl = _ssl(context)
    if ssl is None:
        return ""
    bootstrap = "true" if ssl.only("bootstrap_ca_cert") else "false"
    return (
        f"Private key: {ssl.only('private_key')}\n"
        f"Certificate: {ssl.only('certificate')}\n"
        f"CA Certificate: {ssl.only('ca_cert')}\n"
        f"Bootstrap: {bootstrap}\n"
    )


def delete_ssl(context: Context, _command: Command) -> None:
    """``del-ssl``."""
    ssl = _ssl(context)
    if ssl is not None:
        context.transaction.delete(ssl)
        context.root.put("ssl")


def set_ssl(context: Context, command: Command) -> None:
    """``set-ssl PRIVATE-KEY CERTIFICATE CA-CERT``."""
    delete_ssl(context, command)
    ssl = context.transaction.insert("SSL")
    for column, value in zip(
        ("private_key", "certificate", "ca_cert"), command.words[1:], strict=True
    ):
        ssl.put(column, value)
    ssl.put("bootstrap_ca_cert", command.has("--bootstrap"))
    context.root.put("ssl", ssl.uuid)
