"""Links of bonds that come and go: ``add-bond-iface`` and ``del-bond-iface`` of ovs-vsctl(8)."""

from __future__ import annotations

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.vswitchd.draft import DraftRow
from vnet.ovs.vswitchd.transaction import Transaction
from vnet.ovs.vswitchd.vsctl_command import VsctlCommand


def add_bond_interface(transaction: Transaction, command: VsctlCommand) -> None:
    """``add-bond-iface BOND IFACE``; any port becomes a bond so."""
    _, port_name, name = command.words
    port = _port(transaction, port_name)
    owner = _owner(transaction, name) if command.has("--may-exist") else None
    if owner is port:
        return
    if owner is not None:
        raise OvsTextError(f'"{command.text}" but {name} is actually attached to port {owner.name}')
    transaction.check_new(name, "an interface")
    interface = DraftRow("Interface")
    interface.columns["name"] = name
    port.columns["interfaces"] = (*port.rows_in("interfaces"), interface)


def delete_bond_interface(transaction: Transaction, command: VsctlCommand) -> None:
    """``del-bond-iface [BOND] IFACE``; the last one goes with its port only."""
    _, *port_names, name = command.words
    owner = _owner(transaction, name)
    if owner is None:
        if command.has("--if-exists"):
            return
        raise OvsTextError(f"no interface named {name}")
    if port_names and _port(transaction, port_names[0]) is not owner:
        raise OvsTextError(f"port {port_names[0]} does not have an interface {name}")
    kept = tuple(row for row in owner.rows_in("interfaces") if row.name != name)
    if not kept:
        raise OvsTextError(f"cannot delete last interface from port {owner.name}")
    owner.columns["interfaces"] = kept


def _port(transaction: Transaction, name: str) -> DraftRow:
    found = transaction.port(name)
    if found is None:
        raise OvsTextError(f"no port named {name}")
    return found[1]


def _owner(transaction: Transaction, name: str) -> DraftRow | None:
    """The port that an interface belongs to; a bridge's own is none here."""
    for bridge in transaction.draft.rows("Bridge"):
        for port in bridge.rows_in("ports"):
            if name != bridge.name and any(row.name == name for row in port.rows_in("interfaces")):
                return port
    return None
