"""Which cards hear each other's broadcasts, and who has an address twice among them.

A segment is what a frame to ff:ff:ff:ff:ff:ff floods: the ports of a switch, the two
ends of a link, and through an uplink the switch inside a host. The same address may
well be used twice in a lab (three tenants with 10.0.0.1 each), but not in one segment.

In a switch that tells VLANs apart each is a segment of its own. What cannot be told from ports
alone is not judged: bridges whose flows decide where frames go, ports that add a second tag.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from vnet.base.ids import ip_text, mac_text
from vnet.base.text import quote
from vnet.linux.bridge.config import LinuxBridgeConfig, PortConfig
from vnet.topology.devices import backend_names, bridged_nics
from vnet.topology.expansion.cards import NO_MAC
from vnet.topology.expansion.expand import Nodes, nics_of
from vnet.topology.model import (
    Endpoint,
    Host,
    HostSwitch,
    Link,
    Nic,
    OvsBridge,
    Router,
    VlanDevice,
    Vm,
    WireSwitch,
)
from vnet.topology.reading.report import Path, Report
from vnet.wire.ether import TYPE_VLAN

if TYPE_CHECKING:
    from vnet.ovs.vswitchd.config import BridgePortConfig

Ways = Mapping[int, Hashable]
"""The segments behind a point, by the VLAN on the wire; 0 is of frames without tag."""


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


def check_addresses(
    nodes: Nodes, links: Sequence[Link], report: Report, *, flows_change: bool = False
) -> None:
    """Report each address that appears a second time in its segment.

    With ``flows_change`` the scenario sends bridges other flows than they begin with.
    """
    plugs = _Plugs(nodes, flows_change=flows_change)
    union = _join_all(plugs, nodes, links)
    owners: dict[tuple[Hashable, bytes], str] = {}
    reported: set[Path] = set()
    for node, index, nic, ways in _cards(plugs, nodes):
        if 0 not in ways:
            continue
        segment = union.find(ways[0])
        here = f"{node.name}:{nic.name}"
        found: list[tuple[bytes, str, str, Path]] = [
            (nic.mac, "MAC", mac_text(nic.mac), (*index, "mac"))
        ]
        if nic.mac == NO_MAC:
            found.clear()  # that of the device below
        for number, address in enumerate(nic.addresses):
            found.append((address.ip, "address", ip_text(address.ip), (*index, "ip", number)))
        for packed, noun, text, path in found:
            owner = owners.setdefault((segment, packed), here)
            if owner is not here and path not in reported:
                reported.add(path)
                what = f"{noun} {quote(text)} of {here} is also that of {owner}"
                report.add(path, what, "they are in one segment")


class _Plugs:
    """What is behind each point where something can be plugged in."""

    def __init__(self, nodes: Nodes, *, flows_change: bool) -> None:
        self._nodes = nodes
        self._flows_change = flows_change
        self._ports: dict[Hashable, dict[str, BridgePortConfig]] = {}
        """Of each bridge of Open vSwitch: settings of ports by device."""
        self._switches: dict[tuple[str, str], HostSwitch] = {}
        """The switch that a card of a host is a port of."""
        for host in nodes.hosts.values():
            for switch in host.switches.values():
                self._add_ports((host.name, switch.name), switch.ovs)
                for card in (switch.uplink, *switch.bonded_cards):
                    if card is not None:
                        self._switches[host.name, card] = switch
        for wire_switch in nodes.switches.values():
            self._add_ports((wire_switch.name,), wire_switch.ovs)
        rows = (row for ports in self._ports.values() for row in ports.values())
        found = {row.tag for row in rows if row.tag}
        machines: list[Host | Router | Vm] = [*nodes.hosts.values(), *nodes.routers.values()]
        for machine in (*machines, *nodes.vms.values()):
            found.update(vlan.vid for vlan in machine.vlans)
        for bridge in self._linux_bridges():
            for port in bridge.ports.values():
                found.update((port.pvid or 0, *port.tagged))
            found.add(bridge.default_pvid)
        self._vlans = [0, *sorted(found - {0})]
        """Those that some port is in; no other has cards."""
        self._own_names = {
            (host.name, names.front): names.backend
            for host in nodes.hosts.values()
            for names in bridged_nics(host)
        }
        """By which port the host itself speaks, where network-bridge has given it one."""
        self._cards = {
            (host.name, names.front): names.physical
            for host in nodes.hosts.values()
            for names in bridged_nics(host)
        }

    def _linux_bridges(self) -> Iterator[LinuxBridgeConfig]:
        for host in self._nodes.hosts.values():
            yield from (s.linux for s in host.switches.values() if s.linux.vlan_filtering)
        switches = self._nodes.switches.values()
        yield from (s.linux for s in switches if s.linux.vlan_filtering)

    def _add_ports(self, bridge: Hashable, ovs: OvsBridge | None) -> None:
        if ovs is not None:
            rows = (*ovs.config.ports, *ovs.ports.values())
            self._ports[bridge] = {i.name: row for row in rows for i in row.interfaces}

    def at_port(self, node: str, switch: HostSwitch | WireSwitch, port: str) -> Ways:
        """What a port of a switch leads to."""
        bridge = (node,) if isinstance(switch, WireSwitch) else (node, switch.name)
        ovs = switch.ovs
        if ovs is None:
            return self._at_linux_port(bridge, switch.linux, port)
        if ovs.has_flows or ovs.config.is_secure or self._flows_change:
            return {}
        if any(port == mirror.output_port for mirror in ovs.config.mirrors):
            return {}  # nothing but copies goes there
        row = self._ports[bridge].get(port)
        carried = {vlan: vlan for vlan in self._vlans} if row is None else self._carried(row)
        return {wire: (bridge, vlan) for wire, vlan in carried.items()}

    def _at_linux_port(self, bridge: Hashable, config: LinuxBridgeConfig, port: str) -> Ways:
        if not config.vlan_filtering:  # tags pass as they are
            return {vlan: (bridge, vlan) for vlan in self._vlans}
        row = config.ports.get(port, PortConfig())
        ways: dict[int, Hashable] = {}
        for vid, (is_pvid, untagged) in row.vlans(config.default_pvid).items():
            if is_pvid or not untagged:
                ways[0 if untagged else vid] = (bridge, vid)
        return ways

    def _carried(self, port: BridgePortConfig) -> dict[int, int]:
        """The VLANs of a port, by the tag that each has on the wire."""
        tag = port.tag or 0
        mode = port.vlan_mode or ("trunk" if port.tag is None else "access")
        if mode == "access":
            return {0: tag}
        if mode == "dot1q-tunnel":
            return {}
        trunks = frozenset(port.trunks)
        tagged = {vlan: vlan for vlan in self._vlans if not trunks or vlan in trunks}
        if mode == "trunk":
            return tagged
        tagged.pop(0, None)
        if mode == "native-tagged":
            return tagged | {tag: tag} if tag else tagged
        tagged.pop(tag, None)
        return {0: tag} | tagged

    def behind(self, end: Endpoint) -> Ways:
        """What a link that ends there leads to."""
        if end.node in self._nodes.switches:
            return self.at_port(end.node, self._nodes.switches[end.node], end.device)
        switch = self._switches.get((end.node, end.device))
        if switch is None:
            return self.unswitched(end.node, end.device)
        return self.at_port(end.node, switch, self._cards.get((end.node, end.device), end.device))

    def unswitched(self, node: str, device: str) -> Ways:
        """A card that is a port of no switch: what has a tag is for the VLANs on it."""
        return {vlan: (node, device, vlan) for vlan in self._vlans}

    def of_own(self, machine: Host | Router | Vm, device: str) -> Ways:
        """Where a machine itself speaks by one of its cards: of a switch's, by the switch."""
        switch = self._switches.get((machine.name, device))
        if switch is None and isinstance(machine, Host):
            switch = machine.switches.get(device)
        if switch is None:
            return self.unswitched(machine.name, device)
        own = self._own_names.get((machine.name, device), switch.name)
        return self.at_port(machine.name, switch, own)

    @staticmethod
    def of_vlan(vlan: VlanDevice, below: Ways) -> Ways:
        """Where a VLAN of a device leads that stands on ``below``; tags within are not judged."""
        if vlan.protocol != TYPE_VLAN or vlan.vid not in below:
            return {}
        return {0: below[vlan.vid]}


