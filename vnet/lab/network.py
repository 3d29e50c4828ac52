"""Everything of a lab that runs, by the names of its topology."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from vnet.base.chance import Chance
from vnet.base.drops import DropReason
from vnet.guest.machine import Guest, Machine
from vnet.guest.vnic import Vnic
from vnet.hypervisor.backend import FrontEnd
from vnet.hypervisor.steps import ScriptStep
from vnet.lab.domains import Domains
from vnet.lab.switches import LinuxSwitch, Switch
from vnet.lab.wire_switch import WireSwitch
from vnet.linux.tc.qdiscs import TrafficControl
from vnet.netdev.device import NetDevice
from vnet.netdev.nic import Nic
from vnet.sim.link import Link, LinkEnd
from vnet.sim.scheduler import Scheduler
from vnet.topology import model
from vnet.topology.devices import network_bridge_names

if TYPE_CHECKING:
    from vnet.hypervisor.openvswitch import OpenVSwitch
    from vnet.lab.controllers import Controllers
    from vnet.lab.ovs_switch import OvsSwitch
    from vnet.linux.services.dns_server.server import DnsServer


@dataclass
class Network:
    """Everything that runs, by the names of the topology."""

    scheduler: Scheduler
    topology: model.Topology
    chance: Chance
    hosts: dict[str, Machine] = field(default_factory=dict)
    routers: dict[str, Machine] = field(default_factory=dict)
    vms: dict[str, Guest] = field(default_factory=dict)
    switches: dict[str, WireSwitch] = field(default_factory=dict)
    ovs_switches: dict[str, list[OvsSwitch]] = field(default_factory=dict)
    """The bridges of Open vSwitch in each host that has any."""
    links: list[Link] = field(default_factory=list)
    former_ends: list[tuple[LinkEnd, LinkEnd]] = field(default_factory=list)
    """The ends of links as they were before a plug went elsewhere, with what they have counted."""
    domains: dict[str, Domains] = field(default_factory=dict)
    dns_servers: dict[str, list[DnsServer]] = field(default_factory=dict)
    """Those on each machine that has any."""
    script_steps: list[ScriptStep] = field(default_factory=list)
    _switch_queues: dict[str, TrafficControl] = field(default_factory=dict)
    lost_with_devices: Counter[tuple[str, DropReason]] = field(default_factory=Counter)
    """What devices dropped that were taken away while the lab ran, by their label and reason."""

    def machine(self, name: str) -> Machine | None:
        """A VM, host or router by name."""
        return self.vms.get(name) or self.hosts.get(name) or self.routers.get(name)

    def machines(self) -> Iterator[Machine]:
        """Every VM, host and router."""
        yield from self.hosts.values()
        yield from self.routers.values()
        yield from self.vms.values()

    def traffic_control(self, node: str) -> TrafficControl:
        """What keeps the queues of a node's devices; a switch on the wire has them, too."""
        machine = self.machine(node)
        if machine is not None:
            return machine.namespace.traffic_control
        if node not in self._switch_queues:
            # Whatever leaves a switch only crosses it, and has no priority.
            self._switch_queues[node] = TrafficControl(self.chance, lambda _mac: False)
        return self._switch_queues[node]

    def device(self, node: str, name: str) -> NetDevice | None:
        """A device of a node by its present name."""
        machine = self.machine(node)
        if machine is not None:
            interface = machine.namespace.interfaces.get(name)
            return None if interface is None else interface.device
        switch = self.switches.get(node)
        return None if switch is None else switch.ports.get(name)

    def switch(self, node: str, name: str | None = None) -> Switch:
        """The switch ``node``, or the one called ``name`` in host ``node``."""
        found = {switch.name: switch for switch in self.switches_on(node)}
        return found[node if name is None else name]

    def switches_on(self, node: str) -> Iterator[Switch]:
        """The switches in a host, or the one that the node itself is."""
        if node in self.switches:
            yield self.switches[node].switch
        if node in self.hosts:
            for name, bridge in self.hosts[node].namespace.bridges.items():
                yield LinuxSwitch(f"{node}:{name}", bridge)
        yield from self.ovs_switches.get(node, ())

    def all_switches(self) -> Iterator[Switch]:
        """Every switch, those on the wire first."""
        for node in (*self.switches, *self.hosts):
            yield from self.switches_on(node)

    @cached_property
    def controllers(self) -> Controllers:
        """The OpenFlow controllers in this process, one a bridge at most."""
        from vnet.lab.controllers import Controllers  # Most labs have none.

        return Controllers(self.scheduler)

    def datapath_losses(self) -> Iterator[tuple[str, Mapping[DropReason, int]]]:
        """The frames that died in no device's hands but in a datapath's, by its label; and the
        copies that were lost on their way into a tunnel, by the label of its port."""
        for machine in self.openvswitches():
            yield machine.datapath_label, machine.datapath.drops
            yield from machine.lost_copies()

    def openvswitches(self) -> Iterator[OpenVSwitch]:
        """Open vSwitch of each machine that has it."""
        commands = [switch.commands for switch in self.all_switches()]
        yield from dict.fromkeys(found.machine for found in commands if found is not None)

    def link_at(self, name: str) -> Link | None:
        """A link by an end as the file names it, or by the device that now holds the plug."""
        for link in self.links:
            if name in (link.ends[0].name, link.ends[1].name):
                return link
        node, _, device = name.partition(":")
        card = self.card(node, device)
        return None if card is None or card.end is None else card.end.link

    def card(self, node: str, name: str) -> Nic | None:
        """A card by the name that it has, or that the file gave it and Xen's script took away."""
        host = self.topology.hosts.get(node)
        names = [name]
        if host is not None and name in host.nics:
            names.append(network_bridge_names(host, name).physical)
        found = (self.device(node, each) for each in names)
        return next((device for device in found if isinstance(device, Nic)), None)

    def card_at(self, end: LinkEnd) -> Nic:
        """The card that an end of a link is plugged into."""
        node, _, name = end.name.partition(":")
        card = self.card(node, name)
        assert card is not None, f"{end.name} is plugged in nowhere"
        return card

    def devices(self) -> Iterator[NetDevice]:
        """Every device of every node."""
        for machine in self.machines():
            for interface in machine.namespace.interfaces.values():
                yield interface.device
        for node in self.switches.values():
            yield from node.switch.own_devices()
            yield from node.ports.values()
        for host in self.hosts:
            for switch in self.switches_on(host):
                yield from switch.own_devices()
        for switchd in self.openvswitches():
            yield from switchd.datapath.tunnel_devices()

    def plug_of(self, vnic: Vnic) -> tuple[str, str]:
        """The host and the switch that a virtual machine's card is plugged into now.

        The switch is empty where somebody took the back end out of it.
        """
        front = front_of(vnic)
        host, back = front.peer.owner, front.peer.name
        return host, self.domains[host].bridge_of(back) or ""

    def bury(self, device: NetDevice) -> None:
        """Keep count of what a device dropped that is taken away, and let go of it.

        At the end of this instant: frames may be on their way into it.
        """
        self.scheduler.after(0, self._bury, device)

    def _bury(self, device: NetDevice) -> None:
        lost = {(device.label, reason): frames for reason, frames in device.drops.items()}
        self.lost_with_devices.update(lost)

    def forget_floods(self) -> None:
        """Something was replugged: frames may come another way now, and that is no storm."""
        for switch in self.all_switches():
            switch.storms.forget()


def front_of(vnic: Vnic) -> FrontEnd:
    """The device behind a virtual machine's card."""
    front = vnic.interface.device
    assert isinstance(front, FrontEnd), f"{front.label} is no virtual machine's card"
    return front
