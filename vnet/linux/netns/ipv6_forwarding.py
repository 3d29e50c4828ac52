"""IPv6 packets of others, on their way through (net/ipv6/ip6_output.c: ip6_forward())."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.base.ids import IPV6_ANY, is_link_local_ip6
from vnet.linux.netfilter.hooks import Hook
from vnet.linux.netns import drops
from vnet.linux.netns.ipv6_flow import flow_of
from vnet.linux.netns.way import Way
from vnet.tables.fib import RouteType
from vnet.tables.policy import Flow
from vnet.wire import icmpv6, ipv6

if TYPE_CHECKING:
    from vnet.linux.netfilter.packet import NfPacket
    from vnet.linux.netns.ipv6_delivery import Arrived, Delivery6
    from vnet.linux.netns.namespace import Namespace
    from vnet.linux.netns.routing.destination import Destination

_ND_TYPES = range(icmpv6.ROUTER_SOLICITATION, icmpv6.REDIRECT + 1)


class Forwarding6:
    """A namespace's way through for packets that are not for it."""

    __slots__ = ("_delivery", "_namespace")

    def __init__(self, namespace: Namespace, delivery: Delivery6) -> None:
        self._namespace = namespace
        self._delivery = delivery

    def forward(self, arrived: Arrived) -> None:
        """Send a packet on, or tell its sender why not."""
        interface, frame, packet, header = arrived[:4]
        device = interface.device
        way = self._way_for(arrived)
        if way is None or not way.leads_somewhere:
            return self._refuse(arrived, way)
        if not self._namespace.sysctls.ipv6_conf.everywhere.forwarding:
            return device.drop(frame, drops.NOT_FOR_US)
        if frame.data[0] & 1:
            return device.drop(frame, drops.NOT_FORWARDED)
        if header.hop_limit <= 1:
            device.drop(frame, drops.TTL_EXCEEDED)
            return self._tell(arrived, icmpv6.TIME_EXCEEDED, icmpv6.HOP_LIMIT_EXCEEDED)
        if header.target in interface.nd_cache.proxied and self._proxies:
            if _is_discovery(header):
                return self._delivery.deliver(arrived)
            if is_link_local_ip6(header.target):
                device.drop(frame, drops.NOT_FORWARDED)
                return self._tell(arrived, icmpv6.UNREACHABLE, icmpv6.ADDRESS_UNREACHABLE)
        if way.out is interface:
            self._namespace.nd.redirect(interface, packet, way.gateway, frame.meta)
        elif header.source == IPV6_ANY:
            return device.drop(frame, drops.NOT_FORWARDED)
        elif is_link_local_ip6(header.source):
            device.drop(frame, drops.NOT_FORWARDED)
            return self._tell(arrived, icmpv6.UNREACHABLE, icmpv6.BEYOND_SCOPE)
        return self._pass_on(arrived, way)

    def _pass_on(self, arrived: Arrived, way: Destination) -> None:
        packet, header = arrived.packet, arrived.header
        metrics = way.route.metrics
        mtu_bytes = metrics.mtu_bytes if metrics.mtu_is_locked else way.out.conf6.mtu
        mtu_bytes = max(mtu_bytes, ipv6.MIN_MTU)
        shown = arrived.shown
        if _is_too_big(packet, shown, mtu_bytes):
            arrived.interface.device.drop(arrived.frame, drops.FRAGMENTATION_NEEDED)
            rest = mtu_bytes.to_bytes(4, "big")
            return self._tell(arrived, icmpv6.PACKET_TOO_BIG, 0, rest)
        packet = ipv6.decrement_hop_limit(packet)
        next_hop = way.gateway or header.target
        stack, now_ns = self._namespace.ipv6, self._namespace.scheduler.now_ns
        # What the route or another router says of the path matters only behind the hooks.
        path_mtu = stack.paths.limit(header.target, way.mtu_bytes, now_ns)
        onward, meta, pieces = Way(way.out, next_hop, path_mtu), arrived.frame.meta, None
        if shown is not None:
            shown.data, shown.leaves = packet, way.out.device
            if not shown.meets(Hook.FORWARD) or not shown.netfilter.leaves(stack, onward, shown):
                return None
            packet, meta, pieces = shown.data, shown.meta, shown.pieces
        if not _is_too_big(packet, shown, path_mtu):
            return stack.leave(onward, packet, meta, arrived.interface, pieces)
        arrived.interface.device.drop(arrived.frame, drops.FRAGMENTATION_NEEDED)
        rest = path_mtu.to_bytes(4, "big")
        return self._namespace.icmpv6.send_error(
            packet, icmpv6.PACKET_TOO_BIG, 0, meta, rest=rest, about=shown
        )

    def _way_for(self, arrived: Arrived) -> Destination | None:
        routing, target = self._namespace.routing6, arrived.header.target
        name = arrived.interface.device.name
        if is_link_local_ip6(target):
            # Such an address says nothing of its link: it is the one that the packet came by.
            return routing.lookup(Flow(target, arrived.header.source, name, oif=name))
        if routing.targets_decide:
            return routing.to(target)
        mark = 0 if arrived.shown is None else arrived.shown.mark
        return routing.lookup(flow_of(arrived.packet, name)._replace(mark=mark))

    def _refuse(self, arrived: Arrived, way: Destination | None) -> None:
        """No way: by a route that says so, or for want of one.

        Even who does not forward says so: it is the route that fails, not forwarding.
        """
        device, frame = arrived.interface.device, arrived.frame
        kind = None if way is None else way.type
        device.drop(frame, drops.NO_ROUTE)
        if kind is not RouteType.BLACKHOLE:
            prohibited = kind is RouteType.PROHIBIT
            code = icmpv6.PROHIBITED if prohibited else icmpv6.NO_ROUTE
            self._tell(arrived, icmpv6.UNREACHABLE, code)

    def _tell(self, arrived: Arrived, kind: int, code: int, rest: bytes = bytes(4)) -> None:
        self._namespace.icmpv6.send_error(
            arrived.packet,
            kind,
            code,
            arrived.frame.meta,
            arrived.interface,
            rest=rest,
            to_many=bool(arrived.frame.data[0] & 1),
            about=arrived.shown,
        )

    @property
    def _proxies(self) -> bool:
        return bool(self._namespace.sysctls.ipv6_conf.everywhere.proxy_ndp)


def _is_too_big(packet: bytes, shown: NfPacket | None, mtu_bytes: int) -> bool:
    """What came in pieces is too big if they are."""
    if shown is None or shown.pieces is None:
        return len(packet) > mtu_bytes
    return shown.pieces.most_bytes > mtu_bytes


def _is_discovery(header: ipv6.Ipv6) -> bool:
    """Whether a packet is a message of neighbour discovery: those are not sent on."""
    reached = ipv6.skip_headers(header.next_header, header.payload)
    if reached is None or reached.protocol != icmpv6.PROTOCOL:
        return False
    return header.payload[reached.at : reached.at + 1] in [bytes((kind,)) for kind in _ND_TYPES]
