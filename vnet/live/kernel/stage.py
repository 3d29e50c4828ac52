"""Where a scenario plays on the kernel: each step a program over real sockets."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6

from vnet.base.ids import IpAddress, ip_from_text, ip_text, is_multicast_ip
from vnet.base.units import NS_PER_S
from vnet.guest.apps.app import App
from vnet.guest.apps.http import HttpGet, HttpServer
from vnet.guest.apps.tcp import TcpClient, TcpServer
from vnet.guest.complete import kernel_payload, needs_kernel
from vnet.guest.services import Client
from vnet.lab.acts import Act, Listenable, Wait
from vnet.lab.name_scopes import machines
from vnet.lab.named_step import NamedStep
from vnet.lab.network import Network
from vnet.lab.pingall import choose_pairs
from vnet.lab.scenario import NotJudgedError
from vnet.lab.step_apps import name_to_resolve
from vnet.live.clock import WallClock
from vnet.live.kernel import changing, looking, netfilter
from vnet.live.kernel.apps.dig import LiveDig
from vnet.live.kernel.apps.frames import LiveArping, LiveSend
from vnet.live.kernel.apps.iperf import LiveIperf
from vnet.live.kernel.apps.lease import LiveLease
from vnet.live.kernel.apps.ping import LivePing
from vnet.live.kernel.apps.pingall import LivePingAll
from vnet.live.kernel.apps.resolve import LiveResolve
from vnet.live.kernel.apps.traces import LiveTracepath, LiveTraceroute
from vnet.live.kernel.apps.udp import LiveUdpServer, LiveUdpStream
from vnet.live.kernel.machine import LiveMachine, reachable_address
from vnet.live.kernel.netlink import Netlink
from vnet.live.kernel.services import Services, leased_servers
from vnet.live.kernel.sniffing import Taps
from vnet.live.kernel.tcp_sockets import LiveNamespace
from vnet.live.kernel.wires import Wires
from vnet.netdev.device import Sniffer
from vnet.topology import steps
from vnet.topology.model import Endpoint
from vnet.topology.packets.expression import build_packet
from vnet.topology.scenario import stream_steps
from vnet.topology.scenario.admin_steps import IptablesStep, SysctlStep
from vnet.topology.scenario.dhcp_steps import DhcpStep
from vnet.topology.scenario.group_steps import MembershipStep
from vnet.topology.scenario.name_steps import DnsStep
from vnet.topology.scenario.netfilter_steps import ConntrackStep, RulesStep

_PATIENCE_NS = 2 * NS_PER_S
"""How long one of many pings waits for its answer."""


_Served: TypeAlias = (
    steps.UdpStep | stream_steps.TcpStep | stream_steps.HttpStep | stream_steps.IperfStep
)
"""Steps that need somebody to serve."""


class TapPoint:
    """A device of a namespace, as who listens knows it."""

    def __init__(self, taps: Taps, point: Endpoint) -> None:
        self._taps = taps
        self._point = point

    def add_sniffer(self, sniffer: Sniffer) -> None:
        """From now on ``sniffer`` hears every frame."""
        self._taps.add(self._point, sniffer)

    def remove_sniffer(self, sniffer: Sniffer) -> None:
        """It hears no more."""
        self._taps.remove(self._point, sniffer)


class KernelStage:
    """The namespaces of a lab that is up; a :class:`~vnet.lab.scenario.Stage`.

    ``network`` is the lab as it was before anything happened in it: what the file says of its
    machines. ``services`` are the programs that run as long as the lab. It ``is_faster`` than
    the file says where the kernel cannot hold frames back.
    """

    def __init__(
        self,
        network: Network,
        scheduler: WallClock,
        netlink: Netlink,
        taps: Taps,
        services: Services,
        wires: Wires,
        *,
        is_faster: bool,
    ) -> None:
        topology = network.topology
        self._network = network
        self._services = services
        self._wires = wires
        self._is_faster = is_faster
        self.scheduler = scheduler
        self._netlink = netlink
        self._taps = taps
        self._udp_servers: dict[tuple[str, int], LiveUdpServer] = {}
        self._odd_queues: set[Endpoint] = set()
        """The devices whose queues are not as the file wants them."""
        self.machines = {
            name: LiveMachine(name, scheduler, netlink)
            for name in (*topology.hosts, *topology.routers, *topology.vms)
        }

    def listenable(self, point: Endpoint) -> Listenable:
        """A device, to count frames at."""
        return TapPoint(self._taps, point)

    def close(self) -> None:
        """Leave all multicast groups. What listens ends with the clock that watches it."""
        for machine in self.machines.values():
            for joined in machine.groups.values():
                joined.close()

    def catch_up(self) -> None:
        """Tell of every frame that has passed by now."""
        self._taps.drain()

    def tells(self, step: steps.Step, key: str) -> bool:
        """Whether the kernel says what ``key`` of a step asks for."""
        if isinstance(step, steps.CountersStep):
            return key in looking.COUNTERS
        if key.startswith("rtt_") and self._is_faster:
            return False
        if isinstance(step, DhcpStep):
            return key in LiveLease.KEYS
        return (type(step), key) not in _UNTOLD

    def make_app(self, step: Any) -> App:
        """The app that does a step. Raises :class:`NotJudgedError` where there is none."""
        name = name_to_resolve(self._network, step)
        if name is None:
            return self._make_app(step)
        machine = self.machines[step.source]
        resolve = LiveResolve(machine, self._name_server(None, machine), name)
        return NamedStep(
            self.scheduler,
            resolve,
            lambda ip: self._make_app(replace(step, target=ip_text(ip))),
        )

    def _make_app(self, step: steps.Step) -> App:
        if isinstance(step, steps.WaitStep):
            return Wait(self.scheduler, step.duration_ns)
        if isinstance(step, steps.SendStep):
            return self._make_send(step)
        if isinstance(step, steps.UdpStep):
            return self._make_udp(step)
        if isinstance(step, steps.PingAllStep):
            return self._make_pingall(step)
        if isinstance(step, DhcpStep):
            return LiveLease(self.machines[step.machine], self._services, step)
        if isinstance(step, DnsStep):
            machine = self.machines[step.source]
            return LiveDig(machine, self._name_server(step.server, machine), step)
        if isinstance(step, stream_steps.TcpStep | stream_steps.HttpStep):
            return self._make_stream(step)
        if isinstance(step, stream_steps.IperfStep):
            machine = self.machines[step.source]
            owners, port = self._who_serves(step)
            return LiveIperf(machine, self._target(step.target, machine), step, owners, port)
        for kind, make in _AIMED.items():
            if isinstance(step, kind):
                machine = self.machines[step.source]
                made: App = make(machine, self._target(step.target, machine), step)
                return made
        return Act(self.scheduler, self._act(step))

    def _act(self, step: steps.Step) -> Callable[[], dict[str, Any]]:
        if isinstance(step, steps.CheckStep):
            return dict
        if isinstance(step, steps.FdbStep):
            return lambda: looking.stations(self._node(step.node), step)
        if isinstance(step, steps.CountersStep):
            return lambda: looking.counters(self._node(step.device.node), step)
        if isinstance(step, steps.TcStep):
            return self._queues(step)
        if isinstance(step, MembershipStep):
            return lambda: self._node(step.machine).change_membership(step)
        if isinstance(step, IptablesStep):
            return lambda: changing.change_rules(self._node(step.machine), step)
        if isinstance(step, RulesStep):
            return lambda: netfilter.read_rules(self._node(step.machine), step)
        if isinstance(step, ConntrackStep):
            return lambda: netfilter.look_at_connections(self._node(step.machine), step)
        if isinstance(step, SysctlStep):
            return lambda: changing.change_settings(self._node(step.machine), step)
        if isinstance(step, steps.LinkStep):
            return self._pull(step)
        raise NotJudgedError(f"{step.title.split()[0]} has no counterpart on the kernel")

    def _queues(self, step: steps.TcStep) -> Callable[[], dict[str, Any]]:
        def change() -> dict[str, Any]:
            if step.device in self._odd_queues:
                raise NotJudgedError("an earlier command there was more than this kernel can")
            try:
                return looking.change_queues(self._node(step.device.node), step)
            except NotJudgedError:
                self._odd_queues.add(step.device)
                raise

        return change

    def _pull(self, step: steps.LinkStep) -> Callable[[], dict[str, Any]]:
        link = self._network.link_at(str(step.end))
        if link is None or step.to is not None or set(step.change) != {"up"}:
            raise NotJudgedError("cables can only be pulled and plugged in on the kernel")
        number, up = self._network.links.index(link), bool(step.change["up"])

        def pull() -> dict[str, Any]:
            self._wires.set_up(number, up)
            return {"state": "up" if up else "down"}

        return pull

    def _make_send(self, step: steps.SendStep) -> App:
        """What the file leaves open is filled in as the lab's own card would."""
        machine = self.machines[step.source]
        own = machine.addresses_of(step.device)
        ip4 = next((ip for ip in own if len(ip) == 4), b"")
        ip6 = next((ip for ip in own if len(ip) == 16), b"")
        packet = build_packet(step.packet, mac=machine.mac_of(step.device), ip4=ip4, ip6=ip6)
        for kind, ip in ((IP, ip4), (IPv6, ip6)):
            if ip and kind in packet and "src" not in packet[kind].fields:
                packet[kind].src = ip_text(ip)
        model = self._network.machine(step.source)
        assert model is not None, f"{step.source} is in the lab"
        packet = model.vnic(step.device).complete(packet)
        if not needs_kernel(packet):
            return LiveSend(machine, bytes(packet), step)
        packet = kernel_payload(packet)
        return LiveSend(machine, bytes(packet), step, str(packet.dst))

    def _make_pingall(self, step: steps.PingAllStep) -> App:
        network = self._network
        pairs = [(name, step.target or "") for name in step.among if name != step.target]
        if step.target is None:
            pairs = choose_pairs(network, step.among, classes=step.classes, sample=step.sample)

        def make(pair: tuple[str, str]) -> LivePing:
            machine = self.machines[pair[0]]
            one = steps.PingStep(None, (), step.line, *pair, count=1, timeout_ns=_PATIENCE_NS)
            return LivePing(machine, self._target(pair[1], machine), one)

        return LivePingAll(self.scheduler, pairs, make)

    def _name_server(self, named: str | None, machine: LiveMachine) -> bytes:
        """Whom a machine asks: who is named, who the file names, or who leased it its address."""
        if named is not None:
            return self._target(named, machine)
        owner = next(each for each in machines(self._network.topology) if each.name == machine.node)
        servers = [*owner.resolver.servers, *self._leased_servers(machine.node)]
        if not servers:
            raise NotJudgedError(f"{machine.node} knows no DNS server here")
        return servers[0]

    def _leased_servers(self, node: str) -> list[IpAddress]:
        pattern = leased_servers(self._services.folder, self._network.topology.name, node)
        found = sorted(pattern.parent.glob(pattern.name))
        return [ip_from_text(word) for path in found for word in path.read_text().split()]

    def _make_udp(self, step: steps.UdpStep) -> App:
        machine = self.machines[step.source]
        target = self._target(step.target, machine)
        owners, port = self._who_serves(step)
        servers = [self._udp_server(owner, port) for owner in owners]
        for server in servers:
            server.echo = step.echo
        counted = servers if len(servers) == 1 or is_multicast_ip(target) else []
        return LiveUdpStream(machine, target, step, counted)

    def _udp_server(self, owner: LiveMachine, port: int) -> LiveUdpServer:
        server = self._udp_servers.get((owner.node, port))
        if server is None:
            server = self._udp_servers[owner.node, port] = LiveUdpServer(owner, port)
        return server

    def _make_stream(self, step: stream_steps.TcpStep | stream_steps.HttpStep) -> App:
        """The guests' own programs, over the kernel's sockets; servers run on from then on."""
        machine = self.machines[step.source]
        target = self._target(step.target, machine)
        namespace: Any = LiveNamespace(machine)
        owners, port = self._who_serves(step)
        if isinstance(step, stream_steps.HttpStep):
            options: dict[str, Any] = {"path": step.path, "timeout_ns": step.timeout_ns}
            get = HttpGet(namespace, target, port=step.port, **options)
            for owner in owners:
                server = _http_server(owner, port, Client(get, step.title))
                server.offer(step.path, step.size_bytes)
            return get
        options = {"size_bytes": step.size_bytes, "timeout_ns": step.timeout_ns}
        tcp = TcpClient(namespace, target, port=step.port, **options)
        for owner in owners if step.serve else ():
            _tcp_server(owner, port, Client(tcp, step.title))
        return tcp

    # -- names

    def _target(self, target: str, source: LiveMachine) -> bytes:
        machine = self.machines.get(target)
        if machine is not None:
            return reachable_address(machine, source)
        return ip_from_text(target)

    def _who_serves(self, step: _Served) -> tuple[list[LiveMachine], int]:
        """The machines that serve a step, and the port that they listen on."""
        if step.server is None:
            return self._owners(step.target), step.port
        return [self.machines[step.server.node]], step.server.port or step.port

    def _owners(self, target: str) -> list[LiveMachine]:
        """The machines that a name or an address stands for; of a group, its members."""
        if target in self.machines:
            return [self.machines[target]]
        ip = ip_from_text(target)
        if is_multicast_ip(ip):
            return [machine for machine in self.machines.values() if ip in machine.groups]
        return [machine for machine in self.machines.values() if ip in machine.addresses()]

    def _node(self, name: str) -> LiveMachine:
        """A machine, or the namespace of a switch on the wire."""
        return self.machines.get(name) or LiveMachine(name, self.scheduler, self._netlink)


def _http_server(owner: LiveMachine, port: int, client: Client) -> HttpServer:
    namespace: Any = LiveNamespace(owner)
    return owner.services.serve(
        HttpServer, port, lambda: HttpServer(namespace, time.time_ns(), port), client
    )


def _tcp_server(owner: LiveMachine, port: int, client: Client) -> TcpServer:
    namespace: Any = LiveNamespace(owner)
    return owner.services.serve(TcpServer, port, lambda: TcpServer(namespace, port), client)


_AIMED: dict[type[Any], Callable[..., App]] = {
    steps.PingStep: LivePing,
    steps.ArpingStep: LiveArping,
    steps.TracerouteStep: LiveTraceroute,
    steps.TracepathStep: LiveTracepath,
}
"""Steps that go from a machine to a target, and the app of each."""

_UNTOLD = {
    (steps.FdbStep, "moves"),
    (steps.TracerouteStep, "sent"),
}
"""What neither the kernel nor its programs count."""