def _join_all(plugs: _Plugs, nodes: Nodes, links: Sequence[Link]) -> _Union:
    union = _Union()
    for link in links:
        _join(union, *(plugs.behind(end) for end in link.ends))
    for host in nodes.hosts.values():
        for one, other in (*_patches(plugs, host), *_veths(plugs, host), *_vlans(plugs, host)):
            _join(union, one, other)
    return union


def _join(union: _Union, one: Ways, other: Ways) -> None:
    for vlan, segment in one.items():
        if vlan in other:
            union.join(segment, other[vlan])


def _patches(plugs: _Plugs, host: Host) -> Iterator[tuple[Ways, Ways]]:
    """The two ends of each patch between bridges of ``host``."""
    ends: dict[str, tuple[str, Ways]] = {}
    for switch in host.switches.values():
        for port in () if switch.ovs is None else switch.ovs.config.ports:
            if port.interfaces[0].is_patch:
                ways = plugs.at_port(host.name, switch, port.name)
                ends[port.name] = port.interfaces[0].peer, ways
    for peer, ways in ends.values():
        if peer in ends:
            yield ways, ends[peer][1]


def _veths(plugs: _Plugs, host: Host) -> Iterator[tuple[Ways, Ways]]:
    """The two ends of each veth pair between bridges of ``host``."""
    for veth in host.veths:
        one, other = (
            plugs.at_port(host.name, host.switches[switch], device) for device, switch in veth.ends
        )
        yield one, other


