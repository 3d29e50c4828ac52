"""What a command works on: the lab, by the names that its user types.

Looking something up here either finds it or raises a :class:`UsageError` that says what there
is, and which of it was probably meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from vnet.base.errors import UsageError
from vnet.base.ids import ip_from_text, ip_text
from vnet.base.text import did_you_mean, escaped, quote
from vnet.base.units import NS_PER_MS, duration_text
from vnet.lab.handles import MachineHandle
from vnet.lab.lab import Lab
from vnet.lab.reasons import every_reason
from vnet.linux.bridge.bridge import Bridge
from vnet.linux.netns.namespace import Namespace
from vnet.linux.tc.command import Tc
from vnet.netdev.device import NetDevice
from vnet.shell.tail import CaptureTail

if TYPE_CHECKING:
    from vnet.ovs.dpif.request_log import RequestLog
    from vnet.shell.controllers import ControllerWatch
    from vnet.shell.monitors import MessageWatch
    from vnet.shell.upcalls import UpcallWatch


class ShellContext:
    """One session of the shell. ``lines`` is what was typed; ``ended`` ends the session.
    ``watches`` print while the lab runs, and so do ``controllers``, by the labels of their bridges;
    ``netlink_logs`` keep, by machine, what Open vSwitch and its datapath said to each other."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.lines: list[str] = []
        self.ended = False
        self.watches: list[UpcallWatch | MessageWatch] = []
        self.controllers: dict[str, ControllerWatch] = {}
        self.netlink_logs: dict[str, RequestLog] = {}
        self.tails = {str(point): CaptureTail() for point in lab.topology.captures}
        for point in lab.topology.captures:
            device = lab.network.device(point.node, point.device)
            if device is not None:
                device.add_sniffer(self.tails[str(point)])

    @property
    def prompt(self) -> str:
        """``vnet two-hosts 1.5s>``, to the millisecond."""
        now_ns = self.lab.now_ns // NS_PER_MS * NS_PER_MS
        return f"vnet {escaped(self.lab.name)} {duration_text(now_ns)}> "

    # -- names

    @property
    def machine_names(self) -> list[str]:
        """Hosts, routers and VMs."""
        return [machine.name for machine in self.lab.network.machines()]

    @property
    def node_names(self) -> list[str]:
        """Machines and the switches on the wire."""
        return [*self.machine_names, *self.lab.network.switches]

    def is_node(self, name: str) -> bool:
        """Whether ``name`` is a machine or a switch on the wire."""
        network = self.lab.network
        return network.machine(name) is not None or name in network.switches

    # -- what the names stand for

    def machine(self, name: str) -> MachineHandle:
        """A host, router or VM, with the calls that run the lab."""
        if self.lab.network.machine(name) is None:
            if name in self.lab.network.switches:
                raise UsageError(f"{name} is a switch on the wire: it has no IP stack")
            raise _unknown("machine", name, self.machine_names)
        return self.lab.machine(name)

    def namespace(self, name: str) -> Namespace:
        """The network namespace of a machine."""
        return self.machine(name).namespace

    def traffic_control(self, name: str) -> Tc:
        """``tc`` of a node."""
        devices = {device.name: device for device in self.devices(name)}
        return Tc(self.lab.network.traffic_control(name), devices)

    def target(self, text: str, asker: str | None = None) -> str:
        """``text`` if it is a machine's name or an address (``fe80::1%eth0`` included), or one
        that ``asker`` can ask its DNS server for."""
        resolves = asker is not None and self.namespace(asker).resolv_conf.servers
        if self.lab.network.machine(text) is None and not resolves:
            try:
                ip_from_text(text.partition("%")[0])
            except ValueError:
                what = f"{quote(text)} is neither a machine nor an IP address"
                raise UsageError(
                    what, did_you_mean(text, self.machine_names, "machines are")
                ) from None
        return text

    def name_of(self, ip: bytes) -> str:
        """The machine that has an address; the address again where it is nobody's, or several
        machines have it."""
        owners = [m.name for m in self.lab.network.machines() if m.namespace.owns(ip)]
        return owners[0] if len(owners) == 1 else ip_text(ip)

    def bridges(self, node: str) -> dict[str, Bridge]:
        """The Linux bridges of a node by name; a switch on the wire may be one itself."""
        switch = self.lab.network.switches.get(node)
        if switch is None:
            return self.namespace(node).bridges
        bridge = switch.switch.bridge
        return {} if bridge is None else {node: bridge}

    def devices(self, node: str) -> list[NetDevice]:
        """The devices of a node in the order of their indices."""
        switch = self.lab.network.switches.get(node)
        if switch is not None:
            return [*switch.switch.own_devices(), *switch.ports.values()]
        machine = self.lab.network.machine(node)
        if machine is None:
            raise _unknown("node", node, self.node_names)
        found = [interface.device for interface in machine.namespace.interfaces.values()]
        return sorted(found, key=lambda device: device.ifindex)

    def master_of(self, node: str, device: NetDevice) -> str | None:
        """The name of the switch that a node's device is a port of, or None."""
        switches = self.lab.network.switches_on(node)
        return next((switch.name for switch in switches if switch.has_port(device)), None)


def _unknown(kind: str, name: str, known: Sequence[str]) -> UsageError:
    return UsageError(f"there is no {kind} {quote(name)}", did_you_mean(name, known, "there are"))


# -- completers, named by what they offer


def machines(context: ShellContext, _words: Sequence[str]) -> Iterable[str]:
    """Hosts, routers and VMs."""
    return context.machine_names


def nodes(context: ShellContext, _words: Sequence[str]) -> Iterable[str]:
    """Everything that can stand before a command."""
    return context.node_names


def capture_points(context: ShellContext, _words: Sequence[str]) -> Iterable[str]:
    """``vm1:eth0`` and its like."""
    return context.tails


def reason_words(_context: ShellContext, _words: Sequence[str]) -> Iterable[str]:
    """The word of every reason to drop a frame."""
    return [reason.word for reason in every_reason()]


def link_ends(context: ShellContext, _words: Sequence[str]) -> Iterable[str]:
    """Both ends of every cable."""
    return [end.name for link in context.lab.network.links for end in link.ends]


def node_devices(context: ShellContext, words: Sequence[str]) -> Iterable[str]:
    """The devices of the node that stands first."""
    return [device.name for device in context.devices(words[0])]


def node_bridges(context: ShellContext, words: Sequence[str]) -> Iterable[str]:
    """The bridges of the node that stands first."""
    return context.bridges(words[0])


class Words:
    """A completer that offers the same few words always."""

    def __init__(self, *words: str) -> None:
        self._words = words

    def __call__(self, _context: ShellContext, _words: Sequence[str]) -> Iterable[str]:
        return self._words
