"""The scripts of one host: those of its bridges, of its networks, and of guests without either."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vnet.hypervisor.modes.bridge import BridgeMode
from vnet.hypervisor.modes.libvirt import LibvirtNetworks
from vnet.linux.netns.namespace import Namespace
from vnet.topology import model

if TYPE_CHECKING:
    from vnet.hypervisor.modes.xen_vif import VifScript


@dataclass(frozen=True, slots=True)
class HostScripts:
    """``vifs`` is for guests that plug into no switch; None where they all have to."""

    bridges: BridgeMode
    networks: LibvirtNetworks
    vifs: VifScript | None


def start_scripts(namespace: Namespace, host: model.Host) -> HostScripts:
    """The scripts of ``host``; what they do before there are switches and guests is done."""
    bridges = BridgeMode(namespace)
    networks = LibvirtNetworks(namespace, bridges)
    if host.vif_mode is None:
        return HostScripts(bridges, networks, None)
    assert host.netdev is not None, "the topology let a host without an address through"
    # Most hosts have bridges, and do without these.
    from vnet.hypervisor.modes.nat import NatMode
    from vnet.hypervisor.modes.route import RouteMode

    made = RouteMode if host.vif_mode is model.VifMode.ROUTE else NatMode
    vifs = made(namespace, bridges.log, host.netdev)
    vifs.start()
    return HostScripts(bridges, networks, vifs)
