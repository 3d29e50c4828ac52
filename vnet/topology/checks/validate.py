"""Do the names in a file lead anywhere: the ends of links, the points of captures.

Values were judged by the schema, machines were made by :mod:`~vnet.topology.expansion.expand`;
what is left is whether things fit together. A reference to a node that has a fault of
its own is not judged, or one slip would be reported in ten places.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from vnet.base.text import did_you_mean, one_of, quote
from vnet.topology.checks.host_guests import check_guests, check_leases
from vnet.topology.checks.segments import check_addresses
from vnet.topology.devices import NLMON, backend_names, bridged_nics, host_devices, node_devices
from vnet.topology.expansion.expand import Nodes
from vnet.topology.expansion.templates import STAR
from vnet.topology.model import Endpoint, Host, Link, Vm, WireSwitch
from vnet.topology.reading.explain import Cut
from vnet.topology.reading.report import Path, Report
from vnet.topology.schema.step import every_step
from vnet.topology.schema.topology import LinkFile, TopologyFile


class Directory:
    """The nodes by name and the devices each will have, found when first asked for."""

    def __init__(self, nodes: Nodes, report: Report, cut: Cut) -> None:
        self.nodes = nodes
        self.report = report
        self.cut = cut
        self.links_complete = True
        """Whether every link of the file could be made."""
        self._devices: dict[str, list[str]] = {}
        self._ports: dict[str, frozenset[str]] = {}
        self._vms: dict[str, list[Vm]] = {}
        for vm in nodes.vms.values():
            self._vms.setdefault(vm.host, []).append(vm)

    def vms_on(self, host: str) -> list[Vm]:
        return self._vms.get(host, [])

    def devices(self, name: str) -> list[str]:
        """The devices of an existing node that a capture may name."""
        if name not in self._devices:
            node = self.nodes.find(name)
            if isinstance(node, Host):
                self._devices[name] = [*host_devices(node, self.vms_on(name)), NLMON]
            elif node is not None:
                self._devices[name] = node_devices(node)
        return self._devices[name]

    def has_port(self, switch: WireSwitch, name: str) -> bool:
        """Whether a switch has port ``name``; one may have thousands."""
        if switch.name not in self._ports:
            self._ports[switch.name] = frozenset(switch.ports)
        return name in self._ports[switch.name]

    def has_node(self, name: str, path: Path, *, at_key: bool = False) -> bool:
        """Whether node ``name`` is there to be judged; reports it if it should be."""
        if self.nodes.find(name) is not None:
            return name not in self.cut.nodes
        if not self.cut.excuses(name):
            known = dict.fromkeys([*self.nodes.names(), *sorted(self.cut.nodes)])
            templates = self.nodes.templates
            single = path[0] == "scenario"
            hint = templates.instances_hint(name) if single else templates.hint(name)
            hint = hint or did_you_mean(name, list(known), "there are")
            self.report.add(path, f"there is no node {quote(name)}", hint, at_key=at_key)
        return False

    def has_device(self, end: Endpoint, path: Path, *, at_key: bool = False) -> bool:
        """Whether ``end`` names a device that will exist; reports it if not."""
        if not self.has_node(end.node, path, at_key=at_key):
            return False
        devices = self.devices(end.node)
        if end.device in devices:
            return True
        if any(vm.name in self.cut.nodes for vm in self.vms_on(end.node)):
            return False
        hint = did_you_mean(end.device, devices, "it has") or "it has none"
        what = f"{end.node} has no device {quote(end.device)}"
        self.report.add(path, what, hint, at_key=at_key)
        return False


def check_host_devices(directory: Directory) -> None:
    """No two devices of one host may end up with the same name; of a template one is told."""
    told: set[Path] = set()
    for host in directory.nodes.hosts.values():
        devices = host_devices(host, directory.vms_on(host.name))
        devices += [names.temporary for names in bridged_nics(host)]
        if len(set(devices)) == len(devices):
            continue
        for name, times in Counter(devices).items():
            # A card that is a switch as well has been reported already.
            if times == 1 or (name in host.nics and name in host.switches):
                continue
            origin = directory.nodes.origin[host.name]
            path = (*origin, "veths")
            for section in ("nics", "switches"):
                if name in getattr(host, section):
                    path = (*origin, section, name)
                    break
            if path in told:
                continue
            told.add(path)
            made = backend_names(host, directory.vms_on(host.name)).values()
            why = "a virtual machine's back end" if name in made else "network-bridge makes one"
            what = f"{host.name} would have two devices named {quote(name)}"
            directory.report.add(path, what, why, at_key=True)


def make_links(directory: Directory) -> list[Link]:
    """The links whose ends both exist and are free; in each entry an end is faulty once."""
    links: list[Link] = []
    taken: dict[Endpoint, int] = {}
    wiring = directory.nodes.wiring
    directory.links_complete = wiring.complete
    for path, given, wires in wiring.entries:
        if given.reorder and not given.latency and not given.jitter:
            what = "frames cannot be reordered on a link without delay"
            directory.report.add((*path, "reorder"), what, "give it a latency or a jitter")
        model = _link(given)
        paths = [(*path, "ends", number) for number in range(2)]
        faulty = [False, False]
        for wire in wires:
            for number, end in enumerate(wire):
                if not faulty[number]:
                    faulty[number] = not _check_end(end, paths[number], directory, taken)
            if any(faulty):
                directory.links_complete = False
            else:
                links.append(replace(model, ends=wire))
    return links


def _link(given: LinkFile) -> Link:
    return Link(
        (given.ends[0], given.ends[1]),
        given.latency,
        given.bandwidth,
        given.queue,
        given.mtu,
        given.up,
        given.impairments(),
    )


def _check_end(end: Endpoint, path: Path, directory: Directory, taken: dict[Endpoint, int]) -> bool:
    report = directory.report
    if end in taken:
        what = f"{end} has a link already"
        report.add(path, what, f"in line {taken[end]}; put a switch between them")
        return False
    taken[end] = report.line(path)
    return takes_plugs(end, path, directory)


def takes_plugs(end: Endpoint, path: Path, directory: Directory) -> bool:
    """Whether ``end`` is a card, or a port of a switch; reports it if not."""
    report, nodes = directory.report, directory.nodes
    if not directory.has_node(end.node, path):
        return False
    if end.node in nodes.vms:
        what = f"a link cannot end at the virtual machine {quote(end.node)}"
        report.add(path, what, "its cards plug into a switch of its host")
        return False
    if end.node in nodes.switches:
        there = directory.has_port(nodes.switches[end.node], end.device)
        if not there:
            ports = nodes.switches[end.node].ports
            what = f"{end.node} has no port {quote(end.device)}"
            report.add(path, what, f"it has {ports[0]} to {ports[-1]}")
        return there
    machine = nodes.hosts.get(end.node) or nodes.routers[end.node]
    if end.device in machine.nics:
        return True
    hint = f"it has: {one_of(machine.nics)}" if machine.nics else "it has no cards"
    report.add(path, f"{end.node} has no card {quote(end.device)}", hint)
    return False


def make_captures(file: TopologyFile, directory: Directory) -> list[Endpoint]:
    """The capture points that will exist, each once."""
    points: dict[Endpoint, int] = {}
    written: dict[Endpoint, int] = {}

    def twice(point: Endpoint, path: Path, line: int) -> None:
        directory.report.add(path, f"{point} is captured twice", f"already in line {line}")

    for position, given in enumerate(file.captures or ()):
        path: Path = ("captures", directory.cut.index("captures", position))
        if given in written:
            # Not looked into again: with a star it may be a hundred thousand points.
            twice(given, path, written[given])
            continue
        written[given] = line = directory.report.line(path)
        for point in _capture_points(given, path, directory):
            if point in points:
                twice(point, path, points[point])
                break
            points[point] = line
    return list(points)


def _capture_points(given: Endpoint, path: Path, directory: Directory) -> list[Endpoint]:
    """The devices that ``given`` stands for; none after a fault, which is reported once."""
    nodes = directory.nodes.templates.names(given.node, path) or []
    if not given.device.endswith(STAR):
        ends = [Endpoint(node, given.device) for node in nodes]
        return ends if all(directory.has_device(end, path) for end in ends) else []
    stem = given.device.removesuffix(STAR)
    found = []
    for node in nodes:
        if not directory.has_node(node, path):
            return []
        numbered = (name for name in directory.devices(node) if _is_numbered(name, stem))
        found += [Endpoint(node, name) for name in numbered]
    if nodes and not found:
        directory.has_device(Endpoint(nodes[0], given.device), path)
    return found


def _is_numbered(name: str, stem: str) -> bool:
    digits = name.removeprefix(stem)
    return name.startswith(stem) and digits.isascii() and digits.isdecimal()


def check_machines(file: TopologyFile, directory: Directory, links: list[Link]) -> None:
    """What only shows when everything is in place: names and addresses that clash."""
    check_host_devices(directory)
    check_guests(directory.nodes, directory.report)
    check_leases(directory.nodes, directory.report)
    steps = (step.flows for step in every_step(file.scenario or ()))
    flows_change = any(step and (step.delete or step.modify or step.add) for step in steps)
    check_addresses(directory.nodes, links, directory.report, flows_change=flows_change)
