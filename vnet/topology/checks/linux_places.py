"""Settings of ports of Linux bridges, held against the ports that there will be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vnet.base.text import did_you_mean, quote
from vnet.topology.checks.validate import Directory
from vnet.topology.devices import backend_names, network_bridge_names
from vnet.topology.model import BridgeStyle, Host, HostSwitch
from vnet.topology.reading.report import Path


def check_linux_ports(directory: Directory) -> None:
    """Report settings of ports that no device will be behind."""
    nodes, cut = directory.nodes, directory.cut
    lacks_vms = "vms" in cut.sections or not cut.nodes.isdisjoint(directory.report.keys("vms"))
    told: set[Path] = set()
    for host in nodes.hosts.values():
        for switch in host.switches.values():
            if switch.ovs is None and host.name not in cut.nodes and not lacks_vms:
                path = (*nodes.origin[host.name], "switches", switch.name)
                known = list(_ports_in(directory, host, switch))
                label = f"{host.name}:{switch.name}"
                _report(directory, label, path, switch.linux.ports, known, told)
    for node in nodes.switches.values():
        if node.ovs is None and node.name not in cut.nodes and directory.links_complete:
            path = nodes.origin[node.name]
            known = [node.name, *node.ports]
            _report(directory, node.name, path, node.linux.ports, known, told)


def _ports_in(directory: Directory, host: Host, switch: HostSwitch) -> Iterator[str]:
    """The ports that a bridge of a host will have, itself among them."""
    yield switch.name
    if switch.uplink is not None:
        yield switch.uplink
        if host.bridge_style is BridgeStyle.NETWORK_BRIDGE:
            names = network_bridge_names(host, switch.uplink)
            yield from (names.physical, names.backend)
    for veth in host.veths:
        yield from (device for device, bridge in veth.ends if bridge == switch.name)
    backs = backend_names(host, directory.vms_on(host.name))
    for vm in directory.vms_on(host.name):
        for index, vnic in enumerate(vm.vnics):
            if vnic.switch == switch.name:
                yield backs[vm.name, index]


def _report(
    directory: Directory,
    label: str,
    path: Path,
    names: Iterable[str],
    known: list[str],
    told: set[Path],
) -> None:
    for name in names:
        here = (*path, "ports", name)
        if name not in known and here not in told:
            told.add(here)
            hint = did_you_mean(name, known[1:], "it has") or "it has none"
            directory.report.add(here, f"{label} has no port {quote(name)}", hint, at_key=True)
