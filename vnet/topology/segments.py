"""Which cards hear each other's broadcasts, and who has an address twice among them.

A segment is what a frame to ff:ff:ff:ff:ff:ff floods: the ports of a switch, the two
ends of a link, and through an uplink the switch inside a host. The same address may
well be used twice in a lab (three tenants with 10.0.0.1 each), but not in one segment.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

from vnet.base.ids import ip_text, mac_text
from vnet.base.text import quote
from vnet.topology.expand import Nodes, nics_of
from vnet.topology.model import Host, Link, Nic, Router, Vm
from vnet.topology.report import Path, Report


class _Union:
    """Disjoint sets: who is joined to whom, directly or not."""

    def __init__(self) -> None:
        self._parent: dict[Hashable, Hashable] = {}

    def find(self, item: Hashable) -> Hashable:
        parent = self._parent.setdefault(item, item)
        while parent != item:
            grandparent = self._parent[parent]
            self._parent[item] = grandparent
            item, parent = parent, grandparent
        return item

    def join(self, one: Hashable, other: Hashable) -> None:
        self._parent[self.find(one)] = self.find(other)


def check_addresses(nodes: Nodes, links: Sequence[Link], report: Report) -> None:
    """Report each address that appears a second time in its segment."""
    union = _join_all(nodes, links)
    owners: dict[tuple[Hashable, bytes], str] = {}
    reported: set[Path] = set()
    for node, index, nic, point in _cards(nodes):
        segment = union.find(point)
        here = f"{node.name}:{nic.name}"
        found: list[tuple[bytes, str, str, Path]] = [
            (nic.mac, "MAC", mac_text(nic.mac), (*index, "mac"))
        ]
        for number, address in enumerate(nic.addresses):
            found.append((address.ip, "address", ip_text(address.ip), (*index, "ip", number)))
        for packed, noun, text, path in found:
            owner = owners.setdefault((segment, packed), here)
            if owner is not here and path not in reported:
                reported.add(path)
                what = f"{noun} {quote(text)} of {here} is also that of {owner}"
                report.add(path, what, "they are in one segment")


def _join_all(nodes: Nodes, links: Sequence[Link]) -> _Union:
    union = _Union()
    for host in nodes.hosts.values():
        for switch in host.switches.values():
            if switch.uplink is not None:
                union.join((host.name, switch.name), (host.name, switch.uplink))
            for card in switch.bonded_cards:
                union.join((host.name, switch.name), (host.name, card))
    for link in links:
        one, other = (
            (end.node,) if end.node in nodes.switches else (end.node, end.device)
            for end in link.ends
        )
        union.join(one, other)
    return union


def _cards(nodes: Nodes) -> Iterator[tuple[Host | Router | Vm, Path, Nic, Hashable]]:
    """Every card: its machine, its path in the file, itself, where it is plugged in."""
    machines: list[Host | Router] = [*nodes.hosts.values(), *nodes.routers.values()]
    for machine in machines:
        for nic in nics_of(machine):
            path = (*nodes.origin[machine.name], "nics", nic.name)
            yield machine, path, nic, (machine.name, nic.name)
    for vm in nodes.vms.values():
        for number, vnic in enumerate(vm.vnics):
            path = (*nodes.origin[vm.name], "vnics", number)
            yield vm, path, vnic, (vm.host, vnic.switch)
