"""What each bridge of Open vSwitch is sent at the start: its flows and groups, read and tried.

Flows may call ports by name, so they are read once it is known which ports a bridge will have.
A bridge that is made for it and thrown away then shows what would be refused. What is said of a
flow is what ovs-ofctl(8) and the switch would say, with its place in front.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any, NamedTuple, TypeVar

from vnet.base.text import did_you_mean, quote
from vnet.netdev import unattended  # noqa: F401

# These and the one above are not called: they declare why frames die in such a switch, which a
# scenario may expect.
from vnet.ovs.datapath import reasons  # noqa: F401
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.names import Names
from vnet.ovs.flow.ports import OFPP_LOCAL, OFPP_NORMAL, OfpPort
from vnet.ovs.flow.protocols import P_ANY
from vnet.ovs.ofproto import upcall  # noqa: F401
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import FlowMod, FlowModCommand, GroupMod
from vnet.ovs.openflow.ofpacts import Output
from vnet.ovs.openflow.text.flow_mod import read_flow
from vnet.ovs.openflow.text.flow_sending import flow_as_sent, protocol_for
from vnet.ovs.openflow.text.group import read_group
from vnet.ovs.openflow.text.group_sending import group_as_sent
from vnet.ovs.vswitchd.config import BridgePortConfig, InterfaceConfig
from vnet.sim.scheduler import Scheduler
from vnet.topology.devices import backend_names
from vnet.topology.model import Hypervisor, OvsBridge
from vnet.topology.programs import Line, lines_of
from vnet.topology.report import Path, Report
from vnet.topology.schema import TopologyFile
from vnet.topology.switch_schema import SwitchFile
from vnet.topology.validate import Directory

Mods = tuple[FlowMod | GroupMod, ...]

_ModT = TypeVar("_ModT", FlowMod, GroupMod)

_ANY_NAME = re.compile(".*")
_BACK_ENDS = {
    Hypervisor.XEN: re.compile(r"vif[0-9]+\.[0-9]+"),
    Hypervisor.KVM: re.compile("vnet[0-9]+"),
    Hypervisor.VMWARE: re.compile(r".+\.eth[0-9]+"),
    Hypervisor.HYPERV: re.compile(".+-eth[0-9]+"),
}
"""What back ends are called (:mod:`~vnet.topology.devices`)."""


def make_openflow(file: TopologyFile, directory: Directory, folder: FilePath) -> dict[str, Mods]:
    """What bridges are sent, by their names in the lab; and where some ports ask for numbers,
    all get theirs. Files with flows are looked for as from ``folder``.
    """
    return _Maker(file, directory, folder).make()


class _Place(NamedTuple):
    """A bridge: where it is, and the ports it will have, in the order of their coming."""

    node: str
    name: str
    path: Path
    ovs: OvsBridge
    devices: Sequence[str]
    lacking: re.Pattern[str] | None
    """What ports may be called that are missing, because what makes them has a fault of its own."""

    @property
    def label(self) -> str:
        return self.name if self.name == self.node else f"{self.node}:{self.name}"


class _Maker:
    def __init__(self, file: TopologyFile, directory: Directory, folder: FilePath) -> None:
        self.file = file
        self.directory = directory
        self.nodes = directory.nodes
        self.report: Report = directory.report
        self.folder = folder
        self.made: dict[tuple[object, ...], Mods] = {}
        """By entry and ports: the machines of a template are mostly alike."""
        self.told: set[Path] = set()

    def make(self) -> dict[str, Mods]:
        found = {}
        for place in [*self.in_hosts(), *self.on_the_wire()]:
            if place.lacking is None:
                self.check_ports(place)
            ovs = _numbered(place)
            self.put_back(place, ovs)
            mods = self.mods(place, _numbers(ovs, place.devices))
            if mods:
                found[place.label] = mods
        return found

    # -- bridges and their ports

    def in_hosts(self) -> Iterator[_Place]:
        cut = self.directory.cut
        lacks_vms = "vms" in cut.sections or not cut.nodes.isdisjoint(self.report.keys("vms"))
        for host in self.nodes.hosts.values():
            vms = self.directory.vms_on(host.name)
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
                devices = backs if switch.uplink is None else [switch.uplink, *backs]
                path = (*self.nodes.origin[host.name], "switches", switch.name)
                lacks = lacks_vms or host.name in cut.nodes
                lacking = _BACK_ENDS[host.hypervisor] if lacks else None
                yield _Place(host.name, switch.name, path, switch.ovs, devices, lacking)

    def on_the_wire(self) -> Iterator[_Place]:
        cut = self.directory.cut
        links_cut = "links" in {*cut.sections, *cut.kept}
        lacking = _ANY_NAME if links_cut or not self.directory.links_complete else None
        for switch in self.nodes.switches.values():
            if switch.ovs is not None:
                path, ports = self.nodes.origin[switch.name], switch.ports
                yield _Place(switch.name, switch.name, path, switch.ovs, ports, lacking)

    def put_back(self, place: _Place, ovs: OvsBridge) -> None:
        """The bridge is to be made so."""
        if place.path[0] == "switches":
            node = self.nodes.switches[place.node]
            self.nodes.switches[place.node] = replace(node, ovs=ovs)
            return
        host = self.nodes.hosts[place.node]
        switch = replace(host.switches[place.name], ovs=ovs)
        self.nodes.hosts[place.node] = replace(host, switches={**host.switches, place.name: switch})

    def check_ports(self, place: _Place) -> None:
        """Settings are for ports that will be there, and no number is asked for twice."""
        asked: dict[int, str] = {}
        for device, port in place.ovs.ports.items():
            path = (*place.path, "ports", device)
            if device != place.name and device not in place.devices:
                hint = did_you_mean(device, place.devices, "it has") or "it has none"
                self.tell(path, f"{place.label} has no port {quote(device)}", hint)
            number = port.interfaces[0].ofport_request
            if number is not None and asked.setdefault(number, device) != device:
                what = f"port {quote(asked[number])} has ofport {number} already"
                self.tell((*path, "ofport"), what, "a number is one port's")
        if place.path[0] == "switches" and place.name in place.devices:
            what = f"{place.name} would have two ports named {quote(place.name)}"
            self.tell(place.path, what, "one is its own")

    def tell(self, path: Path, what: str, hint: str) -> None:
        """Report what is wrong with an entry, of a template once."""
        if path not in self.told:
            self.told.add(path)
            self.report.add(path, what, hint, at_key=path[-1] != "ofport")

    # -- flows and groups

    def mods(self, place: _Place, numbers: dict[str, OfpPort]) -> Mods:
        """What the bridge is sent; nothing where something is wrong with it."""
        entry = self.entry(place)
        key = (place.path, *numbers.items())
        if key not in self.made:
            names = Names(_Ports(numbers, place.lacking))
            trial = _Trial(names, self.report, is_secure=place.ovs.config.is_secure)
            path, faults = place.path, self.report.faults
            lines = lines_of(entry.groups, (*path, "groups"), self.report, self.folder)
            groups = trial.run(lines, (*path, "groups"), read_group, group_as_sent)
            # Flows that name a group would be told that it is not there.
            trial.is_on = self.report.faults == faults
            lines = lines_of(entry.flows, (*path, "flows"), self.report, self.folder)
            flows = trial.run(lines, (*path, "flows"), read_flow, flow_as_sent)
            self.made[key] = (*groups, *flows)
        return self.made[key]

    def entry(self, place: _Place) -> SwitchFile:
        section, name, *inner = place.path
        entries = getattr(self.file, str(section))
        found = entries[name].switches[place.name] if inner else entries[name]
        assert isinstance(found, SwitchFile)
        return found


def _numbered(place: _Place) -> OvsBridge:
    """The bridge with numbers for all its ports, if any asks for one: who comes first without
    asking would else be given what another asks for."""
    ovs = place.ovs
    requests = {name: port.interfaces[0].ofport_request for name, port in ovs.ports.items()}
    taken = set(requests.values()) - {None}
    if not taken:
        return ovs
    free = (
        number for number in range(1, len(place.devices) + len(taken) + 1) if number not in taken
    )
    ports = dict(ovs.ports)
    for device in place.devices:
        if requests.get(device) is None:
            port = ports.get(device) or BridgePortConfig(device)
            interface = InterfaceConfig(device, ofport_request=next(free))
            ports[device] = replace(port, interfaces=(interface,))
    return replace(ovs, ports=ports)


def _numbers(ovs: OvsBridge, devices: Sequence[str]) -> dict[str, OfpPort]:
    """The numbers that ports are going to have."""
    numbers = {ovs.config.name: OFPP_LOCAL}
    for index, device in enumerate(devices, start=1):
        port = ovs.ports.get(device)
        request = None if port is None else port.interfaces[0].ofport_request
        numbers[device] = OfpPort(request or index)
    return numbers


class _Ports(dict[str, OfpPort]):
    """Ports by name; those that may be missing have a number, too."""

    def __init__(self, numbers: Mapping[str, OfpPort], lacking: re.Pattern[str] | None) -> None:
        super().__init__(numbers)
        self._lacking = lacking

    def get(self, name: str, default: Any = None) -> Any:
        found = super().get(name, default)
        if found is None and self._lacking is not None and self._lacking.fullmatch(name):
            return OfpPort(1)
        return found


class _Trial:
    """A bridge that is sent flows and groups to see whether it takes them.

    While it is not ``is_on`` they are read and no more.
    """

    def __init__(self, names: Names, report: Report, *, is_secure: bool) -> None:
        self.is_on = True
        self._names = names
        self._report = report
        self._bridge = Ofproto("trial", Scheduler())
        if not is_secure:
            normal = FlowMod(FlowModCommand.ADD, priority=0, actions=(Output(OFPP_NORMAL),))
            self._bridge.flow_mod(normal)

    def run(
        self,
        lines: Sequence[Line],
        path: Path,
        read: Callable[[str, None, Names], tuple[_ModT, int]],
        as_sent: Callable[[_ModT, int], _ModT],
    ) -> list[_ModT]:
        """What a switch gets of lines that stand at ``path``; all are sent by one protocol, as
        ovs-ofctl(8) does with a file."""
        found: list[tuple[Line, _ModT]] = []
        usable = P_ANY
        for line in lines:
            try:
                mod, protocols = read(line.text, None, self._names)
            except OvsTextError as error:
                self._tell(line, error)
            else:
                found.append((line, mod))
                usable &= protocols
        try:
            protocol = protocol_for(usable)
        except OvsTextError as error:
            self._report.add(path, error.what, error.hint)
            return []
        return [
            mod for line, read_mod in found for mod in self._sent(line, read_mod, protocol, as_sent)
        ]

    def _sent(
        self, line: Line, read: _ModT, protocol: int, as_sent: Callable[[_ModT, int], _ModT]
    ) -> list[_ModT]:
        """What arrives of one line; nothing if it is refused."""
        try:
            mod = as_sent(read, protocol)
            if self.is_on:
                self._bridge.bundle((mod,))
        except (OvsTextError, OpenFlowError) as error:
            self._tell(line, error)
            return []
        return [mod]

    def _tell(self, line: Line, error: OvsTextError | OpenFlowError) -> None:
        hint = "the switch refuses it" if isinstance(error, OpenFlowError) else ""
        self._report.add_at(line.file, line.line, line.column, error.what, error.hint or hint)
