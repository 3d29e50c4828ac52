"""A lab in vnet, on its own clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from tests.kernel import virtual_rules
from tests.kernel.play import Look, Seen, Send
from tests.kernel.setup import Bridge, Lab, Port, Route
from vnet.base.chance import Chance
from vnet.base.ids import ip_from_text, mac_from_text, prefix_from_text
from vnet.linux.bridge.bridge import Bridge as LinuxBridge
from vnet.linux.bridge.port import BridgePort
from vnet.linux.bridge.settings import set_port_flag
from vnet.linux.bridge.stations import set_station
from vnet.linux.netns.namespace import Namespace
from vnet.netdev.pair import PairDevice, pair_up
from vnet.sim.frame import Frame
from vnet.sim.scheduler import Scheduler
from vnet.tables.fdb import FdbKind
from vnet.tables.fib import Route as LinuxRoute
from vnet.tables.fib import RouteType

_FDB_KINDS = {
    "permanent": FdbKind.LOCAL,
    "static": FdbKind.STATIC,
    "dynamic": FdbKind.DYNAMIC,
}

_MS = 1_000_000
_CENTISECOND_NS = 10_000_000
_TAP_MTU = 65_535
_READY_MS = 5_000
_STEP_MS = 1


class VirtualLab:
    """The lab's machine as a namespace, with a far end to each of its devices."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self._scheduler = Scheduler()
        self._namespace = Namespace(self._scheduler, "machine", Chance(1))
        self._taps: dict[str, PairDevice] = {}
        self._heard: list[tuple[str, bytes]] = []
        self._programs = virtual_rules.Programs(self._namespace)
        self._build()

    def inject(self, port: str, frame: bytes) -> None:
        """Send a frame into the machine by one of its ports."""
        self._taps[port].transmit(Frame(frame))

    def collect(self) -> Iterator[tuple[str, bytes]]:
        """What has come out since, in order."""
        self.wait(_STEP_MS)
        heard, self._heard = self._heard, []
        return iter(heard)

    def wait(self, duration_ms: int) -> None:
        self._scheduler.run(self._scheduler.now_ns + duration_ms * _MS)

    def now_ms(self) -> int:
        return self._scheduler.now_ns // _MS

    def wait_ready(self) -> None:
        """Until links and addresses are there to be used."""
        self.wait(_READY_MS)
        if self.lab.bridge is not None:
            self._tell_of_stations(self.lab.bridge)
        virtual_rules.restore(self._namespace, self.lab)

    def send(self, datagram: Send) -> None:
        """Have a program of the machine send something."""
        self._programs.send(datagram)

    def look(self, look: Look) -> tuple[int, list[Seen]]:
        """The rules and connections, line by line, and when."""
        return self.now_ms(), list(virtual_rules.look(self._namespace, self.lab, look))

    # -- building

    def _build(self) -> None:
        lab, namespace = self.lab, self._namespace
        if any(key.startswith("net.bridge.") for key in lab.sysctls):
            namespace.links.load_br_netfilter()
        self._set_sysctls(of_devices=False)
        if lab.bridge is not None:
            _apply_bridge(namespace.add_bridge("br0", ipv6=lab.ipv6), lab.bridge)
        for port in lab.ports:
            self._add_port(port)
        if lab.bridge is not None:
            namespace.set_up("br0")
        for port in lab.ports:
            namespace.set_up(port.name)
        self._set_sysctls(of_devices=True)
        for port in lab.ports:
            self._address(port.name, port.addresses)
        if lab.bridge is not None:
            self._address("br0", lab.bridge.addresses)
        for route in lab.routes:
            self._route(route)

    def _add_port(self, port: Port) -> None:
        device = PairDevice(
            self._scheduler, port.name, mac_from_text(port.mac), mtu_bytes=port.mtu_bytes
        )
        tap = PairDevice(
            self._scheduler,
            port.name,
            mac_from_text("02:00:00:00:00:01"),
            mtu_bytes=_TAP_MTU,
            owner="edge",
        )
        pair_up(device, tap)
        tap.rx_handler = self._listener(port.name)
        tap.set_admin(True)
        self._taps[port.name] = tap
        self._namespace.add_device(device, ipv6=self.lab.ipv6)
        if self.lab.bridge is not None and port.is_member:
            self._namespace.enslave(port.name, "br0")
            member = self._namespace.bridges["br0"].port_of(device)
            assert member is not None
            _apply_port(member, port)

    def _listener(self, name: str) -> Callable[[Frame], None]:
        def listen(frame: Frame) -> None:
            self._heard.append((name, frame.data))

        return listen

    def _address(self, device: str, addresses: tuple[str, ...]) -> None:
        for address in addresses:
            self._namespace.add_address(device, *prefix_from_text(address))

    def _tell_of_stations(self, wanted: Bridge) -> None:
        namespace = self._namespace
        ports = {port.device.name: port for port in namespace.bridges["br0"].ports}
        for mac, words in wanted.fdb.items():
            name, kind, *more = words.split()
            sticky = "sticky" in more
            set_station(ports[name], mac_from_text(mac), _FDB_KINDS[kind], sticky=sticky)
        table = namespace.interface("br0").arp_cache.table
        for ip, mac in wanted.neighbors.items():
            table.set_permanent(ip_from_text(ip), mac_from_text(mac), self._scheduler.now_ns)

    def _route(self, route: Route) -> None:
        routes = self._namespace.routes
        gateway = None if route.gateway is None else ip_from_text(route.gateway)
        leads = gateway is not None or route.device is not None
        hops = (routes.nexthop(route.device, gateway),) if leads else ()
        wanted = LinuxRoute(
            *prefix_from_text(route.network),
            hops,
            RouteType[route.kind.upper()],
            source=None if route.source is None else ip_from_text(route.source),
        )
        routes.add(routes.complete(wanted, route.metric))

    def _set_sysctls(self, *, of_devices: bool) -> None:
        for key, value in self.lab.sysctls.items():
            if self.lab.is_of_device(key) == of_devices:
                self._namespace.sysctls[key] = value


def _apply_bridge(bridge: LinuxBridge, wanted: Bridge) -> None:
    appliers: dict[str, Callable[[int], None]] = {
        "group_fwd_mask": partial(setattr, bridge, "group_fwd_mask"),
        "mcast_snooping": lambda value: bridge.multicast.set_on(bool(value)),
        "mcast_igmp_version": partial(setattr, bridge.multicast.settings, "igmp_version"),
        "mcast_mld_version": partial(setattr, bridge.multicast.settings, "mld_version"),
        "mcast_last_member_interval": lambda value: setattr(
            bridge.multicast.settings, "last_member_interval_ns", value * _CENTISECOND_NS
        ),
        "mcast_querier": lambda value: bridge.multicast.set_querier(bool(value)),
    }
    for key, value in wanted.settings.items():
        appliers[key](value)


def _apply_port(member: BridgePort, port: Port) -> None:
    for key, value in port.settings.items():
        set_port_flag(member, key, bool(value))
