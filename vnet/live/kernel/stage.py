"""Where a scenario plays on the kernel: each step a program over real sockets."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from vnet.base.ids import ip_from_text, is_multicast_ip
from vnet.guest.apps.app import App
from vnet.guest.apps.http import HttpGet, HttpServer
from vnet.guest.apps.tcp import TcpClient, TcpServer
from vnet.lab.acts import Act, Listenable, Wait
from vnet.lab.scenario import NotJudgedError
from vnet.live.clock import WallClock
from vnet.live.kernel import looking
from vnet.live.kernel.apps.frames import LiveArping, LiveSend
from vnet.live.kernel.apps.ping import LivePing
from vnet.live.kernel.apps.traces import LiveTracepath, LiveTraceroute
from vnet.live.kernel.apps.udp import LiveUdpServer, LiveUdpStream
from vnet.live.kernel.machine import LiveMachine, reachable_address
from vnet.live.kernel.netlink import Netlink
from vnet.live.kernel.sniffing import Taps
from vnet.live.kernel.tcp_sockets import LiveNamespace
from vnet.netdev.device import Sniffer
from vnet.topology import steps, stream_steps
from vnet.topology.expression import build_packet
from vnet.topology.group_steps import MembershipStep
from vnet.topology.model import Endpoint, Topology


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

    It ``is_faster`` than the file says where the kernel cannot hold frames back.
    """

    def __init__(
        self,
        topology: Topology,
        scheduler: WallClock,
        netlink: Netlink,
        taps: Taps,
        *,
        is_faster: bool,
    ) -> None:
        self._is_faster = is_faster
        self.scheduler = scheduler
        self._netlink = netlink
        self._taps = taps
        self._udp_servers: dict[tuple[str, int], LiveUdpServer] = {}
        self._tcp_servers: dict[tuple[str, int], App] = {}
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
        return (type(step), key) not in _UNTOLD

    def make_app(self, step: steps.Step) -> App:
        """The app that does a step. Raises :class:`NotJudgedError` where there is none."""
        if isinstance(step, steps.WaitStep):
            return Wait(self.scheduler, step.duration_ns)
        if isinstance(step, steps.SendStep):
            return self._make_send(step)
        if isinstance(step, steps.UdpStep):
            return self._make_udp(step)
        if isinstance(step, stream_steps.TcpStep | stream_steps.HttpStep):
            return self._make_stream(step)
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
            return lambda: looking.change_queues(self._node(step.device.node), step)
        if isinstance(step, MembershipStep):
            return lambda: self._node(step.machine).change_membership(step)
        raise NotJudgedError(f"{step.title.split()[0]} has no counterpart on the kernel")

    def _make_send(self, step: steps.SendStep) -> App:
        machine = self.machines[step.source]
        own = machine.addresses_of(step.device)
        packet = build_packet(
            step.packet,
            mac=machine.mac_of(step.device),
            ip4=next((ip for ip in own if len(ip) == 4), b""),
            ip6=next((ip for ip in own if len(ip) == 16), b""),
        )
        return LiveSend(machine, bytes(packet), step)

    def _make_udp(self, step: steps.UdpStep) -> App:
        machine = self.machines[step.source]
        target = self._target(step.target, machine)
        servers = [self._udp_server(owner, step) for owner in self._owners(step.target)]
        counted = servers if len(servers) == 1 or is_multicast_ip(target) else []
        return LiveUdpStream(machine, target, step, counted)

    def _udp_server(self, owner: LiveMachine, step: steps.UdpStep) -> LiveUdpServer:
        server = self._udp_servers.get((owner.node, step.port))
        if server is None:
            server = self._udp_servers[owner.node, step.port] = LiveUdpServer(owner, step.port)
        server.echo = step.echo
        return server

    def _make_stream(self, step: stream_steps.TcpStep | stream_steps.HttpStep) -> App:
        """The guests' own programs, over the kernel's sockets; servers run on from then on."""
        machine = self.machines[step.source]
        target = self._target(step.target, machine)
        namespace: Any = LiveNamespace(machine)
        owners = self._owners(step.target)
        if isinstance(step, stream_steps.HttpStep):
            for owner in owners:
                server = self._tcp_server(owner, step.port, _http_server)
                server.offer(step.path, step.size_bytes)
            options: dict[str, Any] = {"path": step.path, "timeout_ns": step.timeout_ns}
            return HttpGet(namespace, target, port=step.port, **options)
        for owner in owners if step.serve else ():
            self._tcp_server(owner, step.port, TcpServer)
        options = {"size_bytes": step.size_bytes, "timeout_ns": step.timeout_ns}
        return TcpClient(namespace, target, port=step.port, **options)

    def _tcp_server(self, owner: LiveMachine, port: int, make: Callable[..., App]) -> Any:
        key = owner.node, port
        if key not in self._tcp_servers:
            self._tcp_servers[key] = make(LiveNamespace(owner), port)
            self._tcp_servers[key].start()
        return self._tcp_servers[key]

    # -- names

    def _target(self, target: str, source: LiveMachine) -> bytes:
        machine = self.machines.get(target)
        return ip_from_text(target) if machine is None else reachable_address(machine, source)

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


def _http_server(namespace: Any, port: int) -> HttpServer:
    return HttpServer(namespace, time.time_ns(), port)


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
