"""Port, bond and interface commands of ovs-vsctl(8)."""

from __future__ import annotations

from collections.abc import Sequence

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.vsctl.commands.numbers import lines
from vnet.ovs.vsctl.context import Command, Context
from vnet.ovs.vsctl.record import Record
from vnet.ovs.vsctl.settings import set_column
from vnet.ovs.vsctl.switch import Bridge, Port


def list_ports(context: Context, command: Command) -> str:
    """``list-ports BRIDGE``."""
    bridge = context.switch.bridge(command.words[1])
    bridge.record.verify("ports")
    return lines(port.name for port in bridge.ports if port.name != bridge.name)


def list_interfaces(context: Context, command: Command) -> str:
    """``list-ifaces BRIDGE``."""
    bridge = context.switch.bridge(command.words[1])
    context.switch.verify_ports()
    names = (interface.name for port in bridge.ports for interface in port.interfaces)
    return lines(name for name in names if name != bridge.name)


def show_bridge_of_port(context: Context, command: Command) -> str:
    """``port-to-br PORT``."""
    return f"{context.switch.port(command.words[1]).bridge.name}\n"


def show_bridge_of_interface(context: Context, command: Command) -> str:
    """``iface-to-br IFACE``."""
    return f"{context.switch.interface(command.words[1]).port.bridge.name}\n"


# -- what comes


def add_port(context: Context, command: Command) -> None:
    """``add-port BRIDGE PORT [COLUMN[:KEY]=VALUE]...``."""
    _, _, name, *settings = command.words
    _add(context, command, [name], settings)


def add_bond(context: Context, command: Command) -> None:
    """``add-bond BRIDGE PORT IFACE... [COLUMN[:KEY]=VALUE]...``."""
    rest = command.words[3:]
    n_interfaces = next((at for at, text in enumerate(rest) if "=" in text), len(rest))
    if n_interfaces < 2:
        raise OvsTextError(
            f"add-bond requires at least 2 interfaces, but only {n_interfaces} were specified"
        )
    _add(context, command, rest[:n_interfaces], rest[n_interfaces:])


def _add(
    context: Context, command: Command, interfaces: Sequence[str], settings: Sequence[str]
) -> None:
    bridge_name, name = command.words[1:3]
    if not name:
        raise OvsTextError("port name must not be empty string")
    if not all(interfaces):
        raise OvsTextError("interface name must not be empty string")
    switch = context.switch
    existing = switch.find_port(name) if command.has("--may-exist") else None
    if existing is not None:
        _check_same(command, existing, bridge_name, interfaces)
        return
    switch.check_free(name, "a port")
    for interface in interfaces:
        switch.check_free(interface, "an interface")
    bridge = switch.bridge(bridge_name)
    port = _new_port(context, bridge, name, interfaces)
    port.put("bond_fake_iface", command.has("--fake-iface"))
    for setting in settings:
        set_column(context, port, setting)
    context.transaction.add_reference(bridge.record, "ports", port)
    switch.add_port(bridge, port)


def _check_same(command: Command, port: Port, bridge_name: str, interfaces: Sequence[str]) -> None:
    name = port.name
    if port.bridge.name != bridge_name:
        raise OvsTextError(
            f'"{command.text}" but {name} is actually attached to bridge {port.bridge.name}'
        )
    present = sorted(interface.name for interface in port.interfaces)
    if present != sorted(interfaces):
        raise OvsTextError(
            f'"{command.text}" but {name} actually has interface(s) {", ".join(present)}'
        )


def _new_port(context: Context, bridge: Bridge, name: str, interfaces: Sequence[str]) -> Record:
    rows = [_new_interface(context, interface) for interface in interfaces]
    port = context.transaction.insert("Port")
    port.put("name", name)
    port.put("interfaces", *(row.uuid for row in rows))
    if bridge.parent is not None:
        port.put("tag", bridge.vlan)
    return port


def _new_interface(context: Context, name: str) -> Record:
    interface = context.transaction.insert("Interface")
    interface.put("name", name)
    context.new_interfaces.append(interface)
    return interface


def add_bond_interface(context: Context, command: Command) -> None:
    """``add-bond-iface BOND IFACE``; any port becomes a bond so."""
    _, port_name, name = command.words
    switch = context.switch
    port = switch.port(port_name)
    existing = switch.find_interface(name) if command.has("--may-exist") else None
    if existing is not None:
        if existing.port is not port:
            raise OvsTextError(
                f'"{command.text}" but {name} is actually attached to port {existing.port.name}'
            )
        return
    switch.check_free(name, "an interface")
    interface = _new_interface(context, name)
    context.transaction.add_reference(port.record, "interfaces", interface)
    switch.add_interface(port, interface)


# -- what goes


def delete_port(context: Context, command: Command) -> None:
    """``del-port [BRIDGE] PORT``."""
    *_, name = command.words
    may_miss = command.has("--if-exists")
    switch = context.switch
    if switch.find_bridge(name) is not None:
        if may_miss:
            return
        raise OvsTextError(
            f"cannot delete port {name} because it is the local port for bridge {name} "
            "(deleting this port requires deleting the entire bridge)"
        )
    port = _port_to_delete(context, command, name, may_miss=may_miss)
    if port is None:
        return
    if len(command.words) > 2:
        _check_bridge(port, switch.bridge(command.words[1]))
    switch.delete_port(port)


def _port_to_delete(
    context: Context, command: Command, name: str, *, may_miss: bool
) -> Port | None:
    switch = context.switch
    if not command.has("--with-iface"):
        return switch.find_port(name) if may_miss else switch.port(name)
    port = switch.find_port(name)
    if port is None:
        interface = switch.find_interface(name)
        port = None if interface is None else interface.port
    if port is None and not may_miss:
        raise OvsTextError(f"no port or interface named {name}")
    return port


def _check_bridge(port: Port, bridge: Bridge) -> None:
    if port.bridge is bridge:
        return
    what = f"bridge {bridge.name} does not have a port {port.name}"
    if port.bridge.parent is bridge:
        what += f" (although its child bridge {port.bridge.name} does)"
    raise OvsTextError(what)


def delete_bond_interface(context: Context, command: Command) -> None:
    """``del-bond-iface [BOND] IFACE``; the last one goes with its port only."""
    _, *port_names, name = command.words
    switch = context.switch
    may_miss = command.has("--if-exists")
    interface = switch.find_interface(name) if may_miss else switch.interface(name)
    if interface is None:
        return
    port = interface.port
    if port_names and switch.port(port_names[0]) is not port:
        raise OvsTextError(f"port {port_names[0]} does not have an interface {name}")
    if len(port.interfaces) == 1:
        raise OvsTextError(f"cannot delete last interface from port {port.name}")
    context.transaction.drop_reference(port.record, "interfaces", interface.record)
    switch.delete_interface(interface)
