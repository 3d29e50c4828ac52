"""Whether a host's scripts can bring its guests online: numbers of domains, addresses of guests,
and whether there are enough of those to lease."""

from __future__ import annotations

from collections.abc import Sequence

from vnet.base.ids import ip_text
from vnet.base.text import quote
from vnet.hypervisor.modes.domain_addresses import MOST_DOMID, has_router
from vnet.linux.services.dhcp_server.settings import DhcpServing
from vnet.topology.expansion.expand import Nodes
from vnet.topology.expansion.virtual_networks import place_of_network
from vnet.topology.model import Host, Hypervisor, VifMode, Vm, Vnic
from vnet.topology.reading.report import Path, Report


def check_guests(nodes: Nodes, report: Report) -> None:
    """Report guests that could not be; of a template one is told."""
    owners: dict[tuple[str, bytes], str] = {}
    told: set[Path] = set()
    for vm in nodes.vms.values():
        host, path = nodes.hosts.get(vm.host), nodes.origin[vm.name]
        if host is None or path in told:
            continue
        faults = report.faults
        if host.hypervisor is Hypervisor.XEN and vm.domid > MOST_DOMID:
            what = f"{vm.name} would be domain {vm.domid} of {host.name}"
            report.add((*path, "host"), what, f"Xen counts to {MOST_DOMID}")
        elif host.vif_mode is not None:
            _check_cards(host, vm, path, owners, report)
        if report.faults > faults:
            told.add(path)


def check_leases(nodes: Nodes, report: Report) -> None:
    """Report switches of hosts whose DHCP server has fewer addresses than guests that ask."""
    asking: dict[tuple[str, str], list[Vnic]] = {}
    for vm in nodes.vms.values():
        for vnic in vm.vnics:
            if vnic.dhcp_client:
                asking.setdefault((vm.host, vnic.switch), []).append(vnic)
    told: set[Path] = set()
    for (name, key), vnics in asking.items():
        host = nodes.hosts.get(name)
        switch = None if host is None else host.switches.get(key)
        if switch is None or switch.dhcp is None:
            continue
        there, wanted = _leases(switch.dhcp, vnics)
        path = place_of_network(report, nodes.origin[name], key, "dhcp")
        if wanted > there and path not in told:
            told.add(path)
            what = f"{wanted} guests on {key} of {name} want a lease, and it has {there}"
            report.add(path, what, "widen the network or the range")


def _leases(serving: DhcpServing, vnics: Sequence[Vnic]) -> tuple[int, int]:
    """How many addresses anybody may have, and how many cards there are for them."""
    reserved = {each.mac for each in serving.reservations if each.ip is not None}
    kept = [each.ip for each in serving.reservations if each.ip is not None]
    there = sum(len(each) for each in serving.ranges)
    there -= sum(any(ip in each for each in serving.ranges) for ip in kept)
    wanted = sum(vnic.mac not in reserved for vnic in vnics)
    return min(there, serving.most_leases), wanted


def _check_cards(
    host: Host, vm: Vm, path: Path, owners: dict[tuple[str, bytes], str], report: Report
) -> None:
    own = {address.ip for nic in host.nics.values() for address in nic.addresses}
    for number, vnic in enumerate(vm.vnics):
        card = f"{vm.name}:{vnic.name}"
        for index, address in enumerate(() if vnic.switch else vnic.addresses):
            here: Path = (*path, "vnics", number, "ip", index)
            text = quote(ip_text(address.ip))
            owner = owners.setdefault((host.name, address.ip), card)
            if owner != card or address.ip in own:
                other = host.name if owner == card else owner
                what = f"address {text} of {card} is also that of {other}"
                report.add(here, what, f"{host.name} has one route to it")
            elif host.vif_mode is VifMode.NAT and not has_router(address.ip):
                what = f"{text} leaves no address for the router of {card}"
                report.add(here, what, "vif-nat adds 127 to the last octet: 128 at most")
