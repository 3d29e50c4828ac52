"""Bridge commands of ovs-vsctl(8)."""

from __future__ import annotations

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.vsctl.commands.numbers import c_integer, lines
from vnet.ovs.vsctl.context import Command, Context, ExitError
from vnet.ovs.vsctl.record import Record
from vnet.ovs.vsctl.switch import Bridge, Switch

_MAX_VLAN = 4095
_VLAN_BRIDGE_PREFIX = "fake-bridge-"
"""What stands before the keys of a VLAN bridge, which are kept with its port."""


def add_bridge(context: Context, command: Command) -> None:
    """``add-br BRIDGE [PARENT VLAN]``."""
    _, name, *rest = command.words
    if not name:
        raise OvsTextError("bridge name must not be empty string")
    if len(rest) == 1:
        raise OvsTextError("'add-br' command takes exactly 1 or 3 arguments")
    parent, vlan = (rest[0], c_integer(rest[1])) if rest else (None, 0)
    if not 0 <= vlan <= _MAX_VLAN:
        raise OvsTextError("add-br: vlan must be between 0 and 4095")
    switch = context.switch
    existing = switch.find_bridge(name) if command.has("--may-exist") else None
    if existing is not None:
        _check_same(existing, parent, vlan)
        return
    switch.check_free(name, "a bridge")
    if parent is None:
        _add_real(context, name)
    else:
        _add_vlan_bridge(context, name, _parent(switch, parent, vlan), vlan)
    context.rows_changed()


def _check_same(bridge: Bridge, parent: str | None, vlan: int) -> None:
    name = bridge.name
    if parent is None:
        if bridge.parent is not None:
            raise OvsTextError(
                f'"--may-exist add-br {name}" but {name} is a VLAN bridge for VLAN {bridge.vlan}'
            )
        return
    given = f'"--may-exist add-br {name} {parent} {vlan}" but {name}'
    if bridge.parent is None:
        raise OvsTextError(f"{given} is not a VLAN bridge")
    if bridge.parent.name != parent:
        raise OvsTextError(f"{given} has the wrong parent {bridge.parent.name}")
    if bridge.vlan != vlan:
        raise OvsTextError(f"{given} is a VLAN bridge for the wrong VLAN {bridge.vlan}")


def _parent(switch: Switch, name: str, vlan: int) -> Record:
    parent = switch.find_bridge(name)
    if parent is None:
        raise OvsTextError(f"parent bridge {name} does not exist")
    if parent.own is None:
        raise OvsTextError("cannot create bridge with fake bridge as parent")
    other = parent.children.get(vlan)
    if other is not None:
        raise OvsTextError(
            f"bridge {name} already has a child VLAN bridge {other.name} on VLAN {vlan}"
        )
    return parent.own


def _add_real(context: Context, name: str) -> None:
    bridge = context.transaction.insert("Bridge")
    bridge.put("name", name)
    context.transaction.add_reference(bridge, "ports", _local_port(context, name))
    context.transaction.add_reference(context.root, "bridges", bridge)


def _add_vlan_bridge(context: Context, name: str, parent: Record, vlan: int) -> None:
    port = _local_port(context, name)
    port.put("fake_bridge", True)
    port.put("tag", vlan)
    context.transaction.add_reference(parent, "ports", port)


def _local_port(context: Context, name: str) -> Record:
    interface = context.transaction.insert("Interface")
    interface.put("name", name)
    interface.put("type", "internal")
    context.new_interfaces.append(interface)
    port = context.transaction.insert("Port")
    port.put("name", name)
    port.put("interfaces", interface.uuid)
    return port


def delete_bridge(context: Context, command: Command) -> None:
    """``del-br BRIDGE``."""
    name, switch = command.words[1], context.switch
    bridge = switch.find_bridge(name) if command.has("--if-exists") else switch.bridge(name)
    if bridge is not None:
        switch.delete_bridge(bridge)


def list_bridges(context: Context, command: Command) -> str:
    """``list-br``."""
    real, fake = command.has("--real"), command.has("--fake")
    every = real == fake
    bridges = context.switch.bridges.values()
    return lines(b.name for b in bridges if every or fake == (b.parent is not None))


def check_bridge(context: Context, command: Command) -> None:
    """``br-exists BRIDGE``."""
    if context.switch.find_bridge(command.words[1]) is None:
        raise ExitError(2)


def show_vlan(context: Context, command: Command) -> str:
    """``br-to-vlan BRIDGE``."""
    return f"{context.switch.bridge(command.words[1]).vlan}\n"


def show_parent(context: Context, command: Command) -> str:
    """``br-to-parent BRIDGE``."""
    bridge = context.switch.bridge(command.words[1])
    return f"{(bridge.parent or bridge).name}\n"


# -- external ids


def set_external_id(context: Context, command: Command) -> None:
    """``br-set-external-id BRIDGE KEY [VALUE]``."""
    _, name, key, *value = command.words
    record, prefix = _ids_of(context, name)
    ids = dict(record["external_ids"])
    if value:
        ids[prefix + key] = value[0]
    else:
        ids.pop(prefix + key, None)
    record.verify("external_ids")
    record.put("external_ids", *ids.items())


def show_external_ids(context: Context, command: Command) -> str:
    """``br-get-external-id BRIDGE [KEY]``."""
    _, name, *keys = command.words
    record, prefix = _ids_of(context, name)
    record.verify("external_ids")
    ids = dict(record["external_ids"])
    if keys:
        value = ids.get(prefix + keys[0])
        return "" if value is None else f"{value}\n"
    return "".join(
        f"{key.removeprefix(prefix)}={value}\n"
        for key, value in ids.items()
        if key.startswith(prefix)
    )


def _ids_of(context: Context, name: str) -> tuple[Record, str]:
    """The row that has a bridge's, and what its keys begin with there."""
    bridge = context.switch.bridge(name)
    if bridge.own is not None:
        return bridge.own, ""
    return context.switch.ports[name].record, _VLAN_BRIDGE_PREFIX
