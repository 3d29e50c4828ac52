"""What the devices of a machine are called once the lab runs.

A capture may name a device that no file declares: the tap that a hypervisor makes for a
vNIC, or the ``peth0`` that Xen's network-bridge script leaves behind. The loader must
know these names to check a file, and ``lab/build`` must give exactly them to what it
makes; so both ask here.

=========  =========================  =====================================
host       back end of a vNIC         made by
=========  =========================  =====================================
Xen        ``vif<domid>.<index>``     netback
KVM        ``vnet<k>``                libvirt; k counts the host's vNICs
VMware     ``<vm>.eth<index>``        as esxtop and net-stats list the ports
Hyper-V    ``<vm>-eth<index>``        the switch's port for an adapter
=========  =========================  =====================================
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from vnet.topology.model import BridgeStyle, Host, Hypervisor, Router, Vm, WireSwitch

NLMON = "nlmon"
"""The capture point of a host's rtnetlink messages; a device in name only."""

RESERVED_NAMES = ("lo", NLMON, "none")
"""Names that a card or switch cannot have."""


class NetworkBridgeNames(NamedTuple):
    """The devices that Xen's network-bridge script makes of one NIC ``ethN``."""

    front: str
    """What applications see, once the script has renamed ``vethN``: ``ethN``."""
    physical: str
    """The card itself, now a bridge port: ``pethN``."""
    backend: str
    """The other bridge port, the far end of ``front``: ``vif0.N``."""
    temporary: str
    """``vethN``, the name of ``front`` until the script has finished."""


def network_bridge_names(host: Host, nic: str) -> NetworkBridgeNames:
    """The names for ``nic``; N is its trailing number, or its place among the NICs."""
    digits = nic[len(nic.rstrip("0123456789")) :]
    number = digits or str(list(host.nics).index(nic))
    return NetworkBridgeNames(nic, f"p{nic}", f"vif0.{number}", f"veth{number}")


def backend_name(hypervisor: Hypervisor, domid: int, index: int, vm: str, ordinal: int) -> str:
    """The host's device behind vNIC ``index`` of ``vm``.

    ``ordinal`` counts all vNICs of the host from 0, in the order of domid and index.
    """
    if hypervisor is Hypervisor.XEN:
        return f"vif{domid}.{index}"
    if hypervisor is Hypervisor.KVM:
        return f"vnet{ordinal}"
    if hypervisor is Hypervisor.VMWARE:
        return f"{vm}.eth{index}"
    return f"{vm}-eth{index}"


def backend_names(host: Host, vms: Iterable[Vm]) -> dict[tuple[str, int], str]:
    """Back ends of all vNICs on ``host`` by (VM name, vNIC index).

    ``vms`` in the order of the topology; those on other hosts are skipped.
    """
    names: dict[tuple[str, int], str] = {}
    for vm in vms:
        if vm.host == host.name:
            for index in range(len(vm.vnics)):
                name = backend_name(host.hypervisor, vm.domid, index, vm.name, len(names))
                names[vm.name, index] = name
    return names


def bridged_nics(host: Host) -> list[NetworkBridgeNames]:
    """The NICs that network-bridge takes apart at this host's start; none in other styles.

    It knows Linux bridges only: of Open vSwitch a card becomes a port as it is.
    """
    if host.bridge_style is not BridgeStyle.NETWORK_BRIDGE:
        return []
    linux = [switch for switch in host.switches.values() if switch.ovs is None]
    uplinks = [switch.uplink for switch in linux if switch.uplink]
    return [network_bridge_names(host, uplink) for uplink in uplinks]


def host_devices(host: Host, vms: Iterable[Vm]) -> list[str]:
    """Every device of a running host that frames pass, as captures may name them.

    Its cards, what network-bridge makes of them, its switches, VLANs and veth pairs, and the back
    ends of ``vms``. :data:`NLMON` comes on top. A name that appears twice is a fault of the file.
    """
    devices = list(host.nics)
    for names in bridged_nics(host):
        devices += [names.physical, names.backend]
    devices += host.switches
    devices += [vlan.name for vlan in host.vlans]
    devices += [name for veth in host.veths for name, _switch in veth.ends]
    return [*devices, *backend_names(host, vms).values()]


def node_devices(node: Vm | Router | WireSwitch) -> list[str]:
    """The devices of a node that has no hidden ones."""
    if isinstance(node, Vm):
        return [nic.name for nic in (*node.vnics, *node.vlans)]
    if isinstance(node, Router):
        return [*node.nics, *(vlan.name for vlan in node.vlans)]
    return list(node.ports)
