"""What becomes of an IPv4 packet that came in, decided once for each flow (net/ipv4/route.c)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from vnet.base.drops import DropReason
from vnet.base.ids import IPV4_ANY, IPV4_BROADCAST, ip_text, is_multicast_ip
from vnet.linux.netns import drops
from vnet.linux.netns.routing.destination import Destination
from vnet.linux.netns.routing.source_check import Source, check_source
from vnet.tables.fib import RouteType
from vnet.tables.policy import Flow
from vnet.wire import icmp, ipv4
from vnet.wire.ether import HEADER_BYTES

if TYPE_CHECKING:
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.namespace import Namespace
    from vnet.sim.frame import Frame

_MOST_CACHED = 4096
_TOS_BITS = 0x1C
_LOOPBACK_NET = 127


_MARTIAN = (drops.MARTIAN_SOURCE, drops.MARTIAN_TARGET, drops.RP_FILTER, drops.NOT_A_MEMBER)


class Fate(Enum):
    OURS = auto()  # for this machine alone
    EVERYBODYS = auto()  # for this machine among others
    FORWARD = auto()
    REFUSED = auto()


@dataclass(frozen=True, slots=True)
class Arrival:
    """The decision. What is refused has a ``reason``, and a ``code`` if its sender is told.

    ``redirects`` says that the sender could have reached the next hop itself.
    """

    fate: Fate
    destination: Destination | None = None
    redirects: bool = False
    reason: DropReason = drops.NO_ROUTE
    code: int | None = None

    @property
    def is_martian(self) -> bool:
        """Whether it is thrown away before anything else is looked at."""
        return self.fate is Fate.REFUSED and self.reason in _MARTIAN

    @property
    def way(self) -> Destination:
        """Where what is forwarded goes."""
        assert self.destination is not None
        return self.destination


_OURS = Arrival(Fate.OURS)
_EVERYBODYS = Arrival(Fate.EVERYBODYS)
_MARTIAN_SOURCE = Arrival(Fate.REFUSED, reason=drops.MARTIAN_SOURCE)
_MARTIAN_TARGET = Arrival(Fate.REFUSED, reason=drops.MARTIAN_TARGET)
_NO_WAY_BACK = Arrival(Fate.REFUSED, reason=drops.RP_FILTER)
_NOT_FOR_US = Arrival(Fate.REFUSED, reason=drops.NOT_FOR_US)
_NOT_A_MEMBER = Arrival(Fate.REFUSED, reason=drops.NOT_A_MEMBER)
_REFUSALS = {
    None: Arrival(Fate.REFUSED, reason=drops.NO_ROUTE, code=icmp.NET_UNREACHABLE),
    RouteType.UNREACHABLE: Arrival(
        Fate.REFUSED, reason=drops.ROUTE_UNREACHABLE, code=icmp.HOST_UNREACHABLE
    ),
    RouteType.PROHIBIT: Arrival(
        Fate.REFUSED, reason=drops.ROUTE_PROHIBITED, code=icmp.COMMUNICATION_PROHIBITED
    ),
    RouteType.BLACKHOLE: Arrival(Fate.REFUSED, reason=drops.ROUTE_BLACKHOLE),
}


class Arrivals:
    """The decisions for the packets of one namespace."""

    __slots__ = ("_namespace",)

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace

    def of(self, interface: Interface, header: ipv4.Ipv4, mark: int = 0) -> Arrival:
        """What becomes of a packet that netfilter may have given a mark."""
        if is_multicast_ip(header.target):
            return self._group(interface, header.source, header.target, header.protocol)
        if not self._namespace.routing4.targets_decide:
            return self._decide(interface, self._flow(interface, header, mark))
        return self.of_pair(interface, header.source, header.target)

    def of_pair(self, interface: Interface, source: bytes, target: bytes) -> Arrival:
        """What becomes of packets between two addresses, where nothing else matters."""
        routing = self._namespace.routing4
        if not routing.targets_decide:
            return self._decide(interface, Flow(target, source, interface.device.name))
        known = interface.arrivals.get(source + target)
        if known is None:
            known = self._decide(interface, Flow(target, source, interface.device.name))
            if len(interface.arrivals) >= _MOST_CACHED:
                interface.arrivals.clear()
                interface.roads.clear()
            interface.arrivals[source + target] = known
            routing.has_decided = True
        return known

    def of_diverted(self, interface: Interface, header: ipv4.Ipv4, mark: int) -> Arrival:
        """What becomes of a packet to ourselves that is for somebody else since it came in."""
        if is_multicast_ip(header.target):
            return self._group(interface, header.source, header.target, header.protocol)
        return self._route(interface, self._flow(interface, header, mark))

    @staticmethod
    def _flow(interface: Interface, header: ipv4.Ipv4, mark: int) -> Flow:
        ports = (0, 0)
        if header.protocol in (ipv4.TCP, ipv4.UDP) and not header.is_fragment:
            data = header.payload[:4].ljust(4, b"\0")
            ports = (data[0] << 8 | data[1], data[2] << 8 | data[3])
        return Flow(
            header.target,
            header.source,
            interface.device.name,
            tos=header.tos & _TOS_BITS,
            mark=mark,
            protocol=header.protocol,
            source_port=ports[0],
            target_port=ports[1],
        )

    def _decide(self, interface: Interface, flow: Flow) -> Arrival:
        if interface is self._namespace.loopback:
            # It was routed when it was sent.
            return _OURS
        return self._route(interface, flow)

    def _route(self, interface: Interface, flow: Flow) -> Arrival:
        source, target = flow.source, flow.target
        if is_multicast_ip(source) or source == IPV4_BROADCAST:
            return _MARTIAN_SOURCE
        if target == IPV4_BROADCAST or (source == IPV4_ANY and target == IPV4_ANY):
            return self._everybodys(interface, flow)
        localnet = interface.conf4.route_localnet
        if source == IPV4_ANY or (source[0] == _LOOPBACK_NET and not localnet):
            return _MARTIAN_SOURCE
        if target == IPV4_ANY or (target[0] == _LOOPBACK_NET and not localnet):
            return _MARTIAN_TARGET
        return self._by_route(interface, flow)

    def _by_route(self, interface: Interface, flow: Flow) -> Arrival:
        found = self._namespace.routing4.lookup(flow)
        kind = None if found is None else found.type
        if kind is RouteType.LOCAL:
            return self._judged(self._source(interface, flow, None), _OURS)
        if kind is RouteType.BROADCAST and not interface.conf4.bc_forwarding:
            return self._everybodys(interface, flow)
        if not interface.conf4.forwarding:
            return _NOT_FOR_US
        if kind in _REFUSALS:
            return _REFUSALS[kind]
        if found is None or kind not in (RouteType.UNICAST, RouteType.BROADCAST):
            return _MARTIAN_TARGET
        source = self._source(interface, flow, found.out)
        way = Arrival(Fate.FORWARD, found, self._redirects(interface, flow, found, source))
        return self._judged(source, way)

    def _everybodys(self, interface: Interface, flow: Flow) -> Arrival:
        if flow.source == IPV4_ANY:
            return _EVERYBODYS
        return self._judged(self._source(interface, flow, None), _EVERYBODYS)

    def _group(self, interface: Interface, source: bytes, target: bytes, protocol: int) -> Arrival:
        """Groups are joined and left, so that nothing is kept of them."""
        if not interface.igmp.is_member(target):
            return _NOT_A_MEMBER
        if is_multicast_ip(source) or source == IPV4_BROADCAST:
            return _MARTIAN_SOURCE
        if source[0] == _LOOPBACK_NET and not interface.conf4.route_localnet:
            return _MARTIAN_SOURCE
        if source == IPV4_ANY:
            # "This network" may talk of groups, and in those of its own link.
            link_local = target[:3] == b"\xe0\0\0"
            return _EVERYBODYS if link_local or protocol == ipv4.IGMP else _MARTIAN_SOURCE
        if interface is self._namespace.loopback:
            return _EVERYBODYS
        flow = Flow(IPV4_ANY, source, interface.device.name)
        return self._judged(self._source(interface, flow, None), _EVERYBODYS)

    # -- the source

    def _source(self, interface: Interface, flow: Flow, out: Interface | None) -> Source:
        return check_source(self._namespace, interface, flow.source, flow.target, flow.tos, out)

    @staticmethod
    def _judged(source: Source, otherwise: Arrival) -> Arrival:
        if source is Source.IMPOSSIBLE:
            return _MARTIAN_SOURCE
        return _NO_WAY_BACK if source is Source.NO_WAY_BACK else otherwise

    @staticmethod
    def _redirects(interface: Interface, flow: Flow, found: Destination, source: Source) -> bool:
        """Whether the sender is on the link that the packet goes back out to."""
        if found.out is not interface or source is not Source.NEAR:
            return False
        conf = interface.conf4
        if not conf.send_redirects:
            return False
        return bool(conf.shared_media) or interface.shares_network(
            flow.source, found.gateway or flow.source
        )


def log_martian(
    interface: Interface, arrival: Arrival, source: bytes, target: bytes, frame: Frame
) -> None:
    """What log_martians has the kernel say of a packet, or of who asks by ARP."""
    if not interface.conf4.log_martians:
        return
    device, log = interface.device.name, interface.namespace.log
    pair = f"{ip_text(target)} from {ip_text(source)}"
    if arrival.reason in (drops.MARTIAN_SOURCE, drops.RP_FILTER):
        header = frame.data[:HEADER_BYTES].hex(" ")
        log.write_limited(
            f"IPv4: martian source {pair}, on dev {device}", f"ll header: 00000000: {header}"
        )
    elif arrival.reason is drops.MARTIAN_TARGET:
        log.write_limited(f"IPv4: martian destination {pair}, dev {device}")