def _vlans(plugs: _Plugs, host: Host) -> Iterator[tuple[Ways, Ways]]:
    """The VLANs of cards that are uplinks, and the ports that they are."""
    uplinks = {switch.uplink: switch for switch in host.switches.values()}
    for vlan, ways in _vlan_ways(plugs, host):
        if vlan.name in uplinks:
            yield ways, plugs.at_port(host.name, uplinks[vlan.name], vlan.name)


def _vlan_ways(
    plugs: _Plugs, machine: Host | Router | Vm, below: Mapping[str, Ways] | None = None
) -> Iterator[tuple[VlanDevice, Ways]]:
    """Each VLAN of a machine, and where it leads; ``below`` are the ways of its cards."""
    for vlan in machine.vlans:
        if below is not None:
            ways = below.get(vlan.link, {})
        elif isinstance(machine, Host) and vlan.link in machine.switches:
            ways = plugs.of_own(machine, vlan.link)
        else:
            # It takes its frames before a switch sees them that the card is a port of.
            ways = plugs.unswitched(machine.name, vlan.link)
        yield vlan, plugs.of_vlan(vlan, ways)


def _cards(plugs: _Plugs, nodes: Nodes) -> Iterator[tuple[Host | Router | Vm, Path, Nic, Ways]]:
    """Every card: its machine, its path in the file, itself, where it is plugged in."""
    machines: list[Host | Router] = [*nodes.hosts.values(), *nodes.routers.values()]
    for machine in machines:
        for nic in nics_of(machine):
            path = (*nodes.origin[machine.name], "nics", nic.name)
            yield machine, path, nic, plugs.of_own(machine, nic.name)
        for switch in _switches(machine):
            path = (*nodes.origin[machine.name], "switches", switch.name)
            own = Nic(switch.name, NO_MAC, switch.addresses)
            yield machine, path, own, plugs.of_own(machine, switch.name)
        uplinks = {switch.uplink: switch for switch in _switches(machine)}
        for vlan, ways in _vlan_ways(plugs, machine):
            path = (*nodes.origin[machine.name], "vlans", vlan.name)
            if vlan.name in uplinks:
                switch = uplinks[vlan.name]
                ways = plugs.at_port(machine.name, switch, switch.name)
            yield machine, path, vlan, ways
    guests: dict[str, list[Vm]] = {}
    for vm in nodes.vms.values():
        guests.setdefault(vm.host, []).append(vm)
    ports = {
        (name, *card): port
        for name in guests
        if name in nodes.hosts
        for card, port in backend_names(nodes.hosts[name], guests[name]).items()
    }
    for vm in nodes.vms.values():
        host = nodes.hosts.get(vm.host)
        below: dict[str, Ways] = {}
        for number, vnic in enumerate(vm.vnics):
            path = (*nodes.origin[vm.name], "vnics", number)
            plugged = None if host is None else host.switches.get(vnic.switch)
            if plugged is not None:
                ways = plugs.at_port(vm.host, plugged, ports[vm.host, vm.name, number])
                below[vnic.name] = ways
                yield vm, path, vnic, ways
        for vlan, ways in _vlan_ways(plugs, vm, below):
            yield vm, (*nodes.origin[vm.name], "vlans", vlan.name), vlan, ways


def _switches(machine: Host | Router) -> Iterable[HostSwitch]:
    return machine.switches.values() if isinstance(machine, Host) else ()
