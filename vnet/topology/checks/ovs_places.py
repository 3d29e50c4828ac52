"""Where the bridges of Open vSwitch are, which ports each will have, and by which numbers.

A file names devices that come to be when the lab is built. Once it is known which, settings of
ports are held against them, and flows can call ports by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from vnet.base.text import did_you_mean, quote
from vnet.ovs.flow.ports import ODPP_NONE, OFPP_LOCAL, OfpPort
from vnet.ovs.ofproto.tunnel.ports import TunnelMatch
from vnet.ovs.vswitchd.config import BridgePortConfig, InterfaceConfig
from vnet.topology.checks.validate import Directory
from vnet.topology.devices import backend_names
from vnet.topology.expansion.ovs_bonds import (
    bond_faults,
    bonds_of,
    card_faults,
    in_order,
    shared_links,
)
from vnet.topology.model import Hypervisor, OvsBridge
from vnet.topology.reading.report import Path

_ANY_NAME = re.compile(".*")
_BACK_ENDS = {
    Hypervisor.XEN: re.compile(r"vif[0-9]+\.[0-9]+"),
    Hypervisor.KVM: re.compile("vnet[0-9]+"),
    Hypervisor.VMWARE: re.compile(r".+\.eth[0-9]+"),
    Hypervisor.HYPERV: re.compile(".+-eth[0-9]+"),
}
"""What back ends are called (:mod:`~vnet.topology.devices`)."""


class Place(NamedTuple):
    """A bridge: where it is, and the devices that will be its ports, in the order of their coming.

    The ports that it makes by itself are there before them.
    """

    node: str
    name: str
    path: Path
    ovs: OvsBridge
    devices: Sequence[str]
    comers: re.Pattern[str] | None
    """What devices are called that may come, with machines that move here."""
    lacking: re.Pattern[str] | None
    """What ports may be called that are missing, because what makes them has a fault of its own."""

    @property
    def label(self) -> str:
        return f"{self.node}:{self.name}" if self.is_in_host else self.node

    @property
    def is_in_host(self) -> bool:
        """Whether there is a host around it, and not a node of its own."""
        return self.path[0] == "hosts"

    @property
    def made(self) -> list[str]:
        """The ports that the bridge makes by itself."""
        return [port.name for port in self.ovs.config.ports]

    @property
    def ports(self) -> list[str]:
        """All ports but its own, in the order in which they get numbers."""
        return [*self.made, *self.devices]

    @property
    def bonds(self) -> dict[str, BridgePortConfig]:
        """The bond that a device is a link of, by device."""
        return bonds_of(self.ovs.ports)

    @property
    def port_names(self) -> list[str]:
        """What the ports of the learning switch are called."""
        bonds = self.bonds
        return list(dict.fromkeys(bonds[p].name if p in bonds else p for p in self.ports))

    def settings(self) -> dict[str, BridgePortConfig]:
        """What is known of ports, by name."""
        return {port.name: port for port in self.ovs.config.ports} | dict(self.ovs.ports)


def find_places(directory: Directory) -> list[Place]:
    """All bridges of a file, those of hosts first. What is wrong with their ports is reported.

    Where some ports ask for numbers, all of a bridge get theirs.
    """
    checks = _PortChecks(directory)
    places = [*_in_hosts(directory), *_on_the_wire(directory)]
    for place in places:
        if place.lacking is None:
            checks.check(place)
    checks.check_made_ports([place for place in places if place.is_in_host])
    places = [
        place._replace(ovs=_numbered(place), lacking=_lacking(place, directory)) for place in places
    ]
    for place in places:
        _put_back(place, directory)
    return places


def _in_hosts(directory: Directory) -> Iterator[Place]:
    cut, nodes = directory.cut, directory.nodes
    lacks_vms = "vms" in cut.sections or not cut.nodes.isdisjoint(directory.report.keys("vms"))
    for host in nodes.hosts.values():
        vms = directory.vms_on(host.name)
        names = backend_names(host, vms)
        for switch in host.switches.values():
            if switch.ovs is None:
                continue
            backs = [
                names[vm.name, index]
                for vm in vms
                for index, vnic in enumerate(vm.vnics)
                if vnic.switch == switch.name
            ]
            links = [name for name in bonds_of(switch.ovs.ports) if name in host.nics]
            cards = [] if switch.uplink is None else [switch.uplink]
            pairs = [device for veth in host.veths for device, br in veth.ends if br == switch.name]
            devices = in_order([*cards, *links, *pairs, *backs], switch.ovs.ports)
            path = (*nodes.origin[host.name], "switches", switch.name)
            lacks = lacks_vms or host.name in cut.nodes
            comers = _BACK_ENDS[host.hypervisor]
            lacking = comers if lacks else None
            yield Place(host.name, switch.name, path, switch.ovs, devices, comers, lacking)


def _on_the_wire(directory: Directory) -> Iterator[Place]:
    cut, nodes = directory.cut, directory.nodes
    links_cut = "links" in {*cut.sections, *cut.kept}
    lacking = _ANY_NAME if links_cut or not directory.links_complete else None
    for switch in nodes.switches.values():
        if switch.ovs is not None:
            path = nodes.origin[switch.name]
            ports = in_order(switch.ports, switch.ovs.ports)
            yield Place(switch.name, switch.name, path, switch.ovs, ports, None, lacking)


def _lacking(place: Place, directory: Directory) -> re.Pattern[str] | None:
    """What ports may be called that are missing: those of the file that were refused, too."""
    written = directory.report.root.find((*place.path, "ports"))
    names = [] if written is None else written.children
    refused = [name for name in names if name not in {*place.settings(), *place.ports}]
    patterns = [re.escape(name) for name in refused]
    if place.lacking is not None:
        patterns.append(place.lacking.pattern)
    return re.compile("|".join(patterns)) if patterns else None


def _put_back(place: Place, directory: Directory) -> None:
    """The bridge is to be made so."""
    nodes = directory.nodes
    if not place.is_in_host:
        node = nodes.switches[place.node]
        nodes.switches[place.node] = replace(node, ovs=place.ovs)
        return
    host = nodes.hosts[place.node]
    switch = replace(host.switches[place.name], ovs=place.ovs)
    nodes.hosts[place.node] = replace(host, switches={**host.switches, place.name: switch})


class _PortChecks:
    """Whether settings are for ports that will be there, and ports have names of their own.

    What is wrong with a template is told once.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._told: set[Path] = set()

    def check(self, place: Place) -> None:
        """Judge the ports of one bridge."""
        asked: dict[int, str] = {}
        for device, port in place.settings().items():
            path = (*place.path, "ports", device)
            if device in place.made:
                self._check_made(place, device, path)
            elif len(port.interfaces) > 1:
                self._check_bond(place, port, path)
            elif device in place.bonds:
                what = f"{quote(device)} is a link of {place.bonds[device].name}"
                self._tell(path, what, "its settings are written there", at_key=True)
            elif device != place.name and device not in place.devices:
                hint = did_you_mean(device, place.devices, "it has") or "it has none"
                what = f"{place.label} has no port {quote(device)}"
                self._tell(path, what, hint, at_key=True)
            for interface in port.interfaces:
                number, name = interface.ofport_request, interface.name
                if number is not None and asked.setdefault(number, name) != name:
                    what = f"port {quote(asked[number])} has ofport {number} already"
                    here = path if name == device else (*path, "bond", name)
                    self._tell((*here, "ofport"), what, "a number is one port's")
        self._check_mirrors(place)
        if not place.is_in_host and place.name in place.devices:
            what = f"{place.name} would have two ports named {quote(place.name)}"
            self._tell(place.path, what, "one is its own", at_key=True)

    def _check_made(self, place: Place, name: str, path: Path) -> None:
        if not place.is_in_host:
            what = f"{place.label} is a switch on the wire, which has no port of this type"
            self._tell(path, what, "bridges of hosts have", at_key=True)
        elif name in self._directory.devices(place.node):
            what = f"{place.node} has a device named {quote(name)}"
            hint = "a port that the bridge makes wants a name of its own"
            self._tell(path, what, hint, at_key=True)

    def _check_bond(self, place: Place, bond: BridgePortConfig, path: Path) -> None:
        """Its links are there and free, and its name is nobody else's."""
        host = self._directory.nodes.hosts.get(place.node) if place.is_in_host else None
        faults = list(bond_faults(bond, place.devices, place.label))
        faults += shared_links(bond, place.ovs.ports)
        if host is not None:
            faults += card_faults(bond, host, place.name, place.devices)
        for index, what, hint in faults:
            here = (*path, "bond", index)
            written = self._directory.report.root.find(here)
            if written is None:  # a map, by name
                here = (*path, "bond", bond.interfaces[index].name)
            self._tell(here, what, hint)
        there = place.devices if host is None else self._directory.devices(place.node)
        if bond.name in there:
            what = f"{place.node} has a device named {quote(bond.name)}"
            self._tell(path, what, "a bond wants a name of its own", at_key=True)

    def _check_mirrors(self, place: Place) -> None:
        known = [*place.port_names, place.name]
        for mirror in place.ovs.config.mirrors:
            path = (*place.path, "mirrors", mirror.name)
            outputs = [] if mirror.output_port is None else [mirror.output_port]
            for column, names in (
                ("select_src_port", mirror.select_src_port),
                ("select_dst_port", mirror.select_dst_port),
                ("output_port", outputs),
            ):
                for index, name in enumerate(names):
                    if name not in known:
                        hint = did_you_mean(name, known, "it has")
                        what = f"{place.label} has no port {quote(name)}"
                        self._tell((*path, column, index), what, hint)

    def check_made_ports(self, places: Sequence[Place]) -> None:
        """Both ends of a patch are in one host, and name each other; no two tunnels are alike."""
        by_host: dict[str, dict[str, tuple[Place, InterfaceConfig]]] = {}
        for place in places:
            known = by_host.setdefault(place.node, {})
            for port in place.ovs.config.ports:
                path = (*place.path, "ports", port.name)
                if port.name in known:
                    what = f"{known[port.name][0].label} has a port {quote(port.name)} already"
                    self._tell(path, what, "a name is one port's", at_key=True)
                else:
                    known[port.name] = place, port.interfaces[0]
        for known in by_host.values():
            patches = {name: found for name, found in known.items() if found[1].is_patch}
            for place, interface in patches.values():
                self._check_patch(place, interface, patches)
            self._check_tunnels(known)

    def _check_tunnels(self, known: Mapping[str, tuple[Place, InterfaceConfig]]) -> None:
        """No two tunnels of a host take the same packets."""
        takers: dict[object, str] = {}
        for name, (place, interface) in known.items():
            if not interface.is_tunnel:
                continue
            tunnel = interface.tunnel
            packets = tunnel.datapath_name, TunnelMatch.of(tunnel, ODPP_NONE)
            other = takers.setdefault(packets, name)
            if other != name:
                what = f"{name}: tunnel port with same config as port {quote(other)}"
                hint = "give it another remote_ip, key or dst_port"
                self._tell((*place.path, "ports", name), what, hint, at_key=True)

    def _check_patch(
        self,
        place: Place,
        interface: InterfaceConfig,
        patches: Mapping[str, tuple[Place, InterfaceConfig]],
    ) -> None:
        path = (*place.path, "ports", interface.name, "options", "peer")
        other = patches.get(interface.peer)
        if other is None and not self._is_written(place, interface.peer):
            names = [name for name in patches if name != interface.name]
            hint = did_you_mean(interface.peer, names, "it has") or "it has no other"
            self._tell(path, f"{place.node} has no patch port {quote(interface.peer)}", hint)
        elif other is not None and other[1].peer != interface.name:
            what = f"the peer of {interface.peer} is {quote(other[1].peer)}"
            self._tell(path, what, "the two ends of a patch name each other")

    def _is_written(self, place: Place, name: str) -> bool:
        """Whether the file has a port ``name`` of some type, sound or not, in the same host."""
        root = self._directory.report.root
        switches = root.find(place.path[:-1])
        assert switches is not None, place.path
        ports = (switch.find(("ports", name, "type")) for switch in switches.children.values())
        return any(node is not None for node in ports)

    def _tell(self, path: Path, what: str, hint: str, *, at_key: bool = False) -> None:
        if path not in self._told:
            self._told.add(path)
            self._directory.report.add(path, what, hint, at_key=at_key)


