"""Whether a host's scripts can bring its guests online: numbers of domains, addresses of guests."""

from __future__ import annotations

from vnet.base.ids import ip_text
from vnet.base.text import quote
from vnet.hypervisor.modes.nat import has_router
from vnet.hypervisor.modes.xen_vif import MOST_DOMID
from vnet.topology.expand import Nodes
from vnet.topology.model import Host, Hypervisor, VifMode, Vm
from vnet.topology.report import Path, Report


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