# -- numbers


def _numbered(place: Place) -> OvsBridge:
    """The bridge with numbers for all its ports, if any asks for one: who comes first without
    asking would else be given what another asks for."""
    known, bonds = place.settings(), place.bonds
    every = [interface for port in known.values() for interface in port.interfaces]
    taken = {interface.ofport_request for interface in every} - {None}
    if not taken:
        return place.ovs
    free = (n for n in range(1, len(place.ports) + len(taken) + 1) if n not in taken)
    for device in place.ports:
        name = bonds[device].name if device in bonds else device
        port = known.get(name) or BridgePortConfig(device, (InterfaceConfig(device),))
        known[name] = replace(
            port,
            interfaces=tuple(
                replace(interface, ofport_request=next(free))
                if interface.name == device and interface.ofport_request is None
                else interface
                for interface in port.interfaces
            ),
        )
    made = tuple(known.pop(name) for name in place.made)
    return replace(place.ovs, config=replace(place.ovs.config, ports=made), ports=known)


def port_numbers(place: Place, *, comers: bool = False) -> PortNumbers:
    """The numbers that the ports of a bridge are going to have, by name; with ``comers`` those that
    may come as well."""
    numbers = {place.name: OFPP_LOCAL}
    ports = place.settings().values()
    requests = {i.name: i.ofport_request for port in ports for i in port.interfaces}
    for index, device in enumerate(place.ports, start=1):
        numbers[device] = OfpPort(requests.get(device) or index)
    return PortNumbers(numbers, place.lacking or (place.comers if comers else None))


class PortNumbers(dict[str, OfpPort]):
    """Numbers of ports by name; those that may be missing have one, too."""

    def __init__(self, numbers: Mapping[str, OfpPort], lacking: re.Pattern[str] | None) -> None:
        super().__init__(numbers)
        self._lacking = lacking

    def get(self, name: str, default: Any = None) -> Any:
        found = super().get(name, default)
        if found is None and self._lacking is not None and self._lacking.fullmatch(name):
            return OfpPort(1)
        return found
